/** @file Several steps a launch, against as many steps of the product. */
import { describe, expect, it } from 'vitest'
import { ourLearner } from '../../bench/learner.ts'
import { launchedLearner } from '../../bench/learner-launch.ts'
import { randomBatch } from '../../bench/problem.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { SMALL } from './small.ts'

const RUNS = [
  ['critic', 'value'],
  ['critic', 'moment1'],
  ['critic', 'moment2'],
  ['critic', 'target'],
  ['head', 'value'],
  ['head', 'moment1'],
  ['head', 'moment2'],
] as const

describe('steps of one launch', () => {
  it.each([
    ['without a clip that acts', 1e9],
    ['with one that does', 0.1],
  ])('leave what as many separate steps leave, batch by batch and launch by launch, %s', async (_, maxNorm) => {
    const stream = new RandomStream(4, 'test')
    const batches = Array.from({ length: 6 }, () => randomBatch(SMALL, stream))
    const apart = await ourLearner(SMALL, batches[0]!, { maxNorm, threads: 1 })
    const together = await launchedLearner(SMALL, 3, { maxNorm, threads: 1 })
    const begun = apart.store.flat('critic').slice()
    for (let launch = 0; launch < 2; launch++) {
      const here = batches.slice(3 * launch, 3 * launch + 3)
      for (const [k, batch] of here.entries()) together.show(k, batch)
      const losses = await together.launch()
      for (const [k, batch] of here.entries()) {
        apart.show(batch)
        const wanted = await apart.step()
        for (const loss of ['td', 'actor'] as const)
          expect(Math.abs(losses[k]![loss] / wanted[loss] - 1), `${loss} of step ${3 * launch + k}`).toBeLessThan(1e-5)
      }
      for (const [group, kind] of RUNS) {
        const [got, want] = [together.flat(group, kind), apart.store.flat(group, kind)]
        const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        const off = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0)
        expect(off / largest, `${group} ${kind} after launch ${launch}`).toBeLessThan(1e-5)
      }
    }
    const moved = apart.store.flat('critic').reduce((most, value, i) => Math.max(most, Math.abs(value - begun[i]!)), 0)
    expect(moved).toBeGreaterThan(1e-3) // six steps of 3e-4: the agreement is not one of standing still
    await Promise.all([apart.release(), together.release()])
  })
})
