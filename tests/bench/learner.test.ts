import { describe, expect, it } from 'vitest'
import { jaxJsLearner, ourLearner } from '../../bench/learner.ts'
import { type BenchSizes, randomBatch } from '../../bench/problem.ts'
import { RandomStream } from '../../src/random/stream.ts'

const SMALL: BenchSizes = {
  tasks: 2,
  batch: 5,
  cameras: 2,
  gridHeight: 2,
  gridWidth: 2,
  channels: 6,
  blocks: 3,
  bottleneck: 8,
  members: 2,
  hidden: 16,
  projection: 4,
  embedding: 7,
  proprio: 5,
  action: 7,
}

describe('learner step', () => {
  it('follows the same step in jax-js for several updates: losses, gradients, Adam and targets', async () => {
    const batch = randomBatch(SMALL, new RandomStream(3, 'test'))
    const ours = await ourLearner(SMALL, batch, 1e9) // jax-js does not clip
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
