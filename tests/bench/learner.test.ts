import { describe, expect, it } from 'vitest'
import { jaxJsLearner, ourLearner } from '../../bench/learner.ts'
import { randomBatch } from '../../bench/problem.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { SMALL } from './small.ts'

describe('learner step', () => {
  it('follows the same step in jax-js for several updates: losses, gradients, Adam and targets', async () => {
    const batch = randomBatch(SMALL, new RandomStream(3, 'test'))
    const ours = await ourLearner(SMALL, batch, { maxNorm: 1e9 }) // jax-js does not clip
    const theirs = await jaxJsLearner(SMALL, batch, ours.store)
    const losses = { td: [] as number[], actor: [] as number[] }
    for (let update = 0; update < 6; update++) {
      const [got, want] = [await ours.step(), await theirs.step()]
      for (const loss of ['td', 'actor'] as const) {
        expect(Math.abs(got[loss] / want[loss] - 1), `${loss} at update ${update}`).toBeLessThan(2e-5)
        losses[loss].push(want[loss])
      }
    }
    expect(losses.td.at(-1)).not.toBeCloseTo(losses.td[0]!, 3) // it moved: the agreement is not one of standing still
    await ours.release()
  })
})
