import { describe, expect, it } from 'vitest'
import {
  type Measured,
  stepsDifference,
  stepsToSuccess,
  successDifference,
  successRate,
} from '../../src/studies/outcomes.ts'
import { measured } from './fabricated.ts'

const BEFORE = { place: 'ffff', pick: 'sfff' }
const TASKS = ['place', 'pick']
/** One run for each of the seeds 0, 1, ...; [place, pick]. */
const runs = (...finals: [place: string, pick: string][]): Measured[] =>
  finals.map(([place, pick], seed) => measured(seed, BEFORE, { place, pick }))

describe('success', () => {
  it('is the mean over seeds, tasks and starts, and the mean of each seed', () => {
    const { value, bySeed } = successRate(runs(['ssff', 'ssss'], ['sfff', 'sssf']), 'final', TASKS)
    expect(value).toBe(10 / 16)
    expect(bySeed).toEqual([0.75, 0.5])
    expect(successRate(runs(['ssss', 'ssss']), 'step 0', TASKS).value).toBe(1 / 8)
  })

  it('of a start that several tasks share is one sample, not several', () => {
    // one seed, starts 1, 1, 0, 0 in both tasks: 0.5 ∓ 3.1824 · √(1 / 3 / 4) is beyond what is possible
    expect(successRate(runs(['ssff', 'ssff']), 'final', TASKS).interval).toEqual([0, 1])
    // two of four everywhere, but never the same: every start comes to a half, and Wilson's of 4 in 8 is left
    const { interval } = successRate(runs(['ssff', 'ffss']), 'final', TASKS)
    expect(interval).toEqual([expect.closeTo(0.2152, 4), expect.closeTo(0.7848, 4)])
  })

  it('of all trials keeps the width of as many trials that share nothing', () => {
    // Wilson, 24 of 24: 24 / (24 + 1.96²)
    const { interval } = successRate(runs(['ssss', 'ssss'], ['ssss', 'ssss'], ['ssss', 'ssss']), 'final', TASKS)
    expect(interval).toEqual([expect.closeTo(24 / 27.8415, 4), 1])
  })

  it('of seeds that were evaluated on other starts is refused', () => {
    expect(() => successRate(runs(['ssss', 'ssss'], ['sss', 'sss']), 'final', TASKS)).toThrow('not of the same starts')
  })
})

describe('the difference of two methods', () => {
  const first = runs(['ssff', 'ssss'], ['sfff', 'sssf'], ['ssss', 'ssss'])
  const second = runs(['ssss', 'ssss'], ['sssf', 'ssss'], ['ssss', 'ssss'])

  it('is taken trial by trial; seeds that differ much leave it open', () => {
    // lost by the first, of two tasks on each start: 0 0 1 1 | 0 1 1 1 | 0 0 0 0. By hand, in 576ths: mean squares of seeds
    // 84, starts 44, rest 20; (4.30265² · 84 + 3.18245² · (44 - 20)) / 576 / 12 = 0.51005²
    const { value, bySeed, interval } = successDifference(first, second, TASKS)
    expect(value).toBeCloseTo(-5 / 24, 12)
    expect(bySeed).toEqual([-0.25, -0.375, 0])
    expect(interval).toEqual([expect.closeTo(-5 / 24 - 0.51005, 4), expect.closeTo(-5 / 24 + 0.51005, 4)])
  })

  it('of two that always do the same is not certain: as wide as Newcombe has it', () => {
    // 8 pairs, all of them both: Newcombe's ends are Wilson's, 1 - 8 / 11.8415 either way
    const { value, interval } = successDifference(second.slice(2), second.slice(2), TASKS)
    expect(value).toBe(0)
    expect(interval).toEqual([expect.closeTo(-0.3244, 4), expect.closeTo(0.3244, 4)])
  })

  it('of trials without a partner is refused', () => {
    const shorter = [...runs(['sss', 'ssss']), ...second.slice(1)]
    expect(() => successDifference(first, shorter, TASKS)).toThrow('seed 0, place, start 1003 is on one side only')
  })
})

describe('steps', () => {
  it('to success are those of the trials that succeed', () => {
    // place 10, 11; pick 10, 11, 12, 13
    const { value } = stepsToSuccess(runs(['ssff', 'ssss']), TASKS)
    expect(value).toBeCloseTo(67 / 6, 12)
    expect(stepsToSuccess(runs(['ffff', 'ffff']), TASKS).value).toBeNaN()
  })

  it('of one method less those of the other are taken where both succeed', () => {
    const slower = runs(['ssss', 'ffff']).map((run) => ({
      ...run,
      metrics: run.metrics.map((metric) =>
        metric.kind === 'evaluation'
          ? {
              ...metric,
              tasks: Object.fromEntries(
                Object.entries(metric.tasks).map(([task, score]) => [
                  task,
                  { ...score, outcomes: score.outcomes!.map((trial) => ({ ...trial, length: trial.length + 3 })) },
                ]),
              ),
            }
          : metric,
      ),
    }))
    const { value, interval } = stepsDifference(runs(['sfss', 'ssss']), slower, TASKS)
    expect(value).toBe(-3)
    expect(interval).toEqual([-3, -3])
    expect(stepsDifference(runs(['ffff', 'ssss']), slower, TASKS).value).toBeNaN()
  })
})
