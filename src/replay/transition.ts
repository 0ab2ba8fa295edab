/** @file One step of interaction, the unit that the log, the replay buffers and the learner share. */
import type { Action, Observation } from '../robot/robot.ts'

export type Actor = 'primary' | 'refinement' | 'operator'

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
  reward: number
  terminated: boolean
  truncated: boolean
  actor: Actor
  command: string | null // what was said while this step was taken
}
