/** @file Which charts the console draws from a run's metrics. */
import type { Metric, MetricOf } from '../../../run/metrics.ts'
import {
  assistedSuccess,
  type Clock,
  evaluated,
  movingIntervention,
  robotClock,
  unaidedSuccess,
  wallClock,
  withoutRepeats,
} from '../../../run/report/series.ts'
import { movingMean } from '../../../run/statistics.ts'
import type { Curve, CurvePoint } from './align.ts'
import type { ChartProps } from './chart.tsx'

export const CLOCKS = { robot: robotClock, wall: wallClock } as const
export type ClockName = keyof typeof CLOCKS

const WINDOW = 20 // episodes of a running share
const MOST = 400 // points of a curve

export type Plan = Omit<ChartProps, 'domain'>

const percent = (value: number) => `${Math.round(100 * value)} %`
const short = (value: number) => String(Number(value.toPrecision(3)))

const ofKind = <K extends Metric['kind']>(metrics: readonly Metric[], kind: K) =>
  metrics.filter((metric): metric is MetricOf<K> => metric.kind === kind)

/** Every k-th point, the last one among them, so that at most `MOST` remain. */
export function thin<T>(points: readonly T[], most = MOST): T[] {
  const step = Math.ceil(points.length / most)
  return step <= 1 ? [...points] : points.filter((_, i) => (points.length - 1 - i) % step === 0)
}

export function chartsOf(metrics: readonly Metric[], tasks: readonly string[], clock: Clock): Plan[] {
  const episodes = ofKind(metrics, 'episode')
  const evaluations = ofKind(metrics, 'evaluation')
  const updates = thin(withoutRepeats(ofKind(metrics, 'update')))
  const perTask = (record: 'meanQ' | 'weight') =>
    tasks.map((task, i): Curve => ({ label: task, colour: i, look: 'line', points: smooth(record, task) }))
  const smooth = (record: 'meanQ' | 'weight', task: string): CurvePoint[] =>
    updates.flatMap((update) => {
      const value = update[record]?.[task]
      return value === undefined ? [] : [{ x: clock.at(update), y: value }]
    })
  const loss = (
    label: string,
    colour: number,
    pick: (update: (typeof updates)[number]) => number | undefined,
  ): Curve => {
    const told = updates.filter((update) => pick(update) !== undefined)
    const means = movingMean(
      told.map((update) => pick(update)!),
      10,
    )
    return { label, colour, look: 'line', points: told.map((update, i) => ({ x: clock.at(update), y: means[i] })) }
  }
  return [
    ...tasks.map((task, i): Plan => {
      const own = episodes.filter((episode) => episode.task === task)
      return {
        title: `Success, ${task}`,
        range: [0, 1],
        format: percent,
        empty: 'No episode and no evaluation yet',
        curves: [
          { label: 'with help', colour: i, look: 'line', points: thin(assistedSuccess(own, clock, WINDOW)) },
          { label: 'unaided', colour: i, look: 'dashed', points: thin(unaidedSuccess(own, clock, WINDOW)) },
          { label: 'evaluated', colour: i, look: 'dots', points: evaluated(evaluations, task, clock) },
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
      ],
    },
    { title: 'Mean value Q̄', format: short, empty: 'No update yet', curves: perTask('meanQ') },
    { title: 'Task weight ε', format: short, empty: 'No update yet', curves: perTask('weight') },
    {
      title: 'Losses',
      format: short,
      empty: 'No update yet',
      curves: [
        loss('critic', 0, ({ critic }) => critic?.loss),
        loss('actor', 1, ({ actor }) => actor?.loss),
        loss('refinement', 3, ({ refine }) => refine?.loss),
      ],
    },
  ]
}

/** From the first to the last event on a clock. */
export function domainOf(metrics: readonly Metric[], clock: Clock): [number, number] {
  const last = metrics.length ? clock.at(metrics[metrics.length - 1]) : 0
  return [0, Math.max(last, 0.1)]
}
