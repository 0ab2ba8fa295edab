import { describe, expect, it } from 'vitest'
import type { Tally } from '../../src/metrics/crossed.ts'
import { groupedInterval } from '../../src/metrics/grouped.ts'
import { wilsonInterval } from '../../src/metrics/statistics.ts'
import { RandomStream } from '../../src/random/stream.ts'

const groups = (count: number, sum: number, size: number): Tally[] =>
  Array.from({ length: count }, (_, i) => ({ sum: i < sum ? size : 0, count: size }))

describe('the interval of a share over groups', () => {
  it('is Wilson’s with Student’s point where each case is a group of its own', () => {
    const [low, high] = groupedInterval(groups(100, 95, 1))
    expect(low).toBeCloseTo(0.8872, 4) // 95 of 100 at t = 1.98422 for 99 degrees of freedom, by the formula of 1927
    expect(high).toBeCloseTo(0.9787, 4)
  })

  it('counts groups whose cases all say the same once each, however large they are', () => {
    const [few, many] = [groupedInterval(groups(50, 30, 1)), groupedInterval(groups(50, 30, 40))]
    for (const side of [0, 1]) expect(many[side]!).toBeCloseTo(few[side]!, 12)
  })

  it('leaves room where all cases hold: as much as so many groups do', () => {
    expect(groupedInterval(groups(20, 20, 7))).toEqual(groupedInterval(groups(20, 20, 1)))
    expect(groupedInterval(groups(20, 20, 7))[0]).toBeCloseTo(0.8203, 4) // 20 / (20 + 2.09302²)
  })

  it('is everything where one group is all there is, and groups without cases are none', () => {
    expect(groupedInterval([])).toEqual([0, 1])
    expect(groupedInterval([{ sum: 9, count: 10 }])).toEqual([0, 1])
    expect(groupedInterval([{ sum: 9, count: 10 }, ...groups(5, 0, 0)])).toEqual([0, 1])
  })

  it('holds the share that it is of about 19 times in 20, where Wilson’s, which takes cases for independent, does not', () => {
    const random = new RandomStream(3, 'grouped')
    const rounds = 600
    let [held, naive] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      // 40 groups of 1 to 12 cases; what holds in a group is 0.6 or 1, so the share is 0.8
      const drawn = Array.from({ length: 40 }, () => {
        const [count, own] = [1 + random.integer(12), random.uniform(0, 1) < 0.5 ? 0.6 : 1]
        return { count, sum: Array.from({ length: count }).filter(() => random.uniform(0, 1) < own).length }
      })
      const within = ([low, high]: [number, number]) => low <= 0.8 && 0.8 <= high
      if (within(groupedInterval(drawn))) held++
      const total = (of: 'sum' | 'count') => drawn.reduce((all, group) => all + group[of], 0)
      if (within(wilsonInterval(total('sum'), total('count')))) naive++
    }
    expect(held / rounds).toBeGreaterThan(0.925)
    expect(held / rounds).toBeLessThan(0.98)
    expect(naive / rounds).toBeLessThan(0.85)
  })
})
