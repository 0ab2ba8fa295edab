/** @file What happens in an episode, as it is told to whoever hears of it: each step, and how it ended. */
import type { Segment } from '../metrics/metrics.ts'
import type { Ending } from '../replay/episode.ts'
import type { Actor, Judge } from '../replay/transition.ts'
import type { Action } from '../robot/robot.ts'
import type { LoopTimes } from './timing.ts'

/** What happened between one observation and the next. */
export type Happening = {
  step: number
  action: Action // as it reached the motors, after the safety envelope
  planned: Action // what the primary actor would have done
  reward: number
  terminated: boolean
  truncated: boolean
  by: Judge
  confidence?: number
  actor: Actor
  command: string | null
  policyVersion?: number // of what planned it, where there are several processes
}

export type EpisodeSummary = {
  task: string
  seed: number
  ending: Exclude<Ending, 'interrupted'>
  length: number // steps
  operatorSteps: number
  spokenSteps: number // under a command
  commands: number // said in it
  segments: Segment[] // the operator's interventions
  by?: Judge // of its last step; left out where there was none
  timing?: LoopTimes // of a robot in real time
  /** A person ended the episode, and says this of its last step. */
  judged?: { reward: number; terminated: boolean }
}
