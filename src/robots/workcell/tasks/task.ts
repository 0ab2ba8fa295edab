/** @file What makes a task of the workcell. Each has a file of its own in this folder, and is known by the file's name. */
import type { RandomStream } from '../../../random/stream.ts'
import type { ExpertPlan } from '../plan.ts'
import type { Furnished, Start } from '../start.ts'
import type { Fixture, Truth } from '../truth.ts'

/** The hole that a bolt is to fill: how deep counts (m), and how far beside the axis (m). */
export type Goal = { fixture: Fixture; seatedDepth: number; offset: number }

export type Task = {
  listed: number // place among the tasks where people see them
  instruction: string
  maxSteps: number
  scene: 'bolts' | 'rail' // with the stand on a rail there is another scene to compile
  succeeds(truth: Truth): boolean
  /** The start state, its fixtures and other bolts being there already. May draw as much as it likes: nothing is drawn after. */
  start(stream: RandomStream, furnished: Furnished): Start
  /** None where the bolt is only lifted, or plays no part. */
  goal?(truth: Truth): Goal
  /** The expert's plan, where it is not about a bolt; undefined in a scene that is not the task's. */
  plan?(truth: Truth): ExpertPlan | undefined
  /** Expert steps still to go under that plan. */
  stepsToGo?(truth: Truth, plan: ExpertPlan): number
}
