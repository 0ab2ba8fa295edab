import { describe, expect, it } from 'vitest'
import { crossedEstimate, studentPoint, type Tally } from '../../src/metrics/crossed.ts'
import { mean, quantile } from '../../src/metrics/statistics.ts'
import { RandomStream } from '../../src/random/stream.ts'

/** [seeds][starts] of single trials. */
const single = (table: readonly (readonly number[])[]): Tally[][] =>
  table.map((row) => row.map((sum) => ({ sum, count: 1 })))

/** The interval as value and half width. */
const halved = (cells: readonly (readonly Tally[])[]) => {
  const { value, interval } = crossedEstimate(cells)
  expect(interval[1] - value).toBeCloseTo(value - interval[0], 9)
  return [value, interval[1] - value]
}

describe('studentPoint', () => {
  // Student's t, two-sided 95 %, as tables print it
  it.each([
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [10, 2.2281],
    [29, 2.0452],
    [100, 1.984],
    [1e6, 1.96],
  ])('of %d degrees of freedom', (freedom, point) => expect(studentPoint(freedom)).toBeCloseTo(point, 4))
})

describe('an estimate over seeds and starts', () => {
  it('is the t interval of the seeds where nothing differs between starts', () => {
    // sd of 0.7, 0.8, 0.9 is 0.1: 4.3027 · 0.1 / √3
    const [value, half] = halved(single([0.9, 0.8, 0.7].map((rate) => [rate, rate, rate, rate])))
    expect(value).toBeCloseTo(0.8, 12)
    expect(half).toBeCloseTo(0.24842, 4)
  })

  it('is the t interval of the starts where every seed does the same', () => {
    // means 0, 3, 6 of the starts, sd 3, two degrees of freedom: 4.3027 · 3 / √3
    expect(
      halved(
        single([
          [0, 3, 6],
          [0, 3, 6],
        ]),
      ),
    ).toEqual([3, expect.closeTo(7.4524, 3)])
  })

  it('adds both squared, and does not count the scatter of single trials twice', () => {
    // by hand: seeds 2, 4 (squared error of their mean 1), starts 1, 2, 6 (7/3), rests ±1, ±1, 0 (1/3)
    const [value, half] = halved(
      single([
        [-1, 2, 5],
        [3, 2, 7],
      ]),
    )
    expect(value).toBe(3)
    expect(half).toBeCloseTo(Math.hypot(12.7062 * 1, 4.3027 * Math.sqrt(7 / 3 - 1 / 3)), 3)
  })

  it('agrees with an analysis of variance by its sums of squares', () => {
    const stream = new RandomStream(5, 'table')
    const [S, K] = [3, 7]
    const starts = Array.from({ length: K }, () => 2 * stream.normal())
    const table = Array.from({ length: S }, () => starts.map((start) => start + stream.normal()))
    let [all, square, rows, columns] = [0, 0, 0, 0]
    for (let s = 0; s < S; s++)
      for (let k = 0; k < K; k++) {
        all += table[s]![k]!
        square += table[s]![k]! ** 2
      }
    for (let s = 0; s < S; s++) rows += table[s]!.reduce((a, b) => a + b) ** 2 / K
    for (let k = 0; k < K; k++) columns += table.reduce((a, row) => a + row[k]!, 0) ** 2 / S
    const correction = all ** 2 / (S * K)
    const [msSeeds, msStarts] = [(rows - correction) / (S - 1), (columns - correction) / (K - 1)]
    const msRest = (square - rows - columns + correction) / ((S - 1) * (K - 1))
    const t = { 2: 4.302653, 6: 2.446912 } // printed tables
    const expected = Math.sqrt((t[2] ** 2 * msSeeds + t[6] ** 2 * Math.max(0, msStarts - msRest)) / (S * K))
    expect(msStarts).toBeGreaterThan(msRest)
    expect(halved(single(table))).toEqual([expect.closeTo(all / (S * K), 12), expect.closeTo(expected, 4)])
  })

  it('of one seed is over starts, of one start over seeds, of one trial without an end', () => {
    expect(halved(single([[0, 3, 6]]))[1]).toBeCloseTo(7.4524, 3)
    expect(halved(single([[0], [3], [6]]))[1]).toBeCloseTo(7.4524, 3)
    expect(crossedEstimate(single([[1]])).interval).toEqual([-Infinity, Infinity])
  })

  it('of a ratio is mean and scatter of what was counted', () => {
    // 48 in 4: 12. Of the three starts that count, 4 / 3 on average, off it by -1.5, 1.5, 0; squared error of the mean
    // 4.5 / 2 / 3; t of two degrees of freedom
    const cells = [
      [10, 1],
      [0, 0],
      [14, 1],
      [24, 2],
    ].map(([sum, count]) => ({ sum: sum!, count: count! }))
    const [value, half] = halved([cells])
    expect(value).toBe(12)
    expect(half).toBeCloseTo(4.3027 * Math.sqrt(3 / 4), 3)
  })

  it('of a ratio knows no more of starts than those that count: of one nothing, of two as of two values', () => {
    const of = (...lengths: number[]) => [
      [...lengths.map((sum) => ({ sum, count: 1 })), ...Array.from({ length: 98 }, () => ({ sum: 0, count: 0 }))],
    ]
    expect(crossedEstimate(of(35))).toMatchObject({ value: 35, interval: [-Infinity, Infinity] })
    expect(halved(of(30, 40))).toEqual([35, expect.closeTo(12.7062 * 5, 2)]) // sd 7.07, over √2
  })

  it('leaves out a seed of which nothing was counted, and is nothing where that is all', () => {
    const nothing = [0, 1, 2].map(() => ({ sum: 0, count: 0 }))
    const estimate = crossedEstimate([...single([[1, 2, 3]]), nothing])
    expect(estimate.value).toBe(2)
    expect(estimate.bySeed).toEqual([2, Number.NaN])
    expect(crossedEstimate([nothing]).interval).toEqual([Number.NaN, Number.NaN])
  })

  it('refuses seeds on different starts, and none at all', () => {
    expect(() => crossedEstimate(single([[1, 2], [1]]))).toThrow('without equal starts')
    expect(() => crossedEstimate([])).toThrow('without equal starts')
  })
})

