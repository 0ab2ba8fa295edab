/** @file Who judges an episode, and who overrules whom. */
import { describe, expect, it } from 'vitest'
import { decide, type RewardSource, robotsOwn } from '../../src/reward/reward.ts'

const observation = { images: {}, proprio: new Float32Array(0), time: 0 }
const outcome = (reward: number, terminated: boolean) => ({ observation, reward, terminated })
const classifier: RewardSource = {
  judge: () => ({ reward: 0, terminated: false, by: 'classifier', confidence: 0.9 }),
}

describe('decide', () => {
  it('takes the robot at its word where nobody else judges', () =>
    expect(decide([robotsOwn], outcome(1, true), undefined, true)).toEqual({
      reward: 1,
      terminated: true,
      truncated: false,
      by: 'robot',
    }))

  it.each([
    [robotsOwn, classifier],
    [classifier, robotsOwn],
  ])('puts a classifier over the robot, in either order', (...sources) =>
    expect(decide(sources, outcome(1, true), undefined, false)).toMatchObject({
      reward: 0,
      terminated: false,
      by: 'classifier',
      confidence: 0.9,
    }),
  )

  it('puts a person over both', () => {
    const sources = [robotsOwn, classifier]
    expect(decide(sources, outcome(0, false), 'success', true)).toEqual({
      reward: 1,
      terminated: true,
      truncated: false,
      by: 'person',
    })
    expect(decide(sources, outcome(1, true), 'failure', false)).toEqual({
      reward: 0,
      terminated: true,
      truncated: false,
      by: 'person',
    })
  })

  it('lets the clock and an abort cut off, but not overrule', () => {
    expect(decide([robotsOwn], outcome(0, false), undefined, true)).toMatchObject({
      truncated: true,
      terminated: false,
      by: 'clock',
    })
    expect(decide([robotsOwn], outcome(0, false), 'abort', false)).toMatchObject({ truncated: true, by: 'person' })
    expect(decide([robotsOwn], outcome(0, true), 'abort', true)).toMatchObject({
      truncated: false,
      terminated: true,
      by: 'robot',
    })
  })
})
