/** @file The line that the metrics have of an episode of practice. */
import type { Practised } from '../loop/practice.ts'
import type { MetricOf } from '../metrics/metrics.ts'
import type { RunConfig } from './config.ts'

/** `at`: on the run's clock, when it was over, and whose it is. Spoken steps stand in it where commands are given. */
export function episodeMetric(
  practised: Practised,
  at: Pick<MetricOf<'episode'>, 'time' | 'robotSteps' | 'robot'>,
  { operator }: Pick<RunConfig, 'operator'>,
): MetricOf<'episode'> {
  const { episode, task, ending, length, operatorSteps, spokenSteps, commands, segments, seed, by, timing } = practised
  return {
    kind: 'episode',
    time: at.time,
    robotSteps: at.robotSteps,
    episode,
    robot: at.robot,
    task,
    success: ending === 'success',
    ...(ending === 'abort' && { aborted: true }),
    length,
    operatorSteps,
    ...(operator.speaks || commands > 0 ? { spokenSteps, commands } : {}),
    segments,
    seed,
    by,
    ...(timing && { timing }),
  }
}
