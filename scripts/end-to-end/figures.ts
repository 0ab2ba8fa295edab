/** @file The figures of a proof: from what the robot received, what the run noted, and what the person saw to be true. */
import { join } from 'node:path'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { quantile, wilsonInterval } from '../../src/metrics/statistics.ts'
import type { Received } from '../../src/robot/test-channel.ts'
import { jitterAsReceived } from './received.ts'
import type { Report } from './report.ts'
import type { ServedRobot } from './robots.ts'

type Score = { successes: number; trials: number; interval: readonly [number, number] }
type Spread = { median: number; p99: number; worst99: number }
export type Figures = {
  success: Record<string, Score> // true, by evaluation
  told: Record<string, { successes: number; trials: number }> // as the run noted them
  practice: { episodes: number; successes: number; steps: number; operatorSteps: number }
  interventions: number
  labels: number // in the data at the end
  commandsSaid: number
  stops: number
  /** ms, between commands as the robot received them; null of one to which a step is several. */
  received: { median: number; p99: number; steps: number } | null
  jitter: Spread // ms, between steps as the loop made them: over the episodes' own quantiles
  latency: Spread // ms, picture to command, likewise
  updatesPerSecond: number
  faults: string[]
}

export function figuresOf(
  run: string,
  report: Report,
  received: readonly Received[],
  { stepIsOneCommand }: Pick<ServedRobot, 'stepIsOneCommand'>,
): Figures {
  const metrics = readMetrics(join(run, 'metrics.jsonl'))
  const episodes = ofKind(metrics, 'episode')
  const timings = episodes.flatMap(({ timing }) => timing ?? [])
  const learning = ofKind(metrics, 'update').filter(({ phase }) => phase === 'online')
  const [first, last] = [learning[0], learning.at(-1)]
  const jitters = jitterAsReceived(received, report.windows)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const at = (values: readonly number[], share: number) => (values.length > 0 ? quantile(values, share) : Number.NaN)
  type Told = (timing: (typeof timings)[number]) => number
  const spread = (median: Told, high: Told): Spread => ({
    median: at(timings.map(median), 0.5),
    p99: at(timings.map(high), 0.5),
    worst99: at(timings.map(high), 1),
  })
  const success: Figures['success'] = {}
  for (const stage of new Set(report.trials.map(({ stage }) => stage))) {
    const trials = report.trials.filter((trial) => trial.stage === stage)
    const successes = trials.filter((trial) => trial.success).length
    success[stage] = { successes, trials: trials.length, interval: wilsonInterval(successes, trials.length) }
  }
  const told: Figures['told'] = {}
  for (const { stage, tasks } of ofKind(metrics, 'evaluation')) {
    const scores = Object.values(tasks)
    told[stage ?? '?'] = {
      successes: sum(scores.map(({ successes }) => successes)),
      trials: sum(scores.map(({ trials }) => trials)),
    }
  }
  return {
    success,
    told,
    practice: {
      episodes: episodes.length,
      successes: episodes.filter(({ success }) => success).length,
      steps: sum(episodes.map(({ length }) => length)),
      operatorSteps: sum(episodes.map(({ operatorSteps }) => operatorSteps)),
    },
    interventions: sum(episodes.map(({ segments }) => segments?.length ?? 0)),
    labels: sum(Object.values(ofKind(metrics, 'labels').at(-1)?.counts ?? {})),
    commandsSaid: report.commands,
    stops: report.stops,
    received: stepIsOneCommand ? { median: at(jitters, 0.5), p99: at(jitters, 0.99), steps: jitters.length } : null,
    jitter: spread(
      ({ jitterMedian }) => jitterMedian,
      ({ jitter99 }) => jitter99,
    ),
    latency: spread(
      ({ latencyMedian }) => latencyMedian,
      ({ latency99 }) => latency99,
    ),
    updatesPerSecond: first && last && last !== first ? (last.update - first.update) / (last.time - first.time) : 0,
    faults: report.faults,
  }
}
