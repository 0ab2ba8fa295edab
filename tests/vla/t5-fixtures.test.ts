/** @file T5 against the reference implementation: every tensor of the golden folders, from tokens to the pooled vector. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { fixedLength, loadTokenizer } from '../../src/formats/tokenizer.ts'
import { compile, input, type Tensor } from '../../src/graph/index.ts'
import { relativeBias, relativeBucket, t5Encoder, t5Pool } from '../../src/nets/t5.ts'
import { openT5, T5TextEncoder } from '../../src/vla/t5/encoder.ts'
import { describeSets } from '../fixture-sets.ts'
import { type Golden, readGolden, relativeError } from './golden/compare.ts'

const TOLERANCE = 5e-5

/** The copies in the repository share one tokenizer. */
const tokenizerFolder = (folder: string) =>
  existsSync(join(folder, 'tokenizer.json')) ? folder : resolve(import.meta.dirname, '../fixtures/tokenizer_unigram')

/** All tensors that the reference noted of one batch of tokens, by their names without the batch's. */
async function compute(folder: string, ids: Golden, mask: Golden): Promise<Record<string, Float32Array>> {
  const weights = await openT5(folder)
  const { sizes, parameters, naming } = weights
  const words = input('words', [...ids.shape, sizes.width])
  const maskInput = input('mask', mask.shape)
  const { attention, hidden, final } = t5Encoder(parameters, sizes, words, maskInput, naming)
  const outputs: Record<string, Tensor> = { attn0: attention, final, pool: t5Pool(final, maskInput) }
  for (const [i, tensor] of hidden.entries()) outputs[i ? `hidden${i}` : 'embed'] = tensor
  outputs.bias16 = relativeBias(
    parameters[naming.table('block.0.layer.0.SelfAttention.relative_attention_bias')]!,
    sizes,
    16,
  )
  const program = await compile({ name: 't5', outputs, threads: 1 })
  program.set('words', await weights.embed(ids.data))
  program.set('mask', mask.data)
  await program.run()
  const results = { ...program.outputs }
  await program.release()
  await weights.close()
  return results
}

describeSets('t5', async ({ folder }) => {
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  const inputs = await readGolden(join(folder, 'inputs.safetensors'))
  const batches = Object.keys(inputs).flatMap((name) => (name.endsWith('.ids') ? [name.slice(0, -4)] : []))
  const computed: Record<string, Float32Array> = {}
  beforeAll(async () => {
    for (const batch of batches) {
      const results = await compute(folder, inputs[`${batch}.ids`]!, inputs[`${batch}.mask`]!)
      for (const [name, values] of Object.entries(results)) computed[`${batch}.${name}`] = values
    }
    computed['rel.bias16'] = computed[`${batches[0]}.bias16`]!
  })

  it.each(Object.keys(golden).filter((name) => !/^rel\.(positions|buckets)$/.test(name)))('%s', (name) => {
    expect(relativeError(computed[name]!, golden[name]!)).toBeLessThan(TOLERANCE)
  })

  it.skipIf(!golden['rel.buckets'])('puts every distance into its bucket', async () => {
    const { sizes, close } = await openT5(folder)
    await close()
    const distances = Array.from(golden['rel.positions']!.data)
    expect(distances.map((distance) => relativeBucket(distance, sizes))).toEqual(
      Array.from(golden['rel.buckets']!.data),
    )
  })

  it('tokenises the texts of the set', async () => {
    const { texts, max_length: length } = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'))
    const tokenizer = await loadTokenizer(tokenizerFolder(folder))
    const rows = (texts as string[]).map((text) =>
      fixedLength(tokenizer.encode(text), length, tokenizer.special.pad!, { truncate: 'right', closing: 1 }),
    )
    expect(rows.flatMap(({ ids }) => Array.from(ids))).toEqual(Array.from(inputs['text.ids']!.data))
    expect(rows.flatMap(({ mask }) => Array.from(mask))).toEqual(Array.from(inputs['text.mask']!.data))
  })

  it('pools the texts that were not cut as the batch does', async () => {
    const { texts, max_length } = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'))
    const tokenizer = await loadTokenizer(tokenizerFolder(folder))
    const encoder = await T5TextEncoder.load(folder, { tokenizer: tokenizerFolder(folder), threads: 1 })
    const { data, shape } = golden['text.pool']!
    let compared = 0
    for (const [row, text] of (texts as string[]).entries()) {
      if (tokenizer.encode(text).length > max_length) continue
      const want = data.subarray(row * shape[1]!, (row + 1) * shape[1]!)
      expect(relativeError(await encoder.encode(text), { ...golden['text.pool']!, data: want })).toBeLessThan(TOLERANCE)
      compared++
    }
    await encoder.close()
    expect(compared).toBeGreaterThan(1)
  })
})

describe('T5 sizes', () => {
  it('put distances beyond the largest into the last bucket, on either side', () => {
    const sizes = { buckets: 32, maxDistance: 128 }
    expect([-1000, -128, -8, -7, 0, 7, 8, 127, 5000].map((distance) => relativeBucket(distance, sizes))).toEqual([
      15, 15, 8, 7, 0, 23, 24, 31, 31,
    ])
  })
})
