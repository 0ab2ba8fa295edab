/**
 * @file A LoRA finetune on top of its base: W + s B A, with all of them in their files. Linear layers never make the
 * sum (x Wᵀ + s (x Aᵀ) Bᵀ, see `linear`); where a tensor is read otherwise, the runtime adds it up when it loads.
 * Tensors that the adapter saved whole take the place of the base's.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, ShapeError } from '../../errors.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import { elements, requireTensors, type TensorFile } from '../../formats/tensor-file.ts'
import { add, constant, matmul, mul, reshape, type Tensor, transpose } from '../../graph/index.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { storedTensors } from '../files.ts'
import { ADAPTER_CONFIG, type AdapterConfig, readAdapterConfig } from './config.ts'

const WEIGHTS = 'adapter_model.safetensors'
const SHARDS = 'adapter_model.safetensors.index.json'
const PICKLED = 'adapter_model.bin'
const FULL = ['model.safetensors', 'model.safetensors.index.json']

/** Tensors of the adapter's file that change one tensor of the base. */
type Change = { module: string; a?: string; b?: string; magnitude?: string; saved?: string; embedding?: boolean }

export type Adapter = {
  folder: string
  config: AdapterConfig
  file: TensorFile
}

/** Opens the adapter in `folder`; undefined if there is none. @throws InputError if it is incomplete, or stands beside whole weights */
export async function openAdapter(folder: string): Promise<Adapter | undefined> {
  const has = async (name: string) => (await stat(join(folder, name)).catch(() => undefined))?.isFile() === true
  const [described, whole, shards, pickled] = await Promise.all([ADAPTER_CONFIG, WEIGHTS, SHARDS, PICKLED].map(has))
  const weighed = whole || shards
  if (!described && !weighed) return undefined
  const lacking = (name: string, remedy: string) => new InputError(folder, `is a LoRA adapter without ${name}`, remedy)
  if (!described) throw lacking(ADAPTER_CONFIG, 'Take the file that was published with the adapter')
  for (const full of FULL)
    if (await has(full))
      throw new InputError(
        folder,
        `has a LoRA adapter (${ADAPTER_CONFIG}) and whole weights (${full}), and either may be meant`,
        `Move the adapter away if it is merged already, or else the whole weights`,
      )
  if (!weighed)
    throw lacking(WEIGHTS, pickled ? `${PICKLED} is a program: save it as safetensors` : 'Download it again')
  const config = await readAdapterConfig(folder)
  return { folder, config, file: await openSafetensors(join(folder, whole ? WEIGHTS : SHARDS)) }
}

export type Merged = {
  /** The base, with the tensors that the adapter saved whole in place of its own. Others are those of the base alone. */
  file: TensorFile
  /** Graph leaves and sums for the tensors of `plan`, and for linear layers the parts that stand in for the sums. */
  parameters(plan: Readonly<Record<string, readonly number[]>>): Promise<Parameters>
  /** A row of a table, with the adapter's change. */
  row(name: string, row: number): Promise<Float32Array>
  /** How many tensors of a plan the adapter changes. */
  changes(plan: Readonly<Record<string, unknown>>): number
}

/**
 * `known`: all tensors that the whole network may have; of what the base's file lacks nothing is needed here.
 * @throws InputError or ShapeError naming the adapter's tensor, if it fits neither the base nor its config
 */
export async function merge(base: TensorFile, adapter: Adapter, known: readonly string[]): Promise<Merged> {
  const changes = changesOf(adapter, new Set([...base.tensors.keys(), ...known]))
  for (const [name, change] of changes) requireFit(name, change, base, adapter)
  const file = withSaved(base, adapter.file, changes)
  const factors = factorsOf(adapter)
  return {
    file,
    async parameters(plan) {
      const leaves = await storedTensors(file, plan)
      const all: Record<string, Tensor> = {}
      for (const [name, leaf] of Object.entries(leaves)) {
        const change = changes.get(name)
        Object.assign(all, change?.a === undefined ? { [name]: leaf } : await tuned(name, leaf, change, adapter, file))
      }
      return all
    },
    async row(name, row) {
      const values = await file.readRow(name, row)
      const change = changes.get(name)
      return change?.a === undefined ? values : addTo(values, row, change, await factors(change))
    },
    changes: (plan) => Object.keys(plan).filter((name) => changes.has(name)).length,
  }
}

/** Both factors in memory, [r, in] and [out, r]: read once. */
type Factors = { a: Float32Array; b: Float32Array; rank: number; scale: number }

