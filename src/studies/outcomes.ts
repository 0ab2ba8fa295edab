/** @file The trials of finished runs, over training seeds and starts, and matched trial by trial between methods. */
import { InputError } from '../errors.ts'
import { crossedEstimate, type Estimate, type Tally } from '../metrics/crossed.ts'
import { type Metric, type MetricOf, readMetrics, type TrialOutcome } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { pairedDifference, wilsonInterval } from '../metrics/statistics.ts'
import type { FinishedRun } from './experiment.ts'

/** A finished run with what it measured. */
export type Measured = FinishedRun & { metrics: Metric[] }

export const measure = (run: FinishedRun): Measured => ({ ...run, metrics: readMetrics(run.folder.metrics) })

/** The same policy, tried once more at the end: `tasks` is what came of it. */
export function retried(run: Measured, tasks: MetricOf<'evaluation'>['tasks']): Measured {
  const final = ofKind(run.metrics, 'evaluation').findLast(({ stage }) => stage === 'final')!
  return { ...run, metrics: [...run.metrics, { ...final, tasks }] }
}

export type EvaluationKind = 'step 0' | 'final'

/** @throws InputError if the run has no such evaluation, or an earlier version wrote it without its trials */
function outcomes({ metrics, folder }: Measured, kind: EvaluationKind, task: string): TrialOutcome[] {
  const evaluation = ofKind(metrics, 'evaluation').findLast(({ stage }) => stage === kind)
  const found = evaluation?.tasks[task]?.outcomes
  if (found) return found
  throw new InputError(folder.metrics, `has no trials of ${task}, evaluation "${kind}"`, 'Train this run again')
}

type Trial = { trainingSeed: number; task: string; start: number; success: boolean; length: number }

const trialsOf = (runs: readonly Measured[], kind: EvaluationKind, tasks: readonly string[]): Trial[] =>
  runs.flatMap((run) =>
    tasks.flatMap((task) =>
      outcomes(run, kind, task).map(({ seed, success, length }) => ({
        trainingSeed: run.config.seed,
        task,
        start: seed,
        success,
        length,
      })),
    ),
  )

/** Equal start numbers of several tasks are one start: whether their scenes resemble each other or not, the interval is right. */
function estimated<T extends Pick<Trial, 'trainingSeed' | 'start'>>(trials: readonly T[], cellOf: (trial: T) => Tally) {
  const seeds = [...new Set(trials.map(({ trainingSeed }) => trainingSeed))]
  const starts = [...new Set(trials.map(({ start }) => start))]
  const cells = new Map(seeds.map((seed) => [seed, new Map<number, Tally>()]))
  for (const trial of trials) {
    const row = cells.get(trial.trainingSeed)!
    const { sum, count } = cellOf(trial)
    const cell = row.get(trial.start)
    row.set(trial.start, { sum: (cell?.sum ?? 0) + sum, count: (cell?.count ?? 0) + count })
  }
  const shared = starts.filter((start) => seeds.every((seed) => cells.get(seed)!.has(start)))
  if (shared.length < starts.length)
    throw new InputError('evaluations', 'are not of the same starts in every seed', 'Use the same number of trials')
  return crossedEstimate(seeds.map((seed) => starts.map((start) => cells.get(seed)!.get(start)!)))
}

/** At least as wide as `other` on either side, and within what is possible. */
const atLeast = (estimate: Estimate, other: readonly [number, number], least: number): Estimate => ({
  ...estimate,
  interval: [
    Math.max(least, Math.min(estimate.interval[0], other[0])),
    Math.min(1, Math.max(estimate.interval[1], other[1])),
  ],
})

/**
 * Share of trials that succeed. Where all do, nothing scatters: the interval is never narrower than Wilson's for trials that
 * share nothing.
 */
export function shareOf(trials: readonly Pick<Trial, 'trainingSeed' | 'start' | 'success'>[]): Estimate {
  const successes = trials.filter(({ success }) => success).length
  const estimate = estimated(trials, ({ success }) => ({ sum: Number(success), count: 1 }))
  return atLeast(estimate, wilsonInterval(successes, trials.length), 0)
}

export const successRate = (runs: readonly Measured[], kind: EvaluationKind, tasks: readonly string[]): Estimate =>
  shareOf(trialsOf(runs, kind, tasks))

/** Mean length of the trials that succeed, in steps. */
export const stepsToSuccess = (runs: readonly Measured[], tasks: readonly string[]): Estimate =>
  estimated(trialsOf(runs, 'final', tasks), ({ success, length }) => ({
    sum: success ? length : 0,
    count: Number(success),
  }))

type Pair = Pick<Trial, 'trainingSeed' | 'start'> & { first: Trial; second: Trial }

/**
 * Trials of one training seed, task and start.
 * @throws InputError if a trial of one has no partner in the other
 */
function paired(first: readonly Measured[], second: readonly Measured[], tasks: readonly string[]): Pair[] {
  const named = (runs: readonly Measured[]) =>
    new Map(
      trialsOf(runs, 'final', tasks).map((trial) => [
        `seed ${trial.trainingSeed}, ${trial.task}, start ${trial.start}`,
        trial,
      ]),
    )
  const [a, b] = [named(first), named(second)]
  const lone = [...a.keys()].find((key) => !b.has(key)) ?? [...b.keys()].find((key) => !a.has(key))
  if (lone) throw new InputError('paired comparison', `${lone} is on one side only`, 'Use the same seeds and trials')
  return [...a].map(([key, trial]) => ({ ...trial, first: trial, second: b.get(key)! }))
}

/** Success of the first minus that of the second, trial by trial; never narrower than Newcombe's for pairs that share nothing. */
export function successDifference(
  first: readonly Measured[],
  second: readonly Measured[],
  tasks: readonly string[],
): Estimate {
  return differenceOf(
    paired(first, second, tasks).map((pair) => ({
      ...pair,
      first: pair.first.success,
      second: pair.second.success,
    })),
  )
}

type Verdicts = Pick<Trial, 'trainingSeed' | 'start'> & { first: boolean; second: boolean }

/** The same of trials that were judged elsewhere. Where both always do the same, nothing scatters, and little is known still. */
export function differenceOf(pairs: readonly Verdicts[]): Estimate {
  const estimate = estimated(pairs, ({ first, second }) => ({ sum: Number(first) - Number(second), count: 1 }))
  const { interval } = pairedDifference(pairs.map(({ first, second }) => [first, second] as const))
  return atLeast(estimate, interval, -1)
}

/** Steps to success of the first minus those of the second, over the trials in which both succeed. */
export const stepsDifference = (
  first: readonly Measured[],
  second: readonly Measured[],
  tasks: readonly string[],
): Estimate =>
  estimated(paired(first, second, tasks), (pair) =>
    pair.first.success && pair.second.success
      ? { sum: pair.first.length - pair.second.length, count: 1 }
      : { sum: 0, count: 0 },
  )

/** Practice, in order. */
export const practice = ({ metrics }: Measured): MetricOf<'episode'>[] => ofKind(metrics, 'episode')
