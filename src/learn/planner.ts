/** @file Who plans what a robot does next: the actors of a run, those in a file, or somebody else's at the other end of a wire. */
import type { EncodedObservation } from '../replay/assembler.ts'
import type { Action, Observation } from '../robot/robot.ts'

/** What a plan may be made from beside the embedding. */
export type Sighting = {
  observation: Observation
  task: string
  /** The episode begins, or what was planned last is not what happened: a plan for further ahead is of no use any more. */
  afresh: boolean
}

export interface Planner {
  /** Whether commands move it: where they do not, what is planned goes on. */
  readonly followsCommands: boolean
  /** xi [7]: the noise of this action, in units of K. A plan is finite and [7], or it is none. @throws InputError where there is none */
  primary(seen: EncodedObservation, xi: Float32Array, sighting: Sighting): Promise<Action>
  /** The same where something was said. */
  refined(seen: EncodedObservation, command: string, xi: Float32Array, sighting: Sighting): Promise<Action>
}
