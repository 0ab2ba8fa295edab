/** @file Which charts the console draws from a run's metrics. */

import { figureCharts } from '../../../metrics/figure.ts'
import type { Metric, MetricOf } from '../../../metrics/metrics.ts'
import { declaredFigures, ofKind } from '../../../metrics/of-kind.ts'
import { percent } from '../../../metrics/percent.ts'
import { movingMean } from '../../../metrics/statistics.ts'
import {
  assistedSuccess,
  type Clock,
  evaluated,
  movingIntervention,
  movingOperatorTime,
  robotClock,
  unaidedSuccess,
  wallClock,
  withoutRepeats,
} from '../../../review/report/series.ts'
import type { LoopSample } from '../../protocol.ts'
import type { Curve, CurvePoint } from './align.ts'

export type ClockName = 'robot' | 'wall'

/** `rate`: Hz of the robot. */
export const clocksOf = (rate?: number): Record<ClockName, Clock> => ({
  robot: robotClock(rate),
  wall: wallClock(rate),
})

const WINDOW = 20 // episodes of a running share
const MOST = 400 // points of a curve

export type ChartPlan = {
  title: string
  curves: readonly Curve[]
  format: (value: number) => string
  range?: readonly [low: number, high: number]
  empty: string // said while there is nothing to draw
}

const short = (value: number) => String(Number(value.toPrecision(2)))

/** Every k-th point, the last one among them, so that at most `MOST` remain. */
export function thin<T>(points: readonly T[], most = MOST): T[] {
  const step = Math.ceil(points.length / most)
  return step <= 1 ? [...points] : points.filter((_, i) => (points.length - 1 - i) % step === 0)
}

/** Updates a second of wall time between two lines of the log; a gap (pause, evaluation, resumed run) is not counted as slowness. */
export function updateRates(updates: readonly MetricOf<'update'>[], clock: Clock): CurvePoint[] {
  return updates.flatMap((update, i) => {
    const before = updates[i - 1]
    if (!before || update.phase !== before.phase) return []
    const seconds = update.time - before.time
    const count = update.update - before.update
    return seconds > 0 && count > 0 ? [{ x: clock.at(update), y: count / seconds }] : []
  })
}

export function chartsOf(
  metrics: readonly Metric[],
  loop: readonly LoopSample[] | null, // null: a run that is over
  tasks: readonly string[],
  clock: Clock,
): ChartPlan[] {
  const episodes = ofKind(metrics, 'episode')
  const evaluations = ofKind(metrics, 'evaluation')
  const all = withoutRepeats(ofKind(metrics, 'update'))
  const updates = thin(all)
  const curve = (key: string, look: (values: number[]) => number[]): CurvePoint[] => {
    const told = updates.filter(({ figures }) => figures[key] !== undefined)
    const values = look(told.map(({ figures }) => figures[key]!))
    return told.map((update, i) => ({ x: clock.at(update), y: values[i]! }))
  }
  const asMeasured = (values: number[]) => values
  const smooth = (values: number[]) => movingMean(values, 10)
  const declared = declaredFigures(metrics)
  const told = thin(ofKind(metrics, 'fleet'))
  const fleet = figureCharts(
    declared,
    told.map(({ figures }) => figures),
  ).map(
    ({ title, unit, lines }): ChartPlan => ({
      title: `${title}, ${unit}`,
      format: short,
      empty: 'No robot yet',
      curves: lines.map(({ title: label, key }, i) => ({
        label,
        colour: i,
        look: 'line',
        points: told.map((line) => ({ x: clock.at(line), y: line.figures[key] ?? Number.NaN })),
      })),
    }),
  )
  const learned = figureCharts(
    declared,
    updates.map(({ figures }) => figures),
  ).map(
    ({ title, perTask, lines }): ChartPlan => ({
      title,
      format: short,
      empty: 'No update yet',
      curves: lines.map((line, i) => ({
        label: line.title,
        colour: perTask ? Math.max(0, tasks.indexOf(line.title)) : i,
        look: 'line',
        points: curve(line.key, perTask ? asMeasured : smooth),
      })),
    }),
  )
  return [
    ...tasks.map((task, i): ChartPlan => {
      const own = episodes.filter((episode) => episode.task === task)
      return {
        title: task,
        range: [0, 1],
        format: percent,
        empty: 'No episode and no evaluation yet',
        curves: [
          { label: 'helped', colour: i, look: 'line', points: thin(assistedSuccess(own, clock, WINDOW)) },
          { label: 'alone', colour: i, look: 'dashed', points: thin(unaidedSuccess(own, clock, WINDOW)) },
          { label: 'test', colour: i, look: 'dots', points: evaluated(evaluations, task, clock) },
        ],
      }
    }),
    {
      title: 'Steps by the operator',
      range: [0, 1],
      format: percent,
      empty: 'No episode yet',
      curves: [
        {
          label: `last ${WINDOW} episodes`,
          colour: 1,
          look: 'line',
          points: thin(movingIntervention(episodes, clock, WINDOW)),
        },
        ...withWords(movingOperatorTime(episodes, clock, WINDOW)),
      ],
    },
    ...fleet,
    ...learned,
    {
      title: 'Updates a second',
      format: short,
      empty: 'No update yet',
      curves: [{ label: 'learner', colour: 2, look: 'line', points: smoothed(thin(updateRates(all, clock))) }],
    },
    ...(loop ? [jitterOf(loop, clock)] : []),
    ...(loop?.some((sample) => sample.loop.latency99 !== null) ? [latencyOf(loop, clock)] : []),
  ]
}

/** The operator's seconds as a share of the robot's, where somebody could speak. */
const withWords = (points: CurvePoint[]): Curve[] =>
  points.length === 0 ? [] : [{ label: 'time, words included', colour: 0, look: 'dashed', points: thin(points) }]

type OfLoop = (sample: LoopSample['loop']) => number | null

/** Two quantiles of the loop's times. */
function quantilesOf(
  title: string,
  loop: readonly LoopSample[],
  clock: Clock,
  picks: { median: OfLoop; at99: OfLoop },
): ChartPlan {
  const points = (pick: OfLoop): CurvePoint[] =>
    loop.map((sample) => ({ x: clock.at(sample), y: pick(sample.loop) ?? Number.NaN }))
  return {
    title,
    format: short,
    empty: 'Told while steps are made',
    curves: [
      { label: '99 %', colour: 5, look: 'line', points: points(picks.at99) },
      { label: 'median', colour: 0, look: 'line', points: points(picks.median) },
    ],
  }
}

const jitterOf = (loop: readonly LoopSample[], clock: Clock) =>
  quantilesOf('Loop jitter, ms', loop, clock, {
    median: ({ jitterMedian }) => jitterMedian,
    at99: ({ jitter99 }) => jitter99,
  })

const latencyOf = (loop: readonly LoopSample[], clock: Clock) =>
  quantilesOf('Picture to command, ms', loop, clock, {
    median: ({ latencyMedian }) => latencyMedian,
    at99: ({ latency99 }) => latency99,
  })

function smoothed(points: readonly CurvePoint[]): CurvePoint[] {
  const means = movingMean(
    points.map(({ y }) => y),
    5,
  )
  return points.map(({ x }, i) => ({ x, y: means[i]! }))
}

/** From the first to the last event on a clock. */
export function domainOf(metrics: readonly Metric[], clock: Clock): [number, number] {
  const last = metrics.length ? clock.at(metrics[metrics.length - 1]!) : 0
  return [0, Math.max(last, 0.1)]
}
