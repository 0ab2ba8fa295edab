/**
 * @file Whoever looks on while a run goes on, and may reach in: the console. It hears of everything, says who tends the
 * robots, how fast they go, and when they wait; nobody is asked anything where no observer is.
 */
import type { Attendance } from '../loop/attendant.ts'
import type { Metric } from '../metrics/metrics.ts'
import type { Summary } from '../metrics/summary.ts'
import type { Judge } from '../replay/transition.ts'
import type { RunConfig } from './config.ts'
import type { RunFolder } from './folder.ts'
import type { Progress } from './progress.ts'
import type { Session } from './session.ts'

/** So many of each task, into a log in this folder. */
export type WantedDemonstrations = {
  folder: string
  tasks: readonly string[]
  perTask: number
  onKept: (kept: number, of: number) => void
}

/** An evaluation that goes on, trial by trial. */
export type EvaluationProgress = {
  stage: string
  robot: string // cell
  over: boolean
  trials: readonly {
    task: string
    start: string | null // in words, where a person lays it
    outcome: { success: boolean; length: number; by: Judge | null } | null // null until it is over
  }[]
}

export interface Observer extends Attendance {
  /** The robots are there; nothing has been learned or loaded. */
  opened(run: { folder: RunFolder; config: RunConfig; session: Session }): void
  /** The parts of the run are there. `past`: the metrics of its earlier parts. */
  started(parts: { past: readonly Metric[]; followsCommands: boolean }): void
  metric(metric: Metric): void
  progress(progress: Progress): void
  /** A promise while the robot of a cell is held, for whoever moves it outside of an episode. */
  ready(cell: string): Promise<void> | undefined
  /** A person shows what the run begins from; resolves when all of it is kept. */
  demonstrate(cell: string, wanted: WantedDemonstrations): Promise<void>
  evaluating(evaluation: EvaluationProgress): void
  /** It is over, with the run's summary (null of what is no run, an evaluation by itself), or with the error that ended it. */
  closed(outcome: { summary: Summary | null } | { error: unknown }): void
}
