/** @file What a TD target sums over: n steps, and fewer where the episode ends or another actor goes on. */
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { stretches } from '../../src/replay/returns.ts'
import { actionOf, aReplay, feed, frameAt, frameOf, rows } from './numbered.ts'

/** `kinds`: a letter a step, P of the primary actor, R of the refinement actor and O of the operator; `rewards` as many; `over`: the last step terminates. */
const steps = (kinds: string, rewards: number[], over: boolean) =>
  [...kinds].map((kind, t) => ({
    reward: rewards[t]!,
    terminated: over && t === kinds.length - 1,
    actor: ACTORS[kind as keyof typeof ACTORS],
  }))

const ACTORS = { P: 'primary', R: 'refinement', O: 'operator', E: 'exploration' } as const
const HALF = { discount: 0.5, most: 3 }

describe('stretches', () => {
  it('are single steps for n = 1', () => {
    expect(stretches(steps('PPO', [1, 2, 4], true), { discount: 0.5, most: 1 })).toEqual([
      { steps: 1, reward: 1, discount: 0.5, terminated: false },
      { steps: 1, reward: 2, discount: 0.5, terminated: false },
      { steps: 1, reward: 4, discount: 0.5, terminated: true },
    ])
  })

  it('sum n discounted rewards and end with the episode', () => {
    expect(stretches(steps('PPPP', [1, 2, 4, 8], true), HALF)).toEqual([
      { steps: 3, reward: 1 + 2 / 2 + 4 / 4, discount: 1 / 8, terminated: false },
      { steps: 3, reward: 2 + 4 / 2 + 8 / 4, discount: 1 / 8, terminated: true },
      { steps: 2, reward: 4 + 8 / 2, discount: 1 / 4, terminated: true },
      { steps: 1, reward: 8, discount: 1 / 2, terminated: true },
    ])
  })

  it('bootstrap behind the last step of an episode that was cut off', () => {
    expect(stretches(steps('PP', [0, 0], false), HALF).map(({ terminated }) => terminated)).toEqual([false, false])
  })

  it('end where the operator takes over, and where the operator hands back', () => {
    const lengths = stretches(steps('PPOOPP', [0, 0, 0, 0, 0, 0], false), HALF).map((stretch) => stretch.steps)
    expect(lengths).toEqual([2, 1, 2, 1, 2, 1])
  })

  it('end where something is tried, and where the policy goes on', () => {
    const lengths = stretches(steps('PPEEPP', [0, 0, 0, 0, 0, 0], false), HALF).map((stretch) => stretch.steps)
    expect(lengths).toEqual([2, 1, 2, 1, 2, 1])
  })

  it('end where the operator speaks, and where the words are over', () => {
    const lengths = stretches(steps('PPRRPP', [0, 0, 0, 0, 0, 0], false), HALF).map((stretch) => stretch.steps)
    expect(lengths).toEqual([2, 1, 2, 1, 2, 1])
  })
})

describe('a sampled transition', () => {
  it('leads to the state behind its stretch, with what was earned on the way', () => {
    const replay = aReplay({ returnSteps: 3 }) // γ = 0.9
    const end = { ending: 'success' as const, verdict: { reward: 1, terminated: true } }
    feed(replay, { episode: 1, steps: 6, operator: (t) => t === 2 || t === 3, end })
    const count = 200
    const out = rows(count)
    replay.sampleTransitions({ task: 'place', count }, new RandomStream(0, 'stretches'), out)
    const expected = [
      { ahead: 2, reward: 0, discount: 0.9 ** 2, terminated: 0 },
      { ahead: 1, reward: 0, discount: 0.9, terminated: 0 },
      { ahead: 2, reward: 0, discount: 0.9 ** 2, terminated: 0 },
      { ahead: 1, reward: 0, discount: 0.9, terminated: 0 },
      { ahead: 2, reward: 0.9, discount: 0.9 ** 2, terminated: 1 },
      { ahead: 1, reward: 1, discount: 0.9, terminated: 1 },
    ]
    const seen = new Set<number>()
    for (let row = 0; row < count; row++) {
      const t = frameAt(out.h, out.features, out.proprio, row) - frameOf(1, 0)
      const want = expected[t]!
      seen.add(t)
      expect(frameAt(out.nextH, out.nextFeatures, out.nextProprio, row)).toBe(frameOf(1, t + want.ahead))
      expect(out.reward[row]).toBeCloseTo(want.reward, 6)
      expect(out.discount[row]).toBeCloseTo(want.discount, 6)
      expect(out.terminated[row]).toBe(want.terminated)
      expect([...out.action.subarray(7 * row, 7 * row + 3)]).toEqual([...actionOf(frameOf(1, t)).subarray(0, 3)])
    }
    expect(seen.size).toBe(6)
  })
})
