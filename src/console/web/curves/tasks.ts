/** @file One line a task: how it goes now, how it was evaluated, and how the learner shares its attention. */
import { judgedOnly } from '../../../metrics/judged.ts'
import type { Metric, MetricOf } from '../../../metrics/metrics.ts'
import { ofKind } from '../../../metrics/of-kind.ts'
import { movingSuccess } from '../../../metrics/statistics.ts'

export const WINDOW = 20 // episodes of the running success

export type TaskRow = {
  task: string
  episodes: number
  running: { rate: number; interval: readonly [number, number]; trials: number } | null // of the last episodes, help included
  evaluated: { success: number; interval: readonly [number, number]; trials: number } | null // the newest
  meanLength: number | null // steps of the last episodes
  value: number | null // Q̄
  weight: number | null // ε
}

export function taskRows(metrics: readonly Metric[], tasks: readonly string[]): TaskRow[] {
  const episodes = ofKind(metrics, 'episode')
  const evaluations = ofKind(metrics, 'evaluation')
  const updates = ofKind(metrics, 'update')
  return tasks.map((task) => {
    const own = episodes.filter((episode) => episode.task === task)
    const last = judgedOnly(own).slice(-WINDOW)
    const newest = evaluations.findLast((evaluation) => evaluation.tasks[task])?.tasks[task]
    return {
      task,
      episodes: own.length,
      running:
        movingSuccess(
          last.map(({ success }) => success),
          WINDOW,
        ).at(-1) ?? null,
      evaluated: newest ? { success: newest.success, interval: newest.interval, trials: newest.trials } : null,
      meanLength: last.length ? last.reduce((sum, { length }) => sum + length, 0) / last.length : null,
      value: lastOf(updates, ({ figures }) => figures[`meanQ.${task}`]),
      weight: lastOf(updates, ({ figures }) => figures[`weight.${task}`]),
    }
  })
}

function lastOf(updates: readonly MetricOf<'update'>[], pick: (update: MetricOf<'update'>) => number | undefined) {
  for (let i = updates.length - 1; i >= 0; i--) {
    const value = pick(updates[i]!)
    if (value !== undefined && Number.isFinite(value)) return value
  }
  return null
}
