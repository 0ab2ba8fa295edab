/** @file SmolVLA against the reference implementation: every tensor of the golden folder, from pixels to actions. */
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { fixtureFolder, type Golden, readGolden, relativeError } from './golden/compare.ts'
import { type Computed, computeSmolVla } from './golden/smolvla.ts'

const TOLERANCE = 5e-5
const folder = fixtureFolder('smolvla', ({ type }) => type === 'smolvla')
const golden = await readGolden(join(folder, 'expected.safetensors'))

/** Given by the tokeniser, or made of the others by the encoder; see their own tests. */
const elsewhere = /^(lang\.|pool\.|h\.)/
/** Which tokens may see which is the masks' business; 1 where the next token's block differs. */
const blocks = 'prefix.att_mask'

describe('SmolVLA, golden tensors', () => {
  let computed: Computed
  beforeAll(async () => {
    computed = await computeSmolVla(folder)
  })

  it.each(Object.keys(golden).filter((name) => !elsewhere.test(name) && name !== blocks))('%s', (name) => {
    expect(relativeError(computed[name]!, golden[name]!, counted(name, golden[name]!))).toBeLessThan(TOLERANCE)
  })

  /** Nobody reads hidden states, keys and values of absent tokens. */
  function counted(name: string, { shape }: Golden): ((index: number) => boolean) | undefined {
    const present = golden['prefix.pad_mask']!.data
    const tokens = golden['prefix.pad_mask']!.shape[1]!
    if (/^prefix\.(hidden|attn|final)/.test(name)) return (index) => present[Math.floor(index / shape.at(-1)!)] === 1
    if (!name.startsWith('cache.')) return undefined
    const [, batch, heads, , size] = shape as [number, number, number, number, number]
    return (index) => {
      const token = Math.floor(index / size) % tokens
      const row = Math.floor(index / (size * tokens * heads)) % batch
      return present[row * tokens + token] === 1
    }
  }
})
