/** @file What the signs of health are found in: the last lines of a run's metrics, by what they tell. */
import { each } from '../../metrics/figure.ts'
import type { Metric, MetricOf } from '../../metrics/metrics.ts'
import { mean } from '../../metrics/statistics.ts'
import type { RunConfig } from '../../run/config.ts'

/** What the signs need to know of the settings. */
export type HealthConfig = Pick<RunConfig, 'learner' | 'networks' | 'online' | 'talk'>

type Episode = MetricOf<'episode'>
type Update = MetricOf<'update'>

export const UPDATES = 20 // lines of the metrics log that a mean is over
export const EPISODES = 40 // of a task
export const SHARE_EPISODES = 40 // over all tasks
export const DRIFT_LINES = 50 // update lines over which a gap must have grown
const SELDOM = ['refine.response', 'critic.rank', 'critic.rankElsewhere']
const MEASUREMENTS = 12 // of a figure that comes with every 50th update

/**
 * The mean of γ^(T-1-t) over all steps of the episodes that succeeded, 0 for the steps of others: what Q should be on
 * average, as a reward of 1 comes with the last step. `error` is its standard error, episodes being independent (the
 * linearised variance of a ratio of sums).
 */
export function meanReturn(
  episodes: readonly Pick<Episode, 'success' | 'length'>[],
  discount: number,
): { mean: number; error: number } {
  const steps = episodes.reduce((sum, { length }) => sum + length, 0)
  const returns = episodes.map(({ success, length }) => (success ? (1 - discount ** length) / (1 - discount) : 0))
  const ratio = returns.reduce((sum, value) => sum + value, 0) / steps
  const squares = episodes.reduce((sum, { length }, i) => sum + (returns[i]! - ratio * length) ** 2, 0)
  return { mean: ratio, error: Math.sqrt(squares) / steps }
}

export class HeardMetrics {
  readonly updates: Update[] = [] // the last ones
  readonly episodes = new Map<string, Episode[]>() // the last ones of each task
  readonly shares: { first: Episode[]; last: Episode[] } = { first: [], last: [] }
  readonly cameras = new Map<string, MetricOf<'camera'>>() // the last line of each
  readonly gaps = new Map<string, number[]>() // Q̄ minus return, one value an update line
  labels?: MetricOf<'labels'>
  updatesHeard = 0
  learnedAt = 0 // robot steps at the last update
  robotSteps = 0
  private readonly seldom = new Map<string, number[]>() // the last values of figures that are not measured with each update

  constructor(private readonly config: HealthConfig) {}

  hear(metric: Metric): void {
    this.robotSteps = Math.max(this.robotSteps, metric.robotSteps)
    if (metric.kind === 'update') this.hearUpdate(metric)
    if (metric.kind === 'episode') this.hearEpisode(metric)
    if (metric.kind === 'labels') this.labels = metric
    if (metric.kind === 'figures') this.cameras.clear() // the run is opened again: what was seen before tells nothing of now
    if (metric.kind === 'camera') this.cameras.set(`${metric.camera} of ${metric.robot}`, metric)
  }

  /** A figure of the last updates that have it. */
  measured(name: string, among: (update: Update) => boolean = () => true): number[] {
    return this.updates.filter(among).flatMap(({ figures }) => figures[name] ?? [])
  }

  /** The mean of the last measurements; undefined while they are too few. */
  measuredSeldom(name: string): number | undefined {
    const values = this.seldom.get(name) ?? []
    return values.length < MEASUREMENTS ? undefined : mean(values)
  }

  gapOf(task: string): { q: number; returned: number; error: number } | undefined {
    const episodes = this.episodes.get(task) ?? []
    const values = this.measured(`meanQ.${task}`, (update) => update.phase === 'online')
    if (episodes.length < EPISODES || values.length < UPDATES) return undefined
    const { mean: returned, error } = meanReturn(episodes, this.config.learner.discount)
    return { q: mean(values), returned, error }
  }

  private hearUpdate(update: Update): void {
    this.updatesHeard++
    this.learnedAt = update.robotSteps
    this.updates.push(update)
    if (this.updates.length > UPDATES) this.updates.shift()
    for (const name of SELDOM) {
      const value = update.figures[name]
      if (value === undefined) continue
      this.seldom.set(name, [...(this.seldom.get(name) ?? []), value].slice(-MEASUREMENTS))
    }
    for (const task of Object.keys(each(update.figures, 'meanQ'))) {
      const gap = this.gapOf(task)
      if (gap === undefined) continue
      const past = this.gaps.get(task) ?? []
      past.push(gap.q - gap.returned)
      if (past.length > DRIFT_LINES) past.shift()
      this.gaps.set(task, past)
    }
  }

  private hearEpisode(episode: Episode): void {
    if (!episode.aborted) {
      const own = this.episodes.get(episode.task) ?? []
      own.push(episode)
      if (own.length > EPISODES) own.shift()
      this.episodes.set(episode.task, own)
    }
    const { first, last } = this.shares
    if (first.length < SHARE_EPISODES) first.push(episode)
    else last.push(episode)
    if (last.length > SHARE_EPISODES) last.shift()
  }
}
