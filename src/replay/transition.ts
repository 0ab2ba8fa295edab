/** @file One step of interaction, the unit that the log, the replay buffers and the learner share. */
import type { Action, Observation } from '../robot/robot.ts'

/** By their numbers in the log and on the console's wire. `exploration`: nobody planned it, it was tried (loop/exploration.ts). */
export const ACTORS = ['primary', 'refinement', 'operator', 'exploration'] as const
export type Actor = (typeof ACTORS)[number]

/**
 * Whose word reward and end of a step are: the robot's own test, a classifier's, or a person's, who overrules both. The
 * clock says nothing of the state: it cuts an episode off.
 */
export const JUDGES = ['robot', 'classifier', 'person', 'clock'] as const
export type Judge = (typeof JUDGES)[number]

/** Where a transition comes from: demonstrations (and interventions, once an episode ends) are cloned, rollouts are not. */
export type Source = 'demonstration' | 'online'

/**
 * The next observation is the next record's observation; the last one of an episode is stored as the episode's end.
 * Ids increase over the run, so that replays and re-sends are idempotent.
 */
export type Transition = {
  id: number
  episode: number
  step: number // 0.. within the episode
  task: string
  source: Source
  observation: Observation
  action: Action // what was executed
  planned?: Action // what the primary actor would have done; left out where nobody asked it
  reward: number
  terminated: boolean
  truncated: boolean
  by: Judge
  confidence?: number // 0 to 1, where the judge has one
  actor: Actor
  command: string | null // what was said while this step was taken
  policyVersion?: number // updates that the policy held which planned it; left out where the run has one process
}
