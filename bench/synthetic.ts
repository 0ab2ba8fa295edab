/** @file Checkpoints of full size with random weights, in the published layout: names, shapes and dtypes of the real ones. */
import { cp, type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { RandomStream } from '../src/random/stream.ts'
import { parseOctoConfig } from '../src/vla/octo/config.ts'
import { octoPlan } from '../src/vla/octo/plan.ts'
import { parseSmolVlaConfig } from '../src/vla/smolvla/config.ts'
import { smolVlaPlan } from '../src/vla/smolvla/plan.ts'

const FIXTURES = resolve(import.meta.dirname, '../tests/fixtures')
const BLOCK = 1_000_003 // numbers drawn; a prime

const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** The sizes of lerobot/smolvla_base and HuggingFaceTB/SmolVLM2-500M-Video-Instruct. */
const SMOLVLA_BASE = {
  type: 'smolvla',
  input_features: {
    'observation.state': { type: 'STATE', shape: [6] },
    ...Object.fromEntries(
      [1, 2, 3].map((i) => [`observation.images.camera${i}`, { type: 'VISUAL', shape: [3, 256, 256] }]),
    ),
  },
  output_features: { action: { type: 'ACTION', shape: [6] } },
  num_vlm_layers: 16,
  vlm_model_name: 'vlm',
}

const SMOLVLM2_500M = {
  scale_factor: 4,
  text_config: {
    hidden_size: 960,
    intermediate_size: 2560,
    num_hidden_layers: 32,
    num_attention_heads: 15,
    num_key_value_heads: 5,
    head_dim: 64,
    vocab_size: 49280,
    rms_norm_eps: 1e-5,
  },
  vision_config: { hidden_size: 768, image_size: 512, patch_size: 16, num_attention_heads: 12 },
}

/** Tensors that the base policy stores in single precision; the others are bfloat16. */
const SINGLE = /^model\.(state|action_in|action_out)_proj|^model\.action_time|lm_expert.*\.[kv]_proj/

/** Writes a policy of the base's size, with the tiny tokenizer of the fixtures. Returns the number of parameters. */
export async function writeSmolVla(folder: string): Promise<number> {
  const plan = smolVlaPlan(parseSmolVlaConfig(SMOLVLA_BASE, SMOLVLM2_500M, 'synthetic policy'))
  await mkdir(folder, { recursive: true })
  await cp(join(FIXTURES, 'smolvla/vlm'), join(folder, 'vlm'), { recursive: true })
  await writeFile(join(folder, 'vlm/config.json'), JSON.stringify(SMOLVLM2_500M))
  await writeFile(join(folder, 'config.json'), JSON.stringify(SMOLVLA_BASE))

  const odd = (name: string) => Number(/layers\.(\d+)\./.exec(name)?.[1] ?? 1) % 2 === 1
  const single = (name: string) => SINGLE.test(name) && odd(name)
  const tensors = Object.entries(plan).map(([name, shape]) => ({
    name,
    shape,
    bytes: single(name) ? (4 as const) : (2 as const),
  }))
  let offset = 0
  const header = tensors.map(({ name, shape, bytes }) => {
    const from = offset
    offset += bytes * elements(shape)
    return [name, { dtype: bytes === 4 ? 'F32' : 'BF16', shape, data_offsets: [from, offset] }]
  })
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const file = await open(join(folder, 'model.safetensors'), 'w')
  const numbers = new Numbers(file)
  await file.writeFile(Buffer.concat([length, json]))
  for (const { name, shape, bytes } of tensors)
    await numbers.write(bytes, elements(shape), sizesOf(name, shape, 'out first'))
  await file.close()
  return Object.values(plan).reduce((sum, shape) => sum + elements(shape), 0)
}

/** The sizes in which octo-small-1.5 differs from the tiny model of the fixtures; what it leaves out are Octo's defaults. */
const OCTO_SMALL = { token_embedding_size: 384, max_horizon: 10 }
const OCTO_SMALL_TRANSFORMER = { num_layers: 12, mlp_dim: 1536, num_attention_heads: 6, dropout_rate: 0 }
const OCTO_SMALL_HEAD = { readout_key: 'readout_action', action_dim: 7, action_horizon: 4 }
const OCTO_SMALL_TOKENS = { primary: 256, wrist: 64 }
const T5_BASE = {
  model_type: 't5',
  d_model: 768,
  d_kv: 64,
  d_ff: 3072,
  num_layers: 12,
  num_heads: 12,
  vocab_size: 32128,
}

/** Writes a model of octo-small's size, with the tiny tokenizer of the fixtures. Returns the number of parameters. */
export async function writeOcto(folder: string): Promise<number> {
  const config = JSON.parse(await readFile(join(FIXTURES, 'octo/config.json'), 'utf8'))
  Object.assign(config.model, OCTO_SMALL, { transformer_kwargs: OCTO_SMALL_TRANSFORMER })
  config.model.heads.action.kwargs = OCTO_SMALL_HEAD
  for (const tokenizer of Object.values(config.model.observation_tokenizers) as { kwargs: { encoder: object } }[])
    Object.assign(tokenizer.kwargs.encoder, { kwargs: {} })
  await mkdir(join(folder, '300000/default'), { recursive: true })
  await cp(join(FIXTURES, 'octo/t5'), join(folder, 't5'), { recursive: true })
  await writeFile(join(folder, 't5/config.json'), JSON.stringify(T5_BASE))
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))

  const plan = octoPlan(parseOctoConfig(config, T5_BASE, 'synthetic model'), OCTO_SMALL_TOKENS)
  const file = await open(join(folder, '300000/default/checkpoint'), 'w')
  await writeTree(file, treeOf(plan), new Numbers(file), '')
  await file.close()
  return Object.values(plan).reduce((sum, shape) => sum + elements(shape), 0)
}