function factorsOf({ file, config }: Adapter): (change: Change) => Promise<Factors> {
  const known = new Map<Change, Promise<Factors>>()
  return (change) => {
    const found = known.get(change)
    if (found) return found
    const read = Promise.all([file.read(change.a!), file.read(change.b!)])
    const made = read.then(([a, b]) => ({ a, b, ...config.of(change.module) }))
    known.set(change, made)
    return made
  }
}

/** Adds a row's change to its values. An embedding's delta is (B A)ᵀ, with A [r, rows] and B [width, r]. */
function addTo(
  values: Float32Array<ArrayBuffer>,
  row: number,
  { embedding }: Change,
  { a, b, rank, scale }: Factors,
): Float32Array<ArrayBuffer> {
  const columns = embedding ? a.length / rank : values.length
  for (let j = 0; j < values.length; j++) {
    const [down, up] = embedding ? [row, j] : [j, row]
    let delta = 0
    for (let k = 0; k < rank; k++) delta += b[up * rank + k]! * a[k * columns + down]!
    values[j]! += scale * delta
  }
  return values
}

/** What takes the place of a tensor of the base: the sum, and the parts that a linear layer reads in its stead. */
async function tuned(
  name: string,
  frozen: Tensor,
  change: Change,
  adapter: Adapter,
  base: TensorFile,
): Promise<Record<string, Tensor>> {
  const { module, a, b, magnitude, embedding } = change
  const { rank, scale } = adapter.config.of(module)
  const shapes = Object.fromEntries([a!, b!].map((part) => [part, shapeOf(adapter.file, part)]))
  const leaves = await storedTensors(adapter.file, shapes)
  const down = reshape(leaves[a!]!, [rank, -1])
  const up = mul(reshape(leaves[b!]!, [-1, rank]), scale)
  const product = matmul(up, down)
  const sum = add(frozen, reshape(embedding ? transpose(product, [1, 0]) : product, frozen.shape))
  const layer = name.replace(/\.weight$/, '')
  if (frozen.shape.length !== 2 || embedding) return { [name]: sum }
  const parts = { [`${layer}.frozen`]: frozen, [`${layer}.down`]: down, [`${layer}.up`]: up }
  if (magnitude === undefined) return { [name]: sum, ...parts }
  const stretch = constant(await stretches(name, change, adapter, base))
  return { [name]: mul(sum, reshape(stretch, [-1, 1])), ...parts, [`${layer}.stretch`]: stretch }
}

/** m / |row of W + s B A| of each row (DoRA), one row in memory at a time. */
async function stretches(name: string, change: Change, adapter: Adapter, base: TensorFile): Promise<Float32Array> {
  const factors = await factorsOf(adapter)(change)
  const lengths = await adapter.file.read(change.magnitude!)
  for (const [row, length] of lengths.entries()) {
    const values = addTo(await base.readRow(name, row), row, change, factors)
    lengths[row] = length / Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  }
  return lengths
}

const shapeOf = (file: TensorFile, name: string): readonly number[] => file.tensors.get(name)!.shape

const PREFIX = /^(?:module\.)?base_model\.model\./

/** Parts of names that PEFT's wrappers add, and compiled models. */
const WRAPPERS = /^module\.|\.base_layer(?=\.)|\.modules_to_save(?:\.default)?(?=\.)|_orig_mod\./g

const PARTS: readonly [RegExp, keyof Change][] = [
  [/\.lora_(?:embedding_)?A(?:\.[\w-]+?)?(?:\.weight)?$/, 'a'],
  [/\.lora_(?:embedding_)?B(?:\.[\w-]+?)?(?:\.weight)?$/, 'b'],
  [/\.lora_magnitude_vector(?:\.[\w-]+?)?(?:\.weight)?$/, 'magnitude'],
]

