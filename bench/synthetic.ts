/** @file Checkpoints of full size with random weights, in the published layout: names, shapes and dtypes of the real ones. */
import { cp, mkdir, open, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { RandomStream } from '../src/random/stream.ts'
import { parseSmolVlaConfig } from '../src/vla/smolvla/config.ts'
import { smolVlaPlan } from '../src/vla/smolvla/plan.ts'

const FIXTURES = resolve(import.meta.dirname, '../tests/fixtures')
const SPREAD = 0.02 // standard deviation of the weights
const BLOCK = 1 << 20 // numbers drawn; they repeat

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
  const tensors = Object.entries(plan).map(([name, shape]) => ({ name, shape, bytes: single(name) ? 4 : 2 }))
  let offset = 0
  const header = tensors.map(({ name, shape, bytes }) => {
    const from = offset
    offset += bytes * elements(shape)
    return [name, { dtype: bytes === 4 ? 'F32' : 'BF16', shape, data_offsets: [from, offset] }]
  })
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const blocks = randomBlocks()
  const file = await open(join(folder, 'model.safetensors'), 'w')
  await file.writeFile(Buffer.concat([length, json]))
  for (const { shape, bytes } of tensors)
    for (let left = elements(shape); left > 0; left -= BLOCK)
      await file.writeFile(blocks[bytes as 2 | 4].subarray(0, bytes * Math.min(left, BLOCK)))
  await file.close()
  return Object.values(plan).reduce((sum, shape) => sum + elements(shape), 0)
}

/** The same random numbers by bytes a number: bfloat16 and f32. */
export function randomBlocks(): { 2: Uint8Array; 4: Uint8Array } {
  const random = new RandomStream(0, 'bench/weights')
  const values = Float32Array.from({ length: BLOCK }, () => SPREAD * random.normal())
  const words = new Uint32Array(values.buffer)
  const halves = Uint16Array.from(words, (word) => word >>> 16)
  return { 2: new Uint8Array(halves.buffer), 4: new Uint8Array(values.buffer) }
}
