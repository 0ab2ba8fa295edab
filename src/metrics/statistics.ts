/** @file Honest numbers from few trials: quantiles, Wilson's and Newcombe's intervals, moving success rates. */
import { InputError } from '../errors.ts'

/** 97.5 % point of the standard normal: two-sided 95 %. */
export const Z95 = 1.959963984540054

/**
 * Wilson score interval of a share, without continuity correction.
 * Source: E. B. Wilson, JASA 22 (1927); recommended for small n by R. G. Newcombe, Statistics in Medicine 17 (1998).
 * @throws InputError unless 0 <= successes <= trials and trials >= 1
 */
export function wilsonInterval(successes: number, trials: number, z = Z95): [low: number, high: number] {
  if (!(trials >= 1 && successes >= 0 && successes <= trials)) {
    const got = `${successes} successes of ${trials} trials`
    throw new InputError('wilsonInterval', got, 'Count between 0 and the trials, with at least one trial')
  }
  const share = successes / trials
  const scale = 1 + z ** 2 / trials
  const centre = (share + z ** 2 / (2 * trials)) / scale
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2))
  // all or none: the bound is exact, and rounding must not carry it past the end
  return [successes === 0 ? 0 : centre - half, successes === trials ? 1 : centre + half]
}

/** Quantile by linear interpolation between order statistics (Hyndman and Fan, type 7). @throws InputError on no values */
export function quantile(values: ArrayLike<number>, share: number): number {
  if (values.length === 0) throw new InputError('quantile', 'got no values', 'Measure something first')
  const sorted = Float64Array.from(values).sort()
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!)
}

export const median = (values: ArrayLike<number>) => quantile(values, 0.5)

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Difference of two shares over the same trials, first minus second, with its 95 % interval: hybrid score interval for
 * paired proportions. Honest where all or none succeed, where resampling the pairs would give an interval of width 0.
 * Source: R. G. Newcombe, Statistics in Medicine 17 (1998) 2635-2650, method 10.
 * @throws InputError on no pairs
 */
export function pairedDifference(pairs: readonly (readonly [first: boolean, second: boolean])[]): PairedDifference {
  const n = pairs.length
  if (n === 0) throw new InputError('pairedDifference', 'got no pairs', 'Evaluate both on the same seeds')
  const count = (first: boolean, second: boolean) => pairs.filter(([a, b]) => a === first && b === second).length
  const [both, onlyFirst, onlySecond, neither] = [
    count(true, true),
    count(true, false),
    count(false, true),
    count(false, false),
  ]
  const [wins1, wins2] = [both + onlyFirst, both + onlySecond]
  const [[low1, high1], [low2, high2]] = [wilsonInterval(wins1, n), wilsonInterval(wins2, n)]
  const margins = Math.sqrt(wins1 * (n - wins1) * wins2 * (n - wins2))
  const determinant = both * neither - onlyFirst * onlySecond
  const corrected = determinant > 0 ? Math.max(determinant - n / 2, 0) : determinant
  const phi = margins > 0 ? corrected / margins : 0
  const half = (x: number, y: number) => Math.sqrt(Math.max(0, x ** 2 - 2 * phi * x * y + y ** 2))
  const difference = (onlyFirst - onlySecond) / n
  const [below, above] = [half(wins1 / n - low1, high2 - wins2 / n), half(high1 - wins1 / n, wins2 / n - low2)]
  return { difference, interval: [difference - below, difference + above], pairs: n, onlyFirst, onlySecond }
}

export type PairedDifference = {
  difference: number
  interval: [low: number, high: number]
  pairs: number
  onlyFirst: number // pairs in which only the first succeeded
  onlySecond: number
}

export type MovingRate = { rate: number; interval: [low: number, high: number]; trials: number }

/** For each outcome the success rate over it and at most `window - 1` before it, with its Wilson interval. */
export function movingSuccess(outcomes: readonly boolean[], window: number): MovingRate[] {
  let successes = 0
  return outcomes.map((success, i) => {
    if (success) successes++
    if (i >= window && outcomes[i - window]) successes--
    const trials = Math.min(i + 1, window)
    return { rate: successes / trials, interval: wilsonInterval(successes, trials), trials }
  })
}

/** Mean of at most `window` values up to and including each; values that are not finite are left out. */
export function movingMean(values: readonly number[], window: number): number[] {
  let sum = 0
  let count = 0
  const enter = (value: number, sign: 1 | -1) => {
    if (!Number.isFinite(value)) return
    sum += sign * value
    count += sign
  }
  return values.map((value, i) => {
    enter(value, 1)
    if (i >= window) enter(values[i - window]!, -1)
    return count > 0 ? sum / count : Number.NaN
  })
}
