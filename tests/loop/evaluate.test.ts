import { describe, expect, it } from 'vitest'
import { evaluationNoise, score } from '../../src/loop/evaluate.ts'
import type { EpisodeSummary } from '../../src/loop/happening.ts'
import { presets } from '../../src/run/presets.ts'
import { resolveConfig } from '../../src/run/resolve.ts'

describe('the noise of an evaluation', () => {
  const drawn = (noise: number, seed = 0) => {
    const draw = evaluationNoise(resolveConfig('quick', undefined, [{ seed, evaluation: { noise } }]))
    return Array.from({ length: 2000 }, () => [...draw()]).flat()
  }
  const spread = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

  it('is drawn anew for each action, as wide as asked for', () => {
    expect(spread(drawn(1))).toBeCloseTo(1, 1)
    expect(spread(drawn(0.5))).toBeCloseTo(0.5, 1)
    expect(new Set(drawn(0.5)).size).toBeGreaterThan(13_000) // of 14,000
  })

  it('is none where none is asked for: the policy then acts by its mean', () => {
    expect(spread(drawn(0))).toBe(0)
  })

  it('is the same in two evaluations of one run', () => {
    expect(drawn(0.5)).toEqual(drawn(0.5))
    expect(drawn(0.5, 1)).not.toEqual(drawn(0.5))
  })

  it('is that of practice in the paper', () => {
    expect(presets.paper.evaluation?.noise).toBeUndefined()
    expect(resolveConfig('paper').evaluation.noise).toBe(1)
  })
})

describe('the score of a task', () => {
  const trial = (ending: EpisodeSummary['ending'], length: number, seed: number): EpisodeSummary => ({
    ...{ task: 'pick', seed, ending, length, operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] },
  })

  it('is the share of successes, with their steps and Wilson’s interval', () => {
    const { interval, ...rest } = score([trial('success', 10, 7), trial('timeout', 80, 8), trial('success', 20, 9)])
    expect(rest).toEqual({
      ...{ success: 2 / 3, successes: 2, trials: 3, meanSteps: 15 },
      outcomes: [
        { seed: 7, success: true, length: 10 },
        { seed: 8, success: false, length: 80 },
        { seed: 9, success: true, length: 20 },
      ],
    })
    expect(interval[0]).toBeCloseTo(0.2077, 4) // of 2 in 3, by the formula of 1927 worked by hand
    expect(interval[1]).toBeCloseTo(0.9385, 4)
  })

  it('has the steps of all trials where none succeeded', () =>
    expect(score([trial('failure', 30, 1), trial('timeout', 80, 2)])).toMatchObject({ success: 0, meanSteps: 55 }))
})
