/**
 * @file Whoever looks on while a run goes on, and may reach in: the console. It hears of everything, says who tends the
 * robots, how fast they go, and when they wait; nobody is asked anything where no watcher is.
 */

import type { Metric } from '../metrics/metrics.ts'
import type { Summary } from '../metrics/summary.ts'
import type { Operator } from '../operator/operator.ts'
import type { Action, Observation } from '../robot/robot.ts'
import type { RunConfig } from '../run/config.ts'
import type { RunFolder } from '../run/folder.ts'
import type { Progress } from '../run/opening.ts'
import type { Session } from '../run/session.ts'
import type { EpisodeSummary, Happening } from './episode.ts'

/** An episode that is about to begin. */
export type Scene = {
  cell: string
  stage: 'practice' | 'evaluation'
  task: string
  episode: number | null // its number in the log; null where none is kept
}

export type Verdict = 'success' | 'failure' | 'abort'

/** Beside one robot for one episode. Where it answers undefined the loop goes on at once, without even a turn of the event loop. */
export interface Attendant {
  /** Before the robot is reset; a promise holds it back. */
  ready(): Promise<void> | undefined
  begin(observation: Observation): void
  /**
   * Before each step. A promise holds the robot back; a verdict ends the episode there: it judges the last step that was
   * taken, and no other one follows.
   */
  between(): Promise<Verdict | undefined> | undefined
  /** `planned`: what the primary actor would have done. */
  step(happening: Happening, planned: Action, next: Observation): void
  end(summary: EpisodeSummary): void
}

export interface Watcher {
  /** The robots are there; nothing has been learned or loaded. */
  opened(run: { folder: RunFolder; config: RunConfig; session: Session }): void
  /** The parts of the run are there. `past`: the metrics of its earlier parts. */
  started(parts: { past: readonly Metric[]; followsCommands: boolean }): void
  metric(metric: Metric): void
  progress(progress: Progress): void
  /** Speed of simulated robots against real time; `own` is that of the run's settings. */
  speed(own: number): number
  /** Who tends the robot of a cell; `own` is the run's operator for it, if there is one. */
  operator(cell: string, own: Operator | undefined): Operator | undefined
  attend(scene: Scene): Attendant
  /** A promise while the robot of a cell is held, for whoever moves it outside of an episode. */
  ready(cell: string): Promise<void> | undefined
  /** The run is over, with its summary, or with the error that ended it. */
  closed(outcome: { summary: Summary } | { error: unknown }): void
}
