/** @file Lets the scripted expert act: whole episodes with noise on its actions, and how often they succeed. */
import { AutoregressiveNoise } from '../../random/autoregressive.ts'
import { RandomStream } from '../../random/stream.ts'
import { attempt } from '../../robot/attempt.ts'
import type { Action, Robot } from '../../robot/robot.ts'
import { expertAction } from './expert.ts'
import { OperatorHand } from './operator/hand.ts'
import { PERSON } from './operator/options.ts'
import { EXPERT } from './plan.ts'
import type { Truth } from './truth.ts'

const MOTION_AXES = 6

export type DemonstratorOptions = {
  noise?: number // standard deviation on each motion axis, action units; 0
  memory?: number // AR(1) coefficient of the noise; 0 (white)
  gain?: number
}

/** The expert with an unsteady hand. One per episode: its noise depends on the seed alone. */
export function demonstrator(truth: () => Truth, seed: number, options: DemonstratorOptions = {}): () => Action {
  const { noise = 0, memory = 0, gain = EXPERT.gain } = options
  const wander = new AutoregressiveNoise(new RandomStream(seed, 'demonstrator'), MOTION_AXES, noise, memory)
  wander.begin()
  return () => {
    const action = expertAction(truth(), gain)
    for (let axis = 0; axis < MOTION_AXES; axis++)
      action[axis] = Math.min(1, Math.max(-1, action[axis]! + wander.value[axis]!))
    wander.advance()
    return action
  }
}

/**
 * A person who demonstrates with a device: the expert's plan, seen late, through a hand (operator/hand.ts). `noise` and
 * `memory` are those of its tremor. One per episode: what it does depends on the seed alone.
 */
export function handDemonstrator(truth: () => Truth, seed: number, options: DemonstratorOptions = {}): () => Action {
  const { noise = 0, memory = 0, gain = PERSON.gain } = options
  const hand = new OperatorHand(
    { ...PERSON, tremor: noise, tremorMemory: memory },
    new RandomStream(seed, 'demonstrator'),
  )
  const seen: Truth[] = [] // newest first
  return () => {
    seen.unshift(truth())
    if (seen.length === 1) hand.take(seen[0]!.gripper.command)
    seen.length = Math.min(seen.length, PERSON.handDelay + 1)
    return hand.push(expertAction(seen.at(-1)!, gain))
  }
}

export type SuccessCount = {
  trials: number
  successes: number
  meanSteps: number // of the successful ones; NaN if there are none
  failedSeeds: number[]
}

/**
 * Counts the expert's successes over seeds firstSeed .. firstSeed + trials - 1 for each task. `robot` is a workcell (without
 * cameras it is fast) or a safety envelope around it, `truth` its privileged state.
 */
export async function expertSuccess(options: {
  robot: Robot
  truth: () => Truth
  tasks?: readonly string[] // default: all of the robot's
  firstSeed?: number // 50000
  trials?: number // 100
  demonstrator?: DemonstratorOptions
}): Promise<Record<string, SuccessCount>> {
  const { robot, truth, tasks = Object.keys(robot.spec.tasks), firstSeed = 50_000, trials = 100 } = options
  const counts: Record<string, SuccessCount> = {}
  for (const task of tasks) {
    const failedSeeds: number[] = []
    let steps = 0
    for (let seed = firstSeed; seed < firstSeed + trials; seed++) {
      const result = await attempt(robot, task, seed, demonstrator(truth, seed, options.demonstrator))
      if (result.success) steps += result.steps.length
      else failedSeeds.push(seed)
    }
    const successes = trials - failedSeeds.length
    counts[task] = { trials, successes, meanSteps: steps / successes, failedSeeds }
  }
  return counts
}
