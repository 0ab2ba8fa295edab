/** @file The summary of a run that is stopped before it is open: of what earlier parts of it measured. */
import { metricsSoFar } from '../metrics/metrics.ts'
import { type Summary, summarise } from '../metrics/summary.ts'
import { describeRobot } from '../robots/index.ts'
import type { RunConfig } from './config.ts'
import type { RunFolder } from './folder.ts'

export function summarySoFar({ metrics }: Pick<RunFolder, 'metrics'>, { robot, seed }: RunConfig): Summary {
  return summarise(metricsSoFar(metrics), { seed, rate: describeRobot(robot, robot.cells[0]!).rate })
}