type Tree = Map<string, Tree | readonly number[]>

/** 'a/b/c' as maps in maps. */
function treeOf(plan: Readonly<Record<string, readonly number[]>>): Tree {
  const root: Tree = new Map()
  for (const [name, shape] of Object.entries(plan)) {
    const path = name.split('/')
    let at = root
    for (const part of path.slice(0, -1)) {
      if (!at.has(part)) at.set(part, new Map())
      at = at.get(part) as Tree
    }
    at.set(path.at(-1)!, shape)
  }
  return root
}

/** flax.serialization's msgpack: maps of maps, and arrays as extension values of type 1. */
async function writeTree(file: FileHandle, tree: Tree, numbers: Numbers, within: string): Promise<void> {
  await file.writeFile(Buffer.from([0xde, tree.size >> 8, tree.size & 255])) // map 16
  for (const [key, value] of tree) {
    await file.writeFile(text(key))
    const name = `${within}/${key}`
    if (value instanceof Map) await writeTree(file, value, numbers, name)
    else {
      const size = 4 * elements(value)
      const shape = Buffer.from([0x90 | value.length, ...value.flatMap((extent) => [0xce, ...word(extent)])])
      const payload = Buffer.concat([Buffer.from([0x93]), shape, text('float32'), Buffer.from([0xc6, ...word(size)])])
      await file.writeFile(Buffer.from([0xc9, ...word(payload.length + size), 1])) // ext 32
      await file.writeFile(payload)
      await numbers.write(4, elements(value), sizesOf(name, value, 'in first'))
    }
  }
}

const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const text = (value: string) => Buffer.from([0xd9, Buffer.byteLength(value), ...Buffer.from(value)]) // str 8

/**
 * As layers begin before they are trained, so that every block changes what comes in by as much as it is: norms near 1,
 * biases near 0, and weights whose squares add up to 1 over the inputs of an output.
 */
function sizesOf(name: string, shape: readonly number[], order: 'in first' | 'out first'): Sizes {
  if (/(norm[^/]*\.weight|Norm[^/]*\/scale|layer_norm[^/]*|layernorm[^/]*\.weight)$/i.test(name))
    return { mean: 1, spread: SMALL }
  if (shape.length < 2 || /embed/.test(name)) return { mean: 0, spread: SMALL }
  const outputs =
    order === 'out first' ? shape[0]! : /(query|key|value)\/kernel$/.test(name) ? shape[1]! * shape[2]! : shape.at(-1)!
  return { mean: 0, spread: Math.sqrt(outputs / elements(shape)) }
}

type Sizes = { mean: number; spread: number }
const SMALL = 0.02

/**
 * Random weights for a file, as f32 or bfloat16. Numbers repeat after BLOCK of them, which no size divides: tensors of one
 * shape differ, so that nothing can share them.
 */
class Numbers {
  private at = 0
  private readonly block: Float32Array

  constructor(private readonly file: FileHandle) {
    this.block = new RandomStream(0, 'bench/weights').fillNormal(new Float32Array(BLOCK))
  }

  async write(bytes: 2 | 4, count: number, { mean, spread }: Sizes): Promise<void> {
    for (let left = count; left > 0; ) {
      const part = Math.min(left, BLOCK - this.at)
      const values = new Float32Array(part)
      for (let i = 0; i < part; i++) values[i] = mean + spread * this.block[this.at + i]!
      await this.file.writeFile(bytes === 4 ? new Uint8Array(values.buffer) : upperHalves(values))
      this.at = (this.at + part) % BLOCK
      left -= part
    }
  }
}

/** As bfloat16, cut off. */
function upperHalves(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer)
  const halves = new Uint16Array(bits.length)
  for (let i = 0; i < bits.length; i++) halves[i] = bits[i]! >>> 16
  return new Uint8Array(halves.buffer)
}
