/** @file Linear axes: from values to pixels, with ticks at round numbers. */
import { quantile } from '../../metrics/statistics.ts'

export type Domain = readonly [low: number, high: number]

/** Maps the domain onto the range; an empty domain maps to the middle. */
export function linearScale(domain: Domain, range: Domain): (value: number) => number {
  const [low, high] = domain
  const [from, to] = range
  if (high === low) return () => (from + to) / 2
  return (value) => from + ((value - low) / (high - low)) * (to - from)
}

/** Steps of 1, 2 or 5 times a power of ten, about `count` of them inside the domain. */
export function ticks([low, high]: Domain, count = 5): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  // the factor nearest on a logarithmic scale: the borders are the geometric means of neighbours
  const step = power * ([1, 2, 5].find((_, i) => rough / power < Math.sqrt([2, 10, 50][i]!)) ?? 10)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** A tick as people write it: thousands with a thin space, tiny values in powers of ten. */
export function tickLabel(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e6) return value.toExponential(0)
  return size >= 1e4 ? value.toLocaleString('en').replaceAll(',', '\u2009') : String(value)
}

/**
 * A domain that shows nearly all values: the outermost `outliers` share on both sides may fall outside, so that one
 * spike does not flatten a curve. Widened where all values are equal.
 */
export function robustDomain(values: readonly number[], outliers = 0.005): Domain {
  const finite = values.filter(Number.isFinite)
  if (finite.length === 0) return [0, 1]
  const low = quantile(finite, outliers)
  const high = quantile(finite, 1 - outliers)
  const margin = high > low ? 0.06 * (high - low) : Math.max(Math.abs(low) * 0.1, 1e-3)
  return [low - margin, high + margin]
}