/** By name of the base's tensor. @throws InputError on a tensor that changes nothing of the base */
function changesOf({ file, config }: Adapter, known: ReadonlySet<string>): Map<string, Change> {
  const changes = new Map<string, Change>()
  for (const name of file.tensors.keys()) {
    if (name.includes('.original_module.')) continue // the base's own, kept beside one that was saved whole
    const own = name.replace(PREFIX, '').replace(WRAPPERS, '')
    const part = PARTS.find(([ending]) => ending.test(own))
    const module = part ? own.replace(part[0], '') : own.replace(/\.\w+$/, '')
    const target = resolve(part ? `${module}.weight` : own, known)
    if (target === undefined)
      throw new InputError(
        `${file.path}, tensor "${name}"`,
        'changes nothing that its base has',
        `Take the base that ${ADAPTER_CONFIG} names${config.base ? `, ${config.base}` : ''}`,
      )
    const change = changes.get(target) ?? { module }
    const field = part?.[1] ?? 'saved'
    if (change[field] !== undefined)
      throw new InputError(
        `${file.path}, tensor "${name}"`,
        `changes ${target}, as "${change[field]}" does`,
        'Save each adapter in a folder of its own, and give the one that is meant',
      )
    changes.set(target, {
      ...change,
      [field]: name,
      ...(own.includes('.lora_embedding_') ? { embedding: true } : {}),
    })
  }
  if (changes.size === 0) throw new InputError(file.path, 'has no tensors', 'Download it again')
  return changes
}

/** The base's name of a tensor: the same, or the only one that ends so, as an adapter may wrap a part of the network. */
function resolve(name: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(name)) return name
  const [only, ...others] = [...known].filter((each) => each.endsWith(`.${name}`))
  return others.length === 0 ? only : undefined
}

/** @throws InputError or ShapeError if a change is incomplete, or of other sizes than base and config say */
function requireFit(name: string, change: Change, base: TensorFile, { file, config }: Adapter): void {
  const where = (part: string) => `${file.path}, tensor "${part}"`
  const { a, b, magnitude, saved, module } = change
  if (saved !== undefined && a === undefined && b === undefined) return
  if (a === undefined || b === undefined || saved !== undefined)
    throw new InputError(
      where((a ?? b ?? magnitude ?? saved)!),
      saved === undefined ? 'stands without the other factor of its product' : 'changes what was saved whole',
      'Download the adapter again',
    )
  const { rank } = config.of(module)
  const shape = base.tensors.get(name)?.shape // of no tensor that is needed here
  const [first = 1, ...rest] = shape ?? []
  const [rows, columns] = change.embedding ? [elements(rest), first] : [first, elements(rest)]
  const [down, up] = [shapeOf(file, a), shapeOf(file, b)]
  const fix = `${ADAPTER_CONFIG} and the weights belong to different adapters, or to another base`
  if (down[0] !== rank || (shape && elements(down) !== rank * columns))
    throw new ShapeError(where(a), down, [rank, shape ? columns : '...'], fix)
  if (elements(up.slice(1)) !== rank || (shape && up[0] !== rows))
    throw new ShapeError(where(b), up, [shape ? rows : '...', rank], fix)
  if (config.magnitudes !== (magnitude !== undefined))
    throw new InputError(
      where(magnitude ?? a),
      magnitude === undefined ? 'has no magnitude vector, use_dora is true' : 'is of DoRA, use_dora is not true',
      `Take the ${ADAPTER_CONFIG} that belongs to the weights`,
    )
  if (magnitude !== undefined && shape && (shape.length !== 2 || change.embedding))
    throw new InputError(where(magnitude), 'is of DoRA on a convolution or embedding', 'Merge it where it was trained')
  if (magnitude !== undefined && shape && elements(shapeOf(file, magnitude)) !== rows)
    throw new ShapeError(where(magnitude), shapeOf(file, magnitude), [rows], fix)
  const floats = magnitude === undefined ? [a, b] : [a, b, magnitude]
  requireTensors(file, Object.fromEntries(floats.map((part) => [part, shapeOf(file, part)])))
}

/** The base with the adapter's whole tensors in place of its own. */
function withSaved(base: TensorFile, adapter: TensorFile, changes: ReadonlyMap<string, Change>): TensorFile {
  const saved = new Map<string, string>()
  for (const [name, { saved: from }] of changes) if (from !== undefined) saved.set(name, from)
  const tensors = new Map(base.tensors)
  for (const [name, from] of saved) tensors.set(name, adapter.tensors.get(from)!)
  const of = (name: string) => {
    const from = saved.get(name)
    return from === undefined ? { file: base, name } : { file: adapter, name: from }
  }
  return {
    path: base.path,
    tensors,
    read: (name, into) => of(name).file.read(of(name).name, into),
    readRow: (name, row) => of(name).file.readRow(of(name).name, row),
    readBytes: (name) => of(name).file.readBytes(of(name).name),
    place: (name) => of(name).file.place(of(name).name),
    async close() {
      await Promise.all([base.close(), adapter.close()])
    },
  }
}
