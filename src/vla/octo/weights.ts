/** @file Octo's published files, checked against the plan before anything large is read; the weights stay in their file. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { type FlaxFile, openFlax } from '../../formats/flax-msgpack.ts'
import { requireTensors } from '../../formats/tensor-file.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { storedTensors } from '../files.ts'
import { PARTIAL } from '../hub/download.ts'
import { type OctoConfig, readOctoConfig } from './config.ts'
import { encoderPlan, headPlan, isBeside, OCTO, type ParameterPlan, T5_NAMES, tokensOf } from './plan.ts'

export type OctoWeights = {
  config: OctoConfig
  tokens: Readonly<Record<string, number>> // by camera, and of proprio
  parameters: Parameters // leaves that point into the file; those of Octo's own head where it is the published kind
  t5Folder: string // with the tokenizer
  path: string // of the weights
  notes: readonly string[] // what a person should know of the files
  /** Rows of T5's embedding table, [ids, width]. */
  embed(ids: ArrayLike<number>): Promise<Float32Array>
  close(): Promise<void>
}

/**
 * Opens the published files in `folder`. @throws InputError or ShapeError that names the first parameter which is
 * missing, of another shape, of integers, or unknown. Of heads nothing is asked: h needs none.
 */
export async function openOcto(folder: string): Promise<OctoWeights> {
  const { config: given, t5Folder } = await readOctoConfig(folder)
  const { file, notes: left } = await openNewest(folder)
  const { path } = file
  try {
    const { config, notes } = trainedParts(given, file)
    const tokens = tokensOf(config, (name) => file.tensors.get(name)?.shape, path)
    const plan = encoderPlan(config, tokens)
    const foreign = [...requireTensors(file, plan), ...file.values.keys()].find((name) => !isBeside(name, config))
    if (foreign !== undefined)
      throw new InputError(
        `${path}, parameter "${foreign}"`,
        'is not part of an Octo model of these sizes',
        'Take the config.json that belongs to the checkpoint',
      )
    const { width } = config.language
    return {
      config,
      tokens,
      parameters: await storedTensors(file, { ...plan, ...readable(headPlan(config), file) }),
      t5Folder,
      path,
      notes: [...left, ...notes],
      async embed(ids) {
        const rows = new Float32Array(ids.length * width)
        for (let i = 0; i < ids.length; i++) rows.set(await file.readRow(T5_NAMES.words, ids[i]!), i * width)
        return rows
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** The part of a plan that the file has, as the plan wants it, in one piece. */
function readable(plan: ParameterPlan, file: FlaxFile): ParameterPlan {
  const has = ([name, shape]: [string, readonly number[]]) => {
    const tensor = file.tensors.get(name)
    return (
      tensor?.shape.join() === shape.join() && /^B?F(?:16|32)$/.test(tensor.dtype) && file.place(name) !== undefined
    )
  }
  return Object.fromEntries(Object.entries(plan).filter(has))
}

/**
 * The config without the tokenizers of which the checkpoint has nothing at all: flax makes no parameters for what was
 * absent from the data, and a finetune on one camera may keep the config of two.
 */
function trainedParts(config: OctoConfig, file: FlaxFile): { config: OctoConfig; notes: string[] } {
  const names = [...file.tensors.keys()]
  const isThere = (group: string) =>
    names.some((name) =>
      [`obs_${group}_projection/`, `obs_${group}_pos_embedding`, `observation_tokenizers_${group}/`].some((part) =>
        name.startsWith(`${OCTO}/${part}`),
      ),
    )
  const cameras = config.cameras.filter(({ name }) => isThere(name))
  const proprio = config.proprio && isThere(config.proprio.name) ? config.proprio : undefined
  const kept = [...cameras, proprio]
  const absent = [...config.cameras, config.proprio].flatMap((part) => (part && !kept.includes(part) ? part.name : []))
  if (absent.length === 0 || cameras.length === 0) return { config, notes: [] }
  return { config: { ...config, cameras, proprio }, notes: [`it was trained without ${absent.join(', ')}.`] }
}

/**
 * The checkpoint of the largest step that was saved whole; a killed save leaves an empty folder or half a file.
 * @throws InputError if there is none, or the newest is one of newer orbax
 */
async function openNewest(folder: string): Promise<{ file: FlaxFile; notes: string[] }> {
  const entries = await readdir(folder).catch(() => [])
  const steps = entries.filter((name) => STEP.test(name)).sort((a, b) => stepOf(b) - stepOf(a))
  const broken: { step: string; error: InputError }[] = []
  for (const step of steps) {
    const inside = await holderOf(join(folder, step))
    await refuseParts(inside)
    try {
      const file = await openFlax(await requireWhole(join(inside, 'checkpoint')))
      const later = broken.map((each) => each.step).join(', ')
      return { file, notes: later ? [`step ${step} is read, as ${later} was not saved whole.`] : [] }
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      broken.push({ step, error })
    }
  }
  throw (
    broken[0]?.error ??
    new InputError(folder, 'has no folder named by a training step', 'Give the folder of a published Octo model')
  )
}

/** A step's folder; savers other than orbax's manager put a word before the number. */
const STEP = /^(?:(?:checkpoint|step)[_-])?(\d+)$/
const stepOf = (name: string): number => Number(STEP.exec(name)![1])

/** Where in a step's folder its parameters are: orbax's manager calls them `default`, its savers alone call them nothing. */
async function holderOf(step: string): Promise<string> {
  return (await isFile(join(step, 'checkpoint'))) ? step : join(step, 'default')
}

async function requireWhole(path: string): Promise<string> {
  if (await isFile(path)) return path
  if (await isFile(path + PARTIAL))
    throw new InputError(path, 'was not fetched whole', 'Run `duet pull` again: it goes on where it stopped')
  throw new InputError(path, 'is missing', 'Download it again')
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false

/** @throws InputError if a step was saved by newer orbax */
async function refuseParts(inside: string): Promise<void> {
  const parts = await readdir(inside).catch(() => [])
  if (parts.length === 0 || parts.some((name) => name.startsWith('checkpoint'))) return
  throw new InputError(
    inside,
    'holds a folder for each parameter, as newer versions of orbax write them',
    'Save the model as one msgpack file, `checkpoint`: flax.serialization.msgpack_serialize(params)',
  )
}
