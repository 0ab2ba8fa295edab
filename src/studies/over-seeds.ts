/** @file Curves of several training seeds as one: equal stretches of robot time, their mean, and the band that they span. */

import type { MetricOf } from '../metrics/metrics.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import type { Point } from '../review/report/plot.ts'

type Episode = MetricOf<'episode'>
/** A value at a place that all seeds share. */
export type SeedPoint = { bin: number; x: number; y: number }

/**
 * One sample for each of `stretches` equal parts of `budget` robot minutes in which an episode ended, at its middle. The
 * last episode may end after the budget: it belongs to the last stretch.
 */
export function binned(
  episodes: readonly Episode[],
  { budget, stretches }: { budget: number; stretches: number },
  value: (episodes: readonly Episode[]) => number,
): SeedPoint[] {
  const width = budget / stretches
  const bins = new Map<number, Episode[]>()
  for (const episode of episodes) {
    const bin = Math.min(stretches - 1, Math.ceil(robotMinutes(episode.robotSteps) / width) - 1)
    bins.set(bin, [...(bins.get(bin) ?? []), episode])
  }
  return [...bins].map(([bin, inside]) => ({ bin, x: (bin + 0.5) * width, y: value(inside) }))
}

/** How long one of those parts is, as it is written: 1.25. */
export const minutesOf = ({ budget, stretches }: { budget: number; stretches: number }): string =>
  String(Number((budget / stretches).toFixed(2)))

/** Where all seeds have a sample: means of place and value; the band from the least to the most. */
export function overSeeds(curves: readonly (readonly SeedPoint[])[]): Point[] {
  const byBin = curves.map((curve) => new Map(curve.map((sample) => [sample.bin, sample])))
  const shared = [...(byBin[0]?.keys() ?? [])].filter((bin) => byBin.every((curve) => curve.has(bin)))
  return shared
    .sort((a, b) => a - b)
    .map((bin) => {
      const samples = byBin.map((curve) => curve.get(bin)!)
      const values = samples.map(({ y }) => y)
      const x = mean(samples.map((sample) => sample.x))
      return { x, y: mean(values), low: Math.min(...values), high: Math.max(...values) }
    })
}
