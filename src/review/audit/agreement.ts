/** @file How far labels agree with a source of truth: exactly, per axis, by command, and at other thresholds σ. */

import { summedTally, type Tally } from '../../metrics/crossed.ts'
import { groupedInterval } from '../../metrics/grouped.ts'
import { AXES, type Axis, type Direction, formatCommand } from '../../talk/vocabulary.ts'
import { type Displacement, directionOf } from './triplets.ts'

/** What was said, and what should have been said. Labels of one group have a scene in common, and most of their steps. */
export type SaidAndMeant = { said: Direction; meant: Direction; group: string }

export type Rate = { agree: number; of: number; share: number; interval: [low: number, high: number] } // 95 %, over other groups

export type Agreement = {
  exact: Rate // all three axes
  axes: Rate // over all axes of all labels
  axis: Record<Axis, Rate>
  /** Of the axes that were said: how many were meant in that direction. */
  spoken: Rate
  /** Axes said in one direction and meant in the other; the only error that steers the wrong way. */
  opposed: number
  byCommand: Record<string, Rate> // exact, by the command that was said
}

/** Shares of nothing are NaN, with the widest interval. */
export function rate<T extends { group: string }>(cases: readonly T[], agrees: (one: T) => boolean): Rate {
  const groups = new Map<string, Tally>()
  for (const one of cases) {
    const { sum, count } = groups.get(one.group) ?? { sum: 0, count: 0 }
    groups.set(one.group, { sum: sum + Number(agrees(one)), count: count + 1 })
  }
  const { sum: agree, count: of } = summedTally([...groups.values()])
  return { agree, of, share: agree / of, interval: groupedInterval([...groups.values()]) }
}

const equal = ({ said, meant }: Pick<SaidAndMeant, 'said' | 'meant'>) =>
  said.every((sign, axis) => sign === meant[axis])
const count = <T>(items: readonly T[], holds: (item: T) => boolean) => items.filter(holds).length

export function agreement(judged: readonly SaidAndMeant[]): Agreement {
  const pairs = judged.flatMap(({ said, meant, group }) =>
    said.map((sign, axis) => ({ axis, said: sign, meant: meant[axis]!, group })),
  )
  const same = ({ said, meant }: { said: number; meant: number }) => said === meant
  const spoken = pairs.filter(({ said }) => said !== 0)
  const commands = new Map<string, SaidAndMeant[]>()
  for (const one of judged) {
    const command = formatCommand(one.said)
    commands.set(command, [...(commands.get(command) ?? []), one])
  }
  const axisRate = (index: number) =>
    rate(
      pairs.filter(({ axis }) => axis === index),
      same,
    )
  return {
    exact: rate(judged, equal),
    axes: rate(pairs, same),
    axis: Object.fromEntries(AXES.map((name, i) => [name, axisRate(i)])) as Record<Axis, Rate>,
    spoken: rate(spoken, same),
    opposed: count(pairs, ({ said, meant }) => said * meant < 0),
    byCommand: Object.fromEntries([...commands].map(([name, own]) => [name, rate(own, equal)])),
  }
}

/**
 * Exact agreement over the whole log, estimated from a sample that was drawn evenly over the commands: each command's share
 * of agreement, weighted by how often the log says it. Commands that are not in the sample are left out of both sums.
 */
export function weightedByFrequency(
  { byCommand }: Pick<Agreement, 'byCommand'>,
  counts: Readonly<Record<string, number>>,
): number {
  const sampled = Object.entries(byCommand)
  const all = sampled.reduce((sum, [command]) => sum + (counts[command] ?? 0), 0)
  return sampled.reduce((sum, [command, { share }]) => sum + share * (counts[command] ?? 0), 0) / all
}

/** Metres. The paper's threshold is among them. */
export const THRESHOLDS = [0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01]

export type SweepPoint = { threshold: number; exact: number; axes: number; null: number } // shares

/**
 * What the rule would have said at other thresholds. `meant` stays as it is, so that a threshold that silences everything
 * cannot win by agreeing about nothing.
 */
export function sweepThresholds(
  judged: readonly { delta: Displacement; meant: Direction }[],
  tie: number,
  thresholds: readonly number[] = THRESHOLDS,
): SweepPoint[] {
  return thresholds.map((threshold) => {
    const said = judged.map(({ delta, meant }) => ({ said: directionOf(delta, { threshold, tie }), meant }))
    const axes = said.flatMap((one) => one.said.map((sign, axis) => sign === one.meant[axis]))
    const silent = count(said, (one) => one.said.every((sign) => sign === 0))
    return {
      threshold,
      exact: count(said, equal) / said.length,
      axes: count(axes, Boolean) / axes.length,
      null: silent / said.length,
    }
  })
}

/** The threshold with the most exact agreement; of equals the smallest. */
export const bestThreshold = (points: readonly SweepPoint[]): SweepPoint =>
  points.reduce((best, point) => (point.exact > best.exact ? point : best))
