/** @file Octo against the reference implementation: every tensor of the golden folders, from pixels to h and to actions. */
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { describeSets } from '../fixture-sets.ts'
import { readGolden, relativeError } from './golden/compare.ts'
import { type Computed, computeOcto } from './golden/octo.ts'

const TOLERANCE = 5e-5

describeSets('octo', async ({ folder }) => {
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  let computed: Computed
  beforeAll(async () => {
    computed = await computeOcto(folder)
  })

  it.each(Object.keys(golden))('%s', (name) => {
    expect(relativeError(computed[name]!, golden[name]!)).toBeLessThan(TOLERANCE)
  })
})
