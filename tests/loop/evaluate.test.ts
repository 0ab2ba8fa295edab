import { describe, expect, it } from 'vitest'
import { evaluationNoise } from '../../src/loop/evaluate.ts'
import { presets, resolveConfig } from '../../src/run/config.ts'

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
