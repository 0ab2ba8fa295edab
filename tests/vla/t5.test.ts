/** @file T5's published sizes, and what is refused; the golden numbers are in t5-fixtures.test.ts. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts'
import { flaxNames, t5Plan } from '../../src/nets/t5.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { allCommands } from '../../src/talk/vocabulary.ts'
import { t5CommandTable } from '../../src/vla/t5/command-table.ts'
import { T5_PUBLISHED, t5Sizes } from '../../src/vla/t5/config.ts'
import { openT5, T5TextEncoder } from '../../src/vla/t5/encoder.ts'

const fixtures = resolve(import.meta.dirname, '../fixtures')
const count = (plan: Record<string, number[]>) =>
  Object.values(plan).reduce((total, shape) => total + shape.reduce((a, b) => a * b), 0)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duet-t5-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A copy of a golden checkpoint with its tokenizer, to be damaged. */
async function copy(version: 'v1_0' | 'v1_1'): Promise<string> {
  const at = await mkdtemp(join(folder, `${version}-`))
  for (const file of ['config.json', 'model.safetensors']) await cp(join(fixtures, 't5', version, file), join(at, file))
  await cp(join(fixtures, 'tokenizer_unigram', 'spiece.model'), join(at, 'spiece.model'))
  return at
}

async function edit(at: string, change: (config: Record<string, unknown>) => void): Promise<string> {
  const path = join(at, 'config.json')
  const config = JSON.parse(await readFile(path, 'utf8'))
  change(config)
  await writeFile(path, JSON.stringify(config))
  return at
}

describe('the published sizes', () => {
  it('have the parameters that the reference counts, by either naming', () => {
    expect(count(t5Plan(T5_PUBLISHED['t5-base']!))).toBe(109_628_544)
    expect(count(t5Plan(T5_PUBLISHED['t5-small']!))).toBe(35_330_816)
    expect(count(t5Plan(T5_PUBLISHED['t5-base']!, flaxNames('hf_model/')))).toBe(109_628_544)
  })

  it('have the names and shapes of the files', () => {
    const hub = t5Plan(T5_PUBLISHED['t5-v1_1-small']!)
    expect(hub['encoder.block.7.layer.0.SelfAttention.o.weight']).toEqual([512, 384])
    expect(hub['encoder.block.0.layer.1.DenseReluDense.wi_1.weight']).toEqual([1024, 512])
    expect(hub['encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight']).toBeUndefined()
    const flax = t5Plan(T5_PUBLISHED['t5-base']!, flaxNames('a/'))
    expect(flax['a/encoder/block/11/layer/1/DenseReluDense/wi/kernel']).toEqual([768, 3072])
    expect(flax['a/shared/embedding']).toEqual([32128, 768])
    expect(flax['a/encoder/final_layer_norm/weight']).toEqual([768])
  })

  it('follow from a config.json that leaves out what the first T5 had', () => {
    const json = {
      model_type: 't5',
      d_model: 512,
      d_kv: 64,
      d_ff: 2048,
      num_layers: 6,
      num_heads: 8,
      vocab_size: 32128,
    }
    expect(t5Sizes(json, 'config.json')).toEqual(T5_PUBLISHED['t5-small'])
    expect(() => t5Sizes({ ...json, d_kv: 0 }, 'config.json')).toThrow('config.json: d_kv')
    expect(() => t5Sizes({ ...json, model_type: 'bert' }, 'config.json')).toThrow('config.json: model_type')
    expect(() => t5Sizes({ ...json, feed_forward_proj: 'gated-silu' }, 'c')).toThrow('c: feed_forward_proj')
  })
})

describe('commands', () => {
  it('are embedded by T5 once; the table is all that stays', async () => {
    const at = await copy('v1_0')
    const table = await t5CommandTable(at, ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 1 }).commands)
    expect(Object.keys(table)).toEqual(allCommands())
    const encoder = await T5TextEncoder.load(at, { threads: 1 })
    expect(encoder.width).toBe(40)
    expect(table['move right and forward']).toEqual(await encoder.encode('move right and forward'))
    expect(table['move left']).not.toEqual(table['move right'])
    expect(await encoder.encode('move left')).toBe(await encoder.encode('move left'))
    await encoder.close()
  })

  it('may be long: what is beyond 512 tokens is cut', async () => {
    const encoder = await T5TextEncoder.load(await copy('v1_1'), { threads: 1 })
    const vector = await encoder.encode('move left and '.repeat(400))
    expect(vector.every(Number.isFinite)).toBe(true)
    await encoder.close()
  })
})

describe('refusal', () => {
  const refused = async (at: string, message: string | RegExp) => {
    await expect(openT5(at)).rejects.toThrow(message)
  }

  it('names what is missing', async () => {
    await expect(openT5(join(folder, 'absent'))).rejects.toThrow(InputError)
    await refused(join(folder, 'absent'), 'config.json: cannot be read')
    const at = await copy('v1_0')
    await rm(join(at, 'model.safetensors'))
    await refused(at, 'has no model.safetensors')
  })

  it('names what does not belong together', async () => {
    await refused(await edit(await copy('v1_1'), (c) => delete c.feed_forward_proj), 'has gated feed-forward layers')
    await refused(await edit(await copy('v1_0'), (c) => (c.d_ff = 95)), /wi.weight" is \[96,40\], expected \[95,40\]/)
    await refused(await edit(await copy('v1_0'), (c) => (c.num_layers = 4)), 'has no tensor "encoder.block.3')
    await refused(await edit(await copy('v1_0'), (c) => (c.num_layers = 2)), 'encoder.block.2')
  })

  it('comes before the weights are read, also of integers and of a tokenizer with too many ids', async () => {
    const at = await copy('v1_0')
    const path = join(at, 'model.safetensors')
    const { tensors } = await readSafetensors(path)
    const name = 'encoder.final_layer_norm.weight'
    await writeSafetensors(path, { ...tensors, [name]: { dtype: 'I32', shape: [40], data: new Int32Array(40) } })
    await refused(at, `tensor "${name}": is I32`)
    const words = { dtype: 'F32', shape: [200, 40], data: new Float32Array(8000) } as const
    await writeSafetensors(path, { ...tensors, 'shared.weight': words })
    await edit(at, (c) => (c.vocab_size = 200))
    await expect(T5TextEncoder.load(at)).rejects.toThrow('has a tokenizer of 255 ids and an embedding of 200 rows')
  })

  it('takes an embedding that is named by its place', async () => {
    const at = await copy('v1_0')
    const path = join(at, 'model.safetensors')
    const { 'shared.weight': words, ...tensors } = (await readSafetensors(path)).tensors
    await writeSafetensors(path, { ...tensors, 'encoder.embed_tokens.weight': words! })
    const moved = await openT5(at)
    const original = await openT5(await copy('v1_0'))
    expect(await moved.embed([5, 0, 266])).toEqual(await original.embed([5, 0, 266]))
    await expect(moved.embed([267])).rejects.toThrow('has no row 267')
    await moved.close()
    await original.close()
  })
})
