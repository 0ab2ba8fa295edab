/**
 * @file Figures that several training seeds came to on the same starts, with intervals that respect what is shared: trials of
 * a training seed share its policy, trials on a start its scene (decision 42).
 */
import { InputError } from '../errors.ts'
import { mean } from './statistics.ts'

/** What one training seed did on one start: a sum over so many counted trials. Several cells come to Σ sum / Σ count. */
export type Tally = { sum: number; count: number }

/** Of several cells. */
export const summedTally = (tallies: readonly Tally[]): Tally => ({
  sum: tallies.reduce((all, { sum }) => all + sum, 0),
  count: tallies.reduce((all, { count }) => all + count, 0),
})

export type Estimate = {
  value: number // mean over the training seeds of which anything was counted; NaN if there is none
  bySeed: number[] // NaN for a seed of which nothing was counted
  interval: [low: number, high: number] // 95 %
}

/**
 * The mean over training seeds of Σ sum / Σ count, with its 95 % interval over other training seeds and other starts; `cells`
 * has the shape [seeds][starts], every seed on the same starts. The half width is √((t_S V_S)² + (t_K V_K)²): V_S² is the
 * variance of the mean over the S seeds, V_K² that over the K starts less what single trials contribute to both (a table with
 * random rows and columns, S. R. Searle, G. Casella and C. E. McCulloch, Variance Components, 1992, chapter 4), t_S and t_K
 * the points of Student's t for S - 1 and K - 1 degrees of freedom; intervals of two sources of error add up so
 * (G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008, "MOVER"). A ratio enters by its linear part; a start on which no
 * seed counted anything says nothing, and is none of the K. One seed says nothing of others: its interval is over starts.
 * @throws InputError unless every seed has the same number of starts, and there is at least one of each
 */
export function crossedEstimate(cells: readonly (readonly Tally[])[]): Estimate {
  const starts = cells[0]?.length ?? 0
  if (starts === 0 || cells.some((row) => row.length !== starts))
    throw new InputError('crossedEstimate', 'got seeds without equal starts', 'Evaluate every seed on the same starts')
  const bySeed = cells.map(ratio)
  const counted = cells[0]!.flatMap((_, k) => (cells.some((row) => row[k]!.count > 0) ? [k] : []))
  const table = cells.flatMap((row, s) =>
    Number.isNaN(bySeed[s]!)
      ? []
      : [
          linear(
            counted.map((k) => row[k]!),
            bySeed[s]!,
          ),
        ],
  )
  if (table.length === 0) return { value: Number.NaN, bySeed, interval: [Number.NaN, Number.NaN] }
  const { value, half } = meanOf(table)
  return { value, bySeed, interval: [value - half, value + half] }
}

function ratio(row: readonly Tally[]): number {
  const count = row.reduce((all, cell) => all + cell.count, 0)
  return count > 0 ? row.reduce((all, cell) => all + cell.sum, 0) / count : Number.NaN
}

/** One value a start, whose mean is the ratio and whose scatter is the ratio's to first order; the sums themselves where all counts are 1. */
function linear(row: readonly Tally[], ratio: number): number[] {
  const count = mean(row.map((cell) => cell.count))
  return row.map((cell) => ratio + (cell.sum - ratio * cell.count) / count)
}

/** Mean of a table [seeds][starts] with half its interval; infinite where a single trial is all there is. */
function meanOf(table: readonly (readonly number[])[]): { value: number; half: number } {
  const [seeds, starts] = [table.length, table[0]!.length]
  const ofSeeds = table.map(mean)
  const ofStarts = table[0]!.map((_, k) => mean(table.map((row) => row[k]!)))
  const value = mean(ofSeeds)
  const single = table.flatMap((row, s) => row.map((entry, k) => entry - ofSeeds[s]! - ofStarts[k]! + value))
  const alone = squaredError(single, 0, (seeds - 1) * (starts - 1)) // its share of either of the two below
  const [bySeed, byStart] = [squaredError(ofSeeds, value, seeds - 1), squaredError(ofStarts, value, starts - 1)]
  if (seeds === 1 && starts === 1) return { value, half: Number.POSITIVE_INFINITY }
  if (seeds === 1) return { value, half: studentPoint(starts - 1) * Math.sqrt(byStart) }
  if (starts === 1) return { value, half: studentPoint(seeds - 1) * Math.sqrt(bySeed) }
  const shared = Math.max(0, byStart - alone)
  const half = Math.hypot(studentPoint(seeds - 1) * Math.sqrt(bySeed), studentPoint(starts - 1) * Math.sqrt(shared))
  return { value, half }
}

/** Squared standard error of the mean of the values; 0 without degrees of freedom. */
const squaredError = (values: readonly number[], centre: number, freedom: number) =>
  freedom > 0 ? values.reduce((sum, each) => sum + (each - centre) ** 2, 0) / freedom / values.length : 0

/**
 * 97.5 % point of Student's t with so many degrees of freedom, 1 or more: with t = √ν tan θ the density of θ goes with
 * cos^(ν - 1) θ, which is added up until 95 % of it lie within ± θ. To five digits.
 */
export function studentPoint(freedom: number): number {
  const steps = 2_000
  const width = Math.min(Math.PI / 2, 12 / Math.sqrt(freedom)) / steps
  const density = Array.from({ length: steps }, (_, i) => Math.cos((i + 0.5) * width) ** (freedom - 1))
  let beyond = 0.05 * density.reduce((sum, each) => sum + each, 0)
  let i = steps
  while (beyond >= density[i - 1]!) beyond -= density[--i]!
  return Math.sqrt(freedom) * Math.tan((i - beyond / density[i - 1]!) * width)
}
