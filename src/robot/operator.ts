/** @file Whoever watches the robot and may take over: a person at the console, or a simulated one. */
import type { Action, Observation } from './robot.ts'

export type Tending = {
  takeover?: Action // executed instead of the planned action
  command?: string // "move right and forward"; absent: no command
  verdict?: 'success' | 'failure' | 'abort'
}

export interface Operator {
  /** A new episode begins. */
  begin(task: string): void
  /** Called once a step with what the policy plans to do; never blocks the loop. */
  tend(observation: Observation, planned: Action): Tending
}
