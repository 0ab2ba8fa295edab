import { describe, expect, it } from 'vitest'
import {
  median,
  movingMean,
  movingSuccess,
  pairedDifference,
  quantile,
  wilsonInterval,
} from '../../src/metrics/statistics.ts'

describe('wilsonInterval', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('agrees with the published interval of %i in %i', (successes, trials, low, high) => {
    const [gotLow, gotHigh] = wilsonInterval(successes, trials)
    expect(gotLow).toBeCloseTo(low, 4)
    expect(gotHigh).toBeCloseTo(high, 4)
  })

  it('ends exactly at 1 when every trial succeeds, with the mirrored lower end', () => {
    expect(wilsonInterval(20, 20)[1]).toBe(1)
    expect(wilsonInterval(20, 20)[0]).toBeCloseTo(1 - wilsonInterval(0, 20)[1], 12)
  })

  it('refuses more successes than trials, and no trial at all', () => {
    expect(() => wilsonInterval(3, 2)).toThrow('3 successes of 2 trials')
    expect(() => wilsonInterval(0, 0)).toThrow('0 successes of 0 trials')
  })
})

describe('quantile', () => {
  it('interpolates between neighbours (type 7: 1, 2, 4, 8 at 0.25 is 1.75)', () => {
    expect(quantile([8, 1, 4, 2], 0.25)).toBeCloseTo(1.75, 12)
    expect(median([8, 1, 4, 2])).toBe(3)
  })
  it('refuses an empty list', () => expect(() => quantile([], 0.5)).toThrow('got no values'))
})

describe('pairedDifference', () => {
  const pairs = (both: number, onlyFirst: number, onlySecond: number, neither: number) => [
    ...Array.from({ length: both }, () => [true, true] as const),
    ...Array.from({ length: onlyFirst }, () => [true, false] as const),
    ...Array.from({ length: onlySecond }, () => [false, true] as const),
    ...Array.from({ length: neither }, () => [false, false] as const),
  ]

  // the first row is published: R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10; the others are
  // of another implementation (Python), one for each sign and size of the correlation
  it.each([
    [36, 12, 2, 0, 0.2, 0.0569, 0.3404],
    [20, 24, 2, 8, 0.4074, 0.2406, 0.5422],
    [15, 3, 1, 6, 0.08, -0.0904, 0.2449],
    [10, 5, 0, 60, 0.0667, 0.0021, 0.1393],
    [25, 0, 0, 0, 0, -0.1332, 0.1332],
  ])('of %i both, %i first, %i second, %i neither', (both, first, second, neither, difference, low, high) => {
    const got = pairedDifference(pairs(both, first, second, neither))
    expect(got).toMatchObject({ pairs: both + first + second + neither, onlyFirst: first, onlySecond: second })
    expect(got.difference).toBeCloseTo(difference, 4)
    expect(got.interval[0]).toBeCloseTo(low, 4)
    expect(got.interval[1]).toBeCloseTo(high, 4)
  })

  it('turns round when the two change places', () => {
    const [low, high] = pairedDifference(pairs(20, 24, 2, 8)).interval
    expect(
      pairedDifference(pairs(20, 2, 24, 8))
        .interval.map((end) => -end)
        .reverse(),
    ).toEqual([expect.closeTo(low, 12), expect.closeTo(high, 12)])
  })

  it('refuses no pairs', () => expect(() => pairedDifference([])).toThrow('got no pairs'))
})

describe('moving rates', () => {
  it('forgets what left the window', () => {
    const rates = movingSuccess([true, true, false, false, true], 2)
    expect(rates.map(({ rate }) => rate)).toEqual([1, 1, 0.5, 0, 0.5])
    expect(rates.map(({ trials }) => trials)).toEqual([1, 2, 2, 2, 2])
    expect(rates[2]!.interval).toEqual(wilsonInterval(1, 2))
  })

  it('averages around values that diverged', () => {
    expect(movingMean([1, Number.NaN, 3, 5], 2)).toEqual([1, 1, 3, 4])
    expect(movingMean([Number.NaN], 2)).toEqual([Number.NaN])
  })
})