describe('coverage of a true mean of 0 where seeds, starts and single trials scatter', () => {
  type Interval = [low: number, high: number]
  const around = (value: number, half: number): Interval => [value - half, value + half]
  const deviation = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, each) => sum + (each - mean(values)) ** 2, 0) / (values.length - 1))

  const INTERVALS: Record<string, (table: number[][], stream: RandomStream) => Interval> = {
    ours: (table) => crossedEstimate(single(table)).interval,
    /** All trials as if nothing were shared. */
    trials: (table) => around(mean(table.flat()), (1.96 * deviation(table.flat())) / Math.sqrt(table.flat().length)),
    /** Student's t over the means of the three seeds. */
    seeds: (table) => around(mean(table.map(mean)), (4.3027 * deviation(table.map(mean))) / Math.sqrt(3)),
    /** Owen's pigeonhole bootstrap: seeds and starts drawn with replacement, its percentiles. */
    bootstrap: (table, stream) => {
      const draws = Array.from({ length: 200 }, () => {
        const starts = table[0]!.map(() => stream.integer(table[0]!.length))
        return mean(table.map(() => stream.pick(table)).map((row) => mean(starts.map((k) => row[k]!))))
      })
      return [quantile(draws, 0.025), quantile(draws, 0.975)]
    },
  }

  /** Share of 600 tables of 3 seeds and 40 starts whose interval holds 0. */
  function coverage(name: string, spread: { seeds: number; starts: number; trials: number }): number {
    const stream = new RandomStream(7, `coverage/${name}`)
    const held = Array.from({ length: 600 }, () => {
      const starts = Array.from({ length: 40 }, () => spread.starts * stream.normal())
      const table = [0, 1, 2].map(() => {
        const seed = spread.seeds * stream.normal()
        return starts.map((start) => seed + start + spread.trials * stream.normal())
      })
      const [low, high] = INTERVALS[name]!(table, stream)
      return low <= 0 && 0 <= high
    })
    return held.filter(Boolean).length / held.length
  }

  const SEEDS = { seeds: 1, starts: 1, trials: 1 }
  const STARTS = { seeds: 0.05, starts: 1, trials: 0.5 }
  const TRIALS = { seeds: 0, starts: 0, trials: 1 }

  // 600 tables: a share of 95 % scatters by 0.9 points
  it.each([SEEDS, STARTS, TRIALS])('is about 95 %% for $seeds, $starts, $trials', (spread) => {
    const share = coverage('ours', spread)
    expect(share).toBeGreaterThan(0.93)
    expect(share).toBeLessThan(0.99)
  })

  it.each([
    ['trials', SEEDS],
    ['trials', STARTS],
    ['bootstrap', SEEDS],
    ['seeds', STARTS],
  ])('is too small by %s alone for %j', (name, spread) => expect(coverage(name, spread)).toBeLessThan(0.88))
})
