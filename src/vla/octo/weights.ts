/** @file Octo's published files, checked against the plan before anything large is read; the weights stay in their file. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { openFlax } from '../../formats/flax-msgpack.ts'
import { requireTensors } from '../../formats/tensor-file.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { storedTensors } from '../files.ts'
import { type OctoConfig, readOctoConfig } from './config.ts'
import { octoPlan, T5_NAMES, tokensOf } from './plan.ts'

export type OctoWeights = {
  config: OctoConfig
  tokens: Readonly<Record<string, number>> // by camera
  parameters: Parameters // leaves that point into the file
  t5Folder: string // with the tokenizer
  path: string // of the weights
  /** Rows of T5's embedding table, [ids, width]. */
  embed(ids: ArrayLike<number>): Promise<Float32Array>
  close(): Promise<void>
}

/**
 * Opens the published files in `folder`. @throws InputError or ShapeError that names the first parameter which is
 * missing, of another shape, of integers, or unknown
 */
export async function openOcto(folder: string): Promise<OctoWeights> {
  const { config, t5Folder } = await readOctoConfig(folder)
  const path = await findCheckpoint(folder)
  const file = await openFlax(path)
  try {
    const tokens = tokensOf(config, (name) => file.tensors.get(name)?.shape, path)
    const plan = octoPlan(config, tokens)
    const foreign = [...requireTensors(file, plan), ...file.values.keys()][0]
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
      parameters: await storedTensors(file, plan),
      t5Folder,
      path,
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

/** `<step>/default/checkpoint` of the largest step. @throws InputError if there is none, or one of newer orbax */
async function findCheckpoint(folder: string): Promise<string> {
  const entries = await readdir(folder).catch(() => [])
  const step = entries.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a))[0]
  if (step === undefined)
    throw new InputError(folder, 'has no folder named by a training step', 'Give the folder of a published Octo model')
  const inside = join(folder, step, 'default')
  const path = join(inside, 'checkpoint')
  if ((await stat(path).catch(() => undefined))?.isFile()) return path
  const parts = await readdir(inside).catch(() => [])
  if (parts.length > 0)
    throw new InputError(
      inside,
      'holds a folder for each parameter, as newer versions of orbax write them',
      'Save the model as one msgpack file, `checkpoint`: flax.serialization.msgpack_serialize(params)',
    )
  throw new InputError(path, 'is missing', 'Download it again')
}
