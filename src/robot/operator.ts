/** @file Whoever watches the robot and may take over: a person at the console, or a simulated one. */
import type { Action, Observation } from './robot.ts'

/** What a person says of an episode, which ends it. An abort says nothing of the state. */
export type Verdict = 'success' | 'failure' | 'abort'

export type Tending = {
  takeover?: Action // executed instead of the planned action
  command?: string // "move right and forward"; absent: no command
  /** Metres along x, y and z of the base frame that the command has yet to bring the tool; null: as the policy has it. */
  toGo?: readonly (number | null)[]
  verdict?: Verdict
}

export interface Operator {
  /** A new episode begins. */
  begin(task: string): void
  /** Called once a step with what the policy plans to do; never blocks the loop. */
  tend(observation: Observation, planned: Action): Tending
}
