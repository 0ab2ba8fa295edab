/** @file Who stands beside a robot while it acts, and may hold it between two steps; nobody is asked anything where no one is. */
import type { Operator, Verdict } from '../robot/operator.ts'
import type { Action, Observation } from '../robot/robot.ts'
import type { EpisodeSummary, Happening } from './happening.ts'

/** An episode that is about to begin. */
export type EpisodeSetting = {
  cell: string
  stage: 'practice' | 'evaluation'
  task: string
  episode: number | null // its number in the log; null where none is kept
}

/** Beside one robot for one episode. Where it answers undefined the loop goes on at once, without even a turn of the event loop. */
export interface Attendant {
  /** Before the robot is reset; a promise holds it back. */
  ready(): Promise<void> | undefined
  /** Once the robot is where it begins: a promise while a person lays the scene. `seed` fixes which start it is. */
  scene(seed: number): Promise<void> | undefined
  begin(observation: Observation): void
  /**
   * Before each step. A promise holds the robot back; a verdict ends the episode there: it judges the last step that was
   * taken, and no other one follows.
   */
  between(): Promise<Verdict | undefined> | undefined
  /**
   * `planned`: what the primary actor would have done. `latency`: ms from the picture to the command, in real time, where this
   * is called once the next command is on its way.
   */
  step(happening: Happening, planned: Action, next: Observation, latency?: number): void
  end(summary: EpisodeSummary): void
}

/** Who tends the robots of a run, how fast they go, and who stands beside them. */
export interface Attendance {
  /** Speed of simulated robots against real time; `own` is that of the run's settings. */
  speed(own: number): number
  /** Who tends the robot of a cell; `own` is the run's operator for it, if there is one. */
  operator(cell: string, own: Operator | undefined): Operator | undefined
  attend(scene: EpisodeSetting): Attendant
}
