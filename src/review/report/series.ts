/** @file From a run's metrics to the points of its charts. */
import { judgedOnly } from '../../metrics/judged.ts'
import type { HealthSign, Metric, MetricOf } from '../../metrics/metrics.ts'
import { percent } from '../../metrics/percent.ts'
import { robotMinutes, robotSeconds } from '../../metrics/robot-time.ts'
import { movingMean, movingSuccess } from '../../metrics/statistics.ts'
import { operatorSeconds, operatorTime } from '../../metrics/summary.ts'
import { unaided } from '../../metrics/unaided.ts'
import type { Point } from './plot.ts'
import type { Domain } from './scale.ts'

/** A way to place an event on the time axis. `rate`: Hz of the robot, 10 where nothing is said. */
export type Clock = { label: string; rate?: number; at: (metric: Pick<Metric, 'time' | 'robotSteps'>) => number }

export const robotClock = (rate?: number): Clock => ({
  label: 'robot minutes',
  rate,
  at: ({ robotSteps }) => robotMinutes(robotSteps, rate),
})
export const wallClock = (rate?: number): Clock => ({ label: 'wall minutes', rate, at: ({ time }) => time / 60 })

/** From 0 to the last event, so that the panels of one clock share their axis. */
export const clockDomain = (metrics: readonly Metric[], clock: Clock): Domain => [
  0,
  metrics.reduce((latest, metric) => Math.max(latest, clock.at(metric)), 0),
]

/** Success of the last `window` training episodes, the operator's help included, with Wilson intervals. */
export function assistedSuccess(all: readonly MetricOf<'episode'>[], clock: Clock, window: number): Point[] {
  const episodes = judgedOnly(all)
  const rates = movingSuccess(
    episodes.map(({ success }) => success),
    window,
  )
  return rates.map(({ rate, interval: [low, high] }, i) => ({ x: clock.at(episodes[i]!), y: rate, low, high }))
}

/** Share of the last `window` training episodes that succeeded without any step or word of the operator. */
export function unaidedSuccess(all: readonly MetricOf<'episode'>[], clock: Clock, window: number): Point[] {
  const episodes = judgedOnly(all)
  const rates = movingSuccess(
    episodes.map((episode) => episode.success && unaided(episode)),
    window,
  )
  return rates.map(({ rate }, i) => ({ x: clock.at(episodes[i]!), y: rate }))
}

export function evaluated(evaluations: readonly MetricOf<'evaluation'>[], task: string, clock: Clock): Point[] {
  return evaluations.flatMap((evaluation) => {
    const score = evaluation.tasks[task]
    if (!score) return []
    const [low, high] = score.interval
    const note = `${score.successes} of ${score.trials} at ${clock.at(evaluation).toFixed(1)} ${clock.label} (${percent(low)} to ${percent(high)})`
    return [{ x: clock.at(evaluation), y: score.success, low, high, note }]
  })
}

/** Share of the steps of the last `window` episodes that the operator took. */
export function movingIntervention(episodes: readonly MetricOf<'episode'>[], clock: Clock, window: number): Point[] {
  const operated = movingMean(
    episodes.map(({ operatorSteps }) => operatorSteps),
    window,
  )
  const steps = movingMean(
    episodes.map(({ length }) => length),
    window,
  )
  return episodes.map((episode, i) => ({ x: clock.at(episode), y: steps[i]! > 0 ? operated[i]! / steps[i]! : 0 }))
}

/** Seconds that the operator gave, by hand and by word, for each second of the last `window` episodes; empty where nobody could speak. */
export function movingOperatorTime(episodes: readonly MetricOf<'episode'>[], clock: Clock, window: number): Point[] {
  if (episodes.every(({ commands }) => commands === undefined)) return []
  const given = movingMean(
    episodes.map((episode) => operatorSeconds(operatorTime([episode], clock.rate))),
    window,
  )
  const lived = movingMean(
    episodes.map(({ length }) => robotSeconds(length, clock.rate)),
    window,
  )
  return episodes.map((episode, i) => ({ x: clock.at(episode), y: lived[i]! > 0 ? given[i]! / lived[i]! : 0 }))
}

/** A resumed run repeats the updates since its checkpoint: the later ones are those that the policy comes from. */
export function withoutRepeats(updates: readonly MetricOf<'update'>[]): MetricOf<'update'>[] {
  let earliest = Number.POSITIVE_INFINITY
  const kept = updates.toReversed().filter(({ update }) => {
    const isLatest = update < earliest
    earliest = Math.min(earliest, update)
    return isLatest
  })
  return kept.reverse()
}

/** One value of each update, in buckets of equal size so that at most `most` points are drawn; empty buckets are gaps. */
export function byUpdate(
  updates: readonly MetricOf<'update'>[],
  pick: (update: MetricOf<'update'>) => number | undefined,
  most = 300,
): Point[] {
  const measured = updates.filter((update) => pick(update) !== undefined)
  const size = Math.max(1, Math.ceil(measured.length / most))
  return Array.from({ length: Math.ceil(measured.length / size) }, (_, bucket) => {
    const part = measured.slice(bucket * size, (bucket + 1) * size)
    const values = part.map((update) => pick(update)!)
    return { x: part[part.length - 1]!.update, y: movingMean(values, size)[values.length - 1]! }
  })
}

/** From where a sign appeared to where it cleared (robot steps); `last` is how it was last noted. */
export type HealthStretch = { last: HealthSign; cleared?: number }

/** In the order in which they appeared. */
export function healthStretches(changes: readonly MetricOf<'health'>[]): HealthStretch[] {
  const stretches: HealthStretch[] = []
  const open = new Map<string, HealthStretch>()
  for (const { signs, robotSteps } of changes) {
    for (const [name, stretch] of open) {
      if (signs.some(({ sign }) => sign === name)) continue
      stretch.cleared = robotSteps
      open.delete(name)
    }
    for (const sign of signs) {
      const stretch = open.get(sign.sign) ?? { last: sign }
      if (!open.has(sign.sign)) stretches.push(stretch)
      stretch.last = sign
      open.set(sign.sign, stretch)
    }
  }
  return stretches
}
