/**
 * @file SmolVLA's published files, checked against the plan before anything large is read; the weights stay in their
 * file. Only what h needs is demanded. A LoRA finetune is merged into its base.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import { requireTensors, type TensorFile } from '../../formats/tensor-file.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { fileHash, findCompanion, policyAs, storedTensors } from '../files.ts'
import { type Adapter, type Merged, merge, openAdapter } from '../lora/adapter.ts'
import { ADAPTER_CONFIG } from '../lora/config.ts'
import { readSmolVlaConfig, type SmolVlaConfig } from './config.ts'
import { readPipeline } from './pipeline.ts'
import { CONNECTOR, embeddingPlan, smolVlaPlan, TEXT, type TensorPlan, VISION, WORDS } from './plan.ts'
import type { StatisticsSource } from './statistics.ts'

export type SmolVlaWeights = StatisticsSource & {
  config: SmolVlaConfig
  layer: number // whose keys and values make h
  /** Leaves that point into the file: all that h needs, and what else of the network is there. */
  parameters: Parameters
  vlmFolder: string // with the tokenizer
  path: string // of the weights
  notes: readonly string[]
  /** Of all that the weights are made of. */
  hash(): Promise<string>
  /** Rows of the embedding table, [ids, width]. */
  embed(ids: ArrayLike<number>): Promise<Float32Array>
  close(): Promise<void>
}

/**
 * Opens the published files in `folder`; `layer` is by default the last. @throws InputError or ShapeError that names the
 * first tensor which h needs and which is missing, of another shape or of integers, or one of another network
 */
export async function openSmolVla(folder: string, { layer: asked }: { layer?: number } = {}): Promise<SmolVlaWeights> {
  const adapter = await openAdapter(folder)
  let file: TensorFile | undefined
  try {
    const base = adapter ? await baseOf(adapter) : folder
    const { config, vlmFolder } = await readSmolVlaConfig(folder, base)
    const layer = asked ?? config.text.layers - 1
    if (!(layer < config.text.layers))
      throw new InputError('setting "vlaLayer"', `is ${layer}`, `Layers are 0..${config.text.layers - 1}`)
    const whole = smolVlaPlan(config)
    const needed = embeddingPlan(config, layer)
    file = await openSafetensors(base)
    const merged = await mergedWith(adapter, byPlan(file, whole), whole)
    requireKnown(merged.file, needed, whole)
    return {
      config,
      layer,
      parameters: await merged.parameters({ ...needed, ...presentOf(merged.file, whole) }),
      pipeline: (await readPipeline(folder)) ?? (adapter && (await readPipeline(base))),
      file: merged.file,
      vlmFolder,
      path: file.path,
      notes: adapter ? [adapterLine(adapter, merged.changes(needed), base)] : [],
      hash: () => hashOf(file!, adapter),
      async embed(ids) {
        const rows = new Float32Array(ids.length * config.text.width)
        for (let i = 0; i < ids.length; i++) rows.set(await merged.row(WORDS, ids[i]!), i * config.text.width)
        return rows
      },
      close: () => merged.file.close(),
    }
  } catch (error) {
    await Promise.all([file?.close(), adapter?.file.close()])
    throw error
  }
}

/** The folder of the model that an adapter was trained on. @throws InputError if it is not here */
async function baseOf({ folder, config }: Adapter): Promise<string> {
  const where = join(folder, ADAPTER_CONFIG)
  const second = policyAs('base')
  if (config.base === undefined && !existsSync(join(folder, second.alias)))
    throw new InputError(
      where,
      'names no base_model_name_or_path',
      `Put the model that it was trained on into ${join(folder, second.alias)}`,
    )
  return findCompanion([folder], second, config.base ?? second.alias, { where, revision: config.revision })
}

/** What `merge` gives, of weights without an adapter too. */
async function mergedWith(adapter: Adapter | undefined, file: TensorFile, whole: TensorPlan): Promise<Merged> {
  if (adapter) return merge(file, adapter, Object.keys(whole))
  return {
    file,
    parameters: (plan) => storedTensors(file, plan),
    row: (name, row) => file.readRow(name, row),
    changes: () => 0,
  }
}

const adapterLine = ({ folder, config }: Adapter, changes: number, base: string): string =>
  changes > 0
    ? `LoRA: ${changes} of the tensors that h is made of are merged from ${folder} into ${config.base ?? 'its base'}, ${base}`
    : `LoRA: ${folder} changes none of the tensors that h is made of; h is that of ${config.base ?? 'its base'}, ${base}`

async function hashOf(file: TensorFile, adapter: Adapter | undefined): Promise<string> {
  const paths = [file.path, ...(adapter ? [adapter.file.path, join(adapter.folder, ADAPTER_CONFIG)] : [])]
  return (await Promise.all(paths.map(fileHash))).join('+')
}

/** What wrappers add to their tensors' names: compiled models, and those that several devices trained. */
const WRAPPERS = /\b_orig_mod\.|^module\./g

/** The file by the plan's names, whatever it was wrapped in or cut out of: `policy.model.state_proj`, `state_proj`. */
function byPlan(file: TensorFile, whole: TensorPlan): TensorFile {
  const bare = [...file.tensors.keys()].map((key) => ({ key, name: key.replace(WRAPPERS, '') }))
  const original = new Map(bare.map(({ key, name }) => [name, key]))
  for (const { key, name } of bare) {
    const planned = plannedName(name, whole)
    if (planned === name || planned === undefined || original.has(planned)) continue
    original.set(planned, key)
    original.delete(name)
  }
  const back = (name: string) => original.get(name) ?? name
  return {
    ...file,
    tensors: new Map([...original].map(([name, key]) => [name, file.tensors.get(key)!])),
    read: (name, into) => file.read(back(name), into),
    readRow: (name, row) => file.readRow(back(name), row),
    readBytes: (name) => file.readBytes(back(name)),
    place: (name) => file.place(back(name)),
  }
}

/** The name itself, or with other modules around it. */
function plannedName(name: string, whole: TensorPlan): string | undefined {
  const inside = name.split('.').map((_, i, parts) => parts.slice(i).join('.'))
  return inside.flatMap((rest) => [rest, `model.${rest}`]).find((each) => Object.hasOwn(whole, each))
}

/** Tables that a network computes for itself, and that some versions of its library saved. */
const COMPUTED = /\.(?:position_ids|inv_freq)$/

/** What h passes through; elsewhere a policy may have what it likes. */
const WAY_OF_H = [VISION, CONNECTOR, TEXT].map((name) => `${name}.`)

/** A tensor on the way of h that the plan lacks means another network; others (heads, old statistics) are none of ours. */
function requireKnown(file: TensorFile, needed: TensorPlan, whole: TensorPlan): void {
  const others = requireTensors(file, needed).filter((name) => !Object.hasOwn(whole, name))
  const foreign = others.find((name) => WAY_OF_H.some((start) => name.startsWith(start)) && !COMPUTED.test(name))
  if (foreign !== undefined)
    throw new InputError(
      `${file.path}, tensor "${foreign}"`,
      'is not part of a SmolVLA policy of these sizes',
      'Take the config.json that belongs to the weights',
    )
}

const MAPPABLE = ['F32', 'F16', 'BF16']

/** The part of a plan that the file has, in its shapes and as weights; h needs none of it. */
function presentOf(file: TensorFile, plan: TensorPlan): TensorPlan {
  const present = Object.entries(plan).filter(([name, shape]) => {
    const entry = file.tensors.get(name)
    return entry && entry.shape.join() === shape.join() && MAPPABLE.includes(entry.dtype) && file.place(name)
  })
  return Object.fromEntries(present)
}
