/** @file SmolVLA against the reference implementation: every tensor of the golden folders, from pixels to h and to actions. */
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { describeSets } from '../fixture-sets.ts'
import { type Golden, readGolden, relativeError } from './golden/compare.ts'
import { type Computed, computeSmolVla } from './golden/smolvla.ts'

const TOLERANCE = 5e-5

/** Where blocks of tokens begin: our graph only has what follows from it, att_2d. */
const NOT_COMPUTED = 'prefix.att_mask'

describeSets('smolvla', async ({ folder }) => {
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  const present = golden['prefix.pad_mask']!
  let computed: Computed
  beforeAll(async () => {
    computed = await computeSmolVla(folder)
  })

  it.each(Object.keys(golden).filter((name) => name !== NOT_COMPUTED))('%s', (name) => {
    expect(relativeError(computed[name]!, golden[name]!, counted(name, golden[name]!))).toBeLessThan(TOLERANCE)
  })

  /** Nobody reads hidden states, keys and values of absent tokens. */
  function counted(name: string, { shape }: Golden): ((index: number) => boolean) | undefined {
    const tokens = present.shape[1]!
    if (/^prefix\.(hidden|attn|final)/.test(name))
      return (index) => present.data[Math.floor(index / shape.at(-1)!)] === 1
    if (!name.startsWith('cache.')) return undefined
    const [, batch, heads, , size] = shape as [number, number, number, number, number]
    return (index) => {
      const token = Math.floor(index / size) % tokens
      const row = Math.floor(index / (size * tokens * heads)) % batch
      return present.data[row * tokens + token] === 1
    }
  }
})
