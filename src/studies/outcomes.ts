/** @file The trials of finished runs, pooled over training seeds, and matched trial by trial between methods. */
import { InputError } from '../errors.ts'
import { type Metric, type MetricOf, readMetrics, type TrialOutcome } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { type PairedDifference, pairedDifference } from '../metrics/statistics.ts'
import type { FinishedRun } from './experiment.ts'

/** A finished run with what it measured. */
export type Measured = FinishedRun & { metrics: Metric[] }

export const measure = (run: FinishedRun): Measured => ({ ...run, metrics: readMetrics(run.folder.metrics) })

export type EvaluationKind = 'step 0' | 'final'

/** @throws InputError if the run has no such evaluation, or an earlier version wrote it without its trials */
export function outcomes({ metrics, folder }: Measured, kind: EvaluationKind, task: string): TrialOutcome[] {
  const evaluation = ofKind(metrics, 'evaluation').findLast(({ stage }) => stage === kind)
  const found = evaluation?.tasks[task]?.outcomes
  if (found) return found
  throw new InputError(folder.metrics, `has no trials of ${task}, evaluation "${kind}"`, 'Train this run again')
}

/** Trials of all runs and tasks, one after the other. */
export const pooledOutcomes = (
  runs: readonly Measured[],
  kind: EvaluationKind,
  tasks: readonly string[],
): TrialOutcome[] => runs.flatMap((run) => tasks.flatMap((task) => outcomes(run, kind, task)))

/**
 * Success of the first minus that of the second, trial by trial: same training seed, task and start.
 * @throws InputError if a trial of one has no partner in the other
 */
export function compare(
  first: readonly Measured[],
  second: readonly Measured[],
  tasks: readonly string[],
): PairedDifference {
  const [a, b] = [trialsOf(first, tasks), trialsOf(second, tasks)]
  const lone = [...a.keys()].find((key) => !b.has(key)) ?? [...b.keys()].find((key) => !a.has(key))
  if (lone) throw new InputError('paired comparison', `${lone} is on one side only`, 'Use the same seeds and trials')
  return pairedDifference([...a].map(([key, success]) => [success, b.get(key)!] as const))
}

function trialsOf(runs: readonly Measured[], tasks: readonly string[]): Map<string, boolean> {
  const trials = new Map<string, boolean>()
  for (const run of runs)
    for (const task of tasks)
      for (const { seed, success } of outcomes(run, 'final', task))
        trials.set(`seed ${run.config.seed}, ${task}, start ${seed}`, success)
  return trials
}

/** Practice, in order. */
export const practice = ({ metrics }: Measured): MetricOf<'episode'>[] => ofKind(metrics, 'episode')
