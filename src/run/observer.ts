/**
 * @file Whoever looks on while a run goes on, and may reach in: the console. It hears of everything, says who tends the
 * robots, how fast they go, and when they wait; nobody is asked anything where no observer is.
 */
import type { Attendance } from '../loop/attendant.ts'
import type { Metric } from '../metrics/metrics.ts'
import type { Summary } from '../metrics/summary.ts'
import type { RunConfig } from './config.ts'
import type { RunFolder } from './folder.ts'
import type { Progress } from './progress.ts'
import type { Session } from './session.ts'

export interface Observer extends Attendance {
  /** The robots are there; nothing has been learned or loaded. */
  opened(run: { folder: RunFolder; config: RunConfig; session: Session }): void
  /** The parts of the run are there. `past`: the metrics of its earlier parts. */
  started(parts: { past: readonly Metric[]; followsCommands: boolean }): void
  metric(metric: Metric): void
  progress(progress: Progress): void
  /** A promise while the robot of a cell is held, for whoever moves it outside of an episode. */
  ready(cell: string): Promise<void> | undefined
  /** The run is over, with its summary, or with the error that ended it. */
  closed(outcome: { summary: Summary } | { error: unknown }): void
}
