/** @file From the heads' answers to the action that the robot executes. */
import { add, clip, constant, mul, type Tensor } from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  conditioning,
  consistencySchedule,
  denoiser,
  type Parameters,
  policyOf,
} from '../nets/index.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { NetworkConfig } from './config.ts'

/** What a head sees of a state: h [..., H], proprio [..., P]. */
export type HeadInput = { h: Tensor; proprio: Tensor }

/** Noise w of scale K [..., A] and a state to an action [..., A]. */
export type HeadsAnswer = (w: Tensor, seen: HeadInput) => Tensor

/** The mean of the heads' answers to the same noise. */
export function meanAnswer(heads: readonly Parameters[]): HeadsAnswer {
  const schedule = consistencySchedule(CONRFT_SCHEDULE)
  return (w, { h, proprio }) => {
    const answers = heads.map((head) => policyOf(denoiser(head), schedule)(w, conditioning(head, h, proprio)))
    return mul(1 / heads.length, answers.reduce(add))
  }
}

/** The same as the robot executes it: the gripper's entry times its gain, clipped to [-1, 1]. */
export function executedAnswer(heads: readonly Parameters[], { gripperGain }: NetworkConfig): HeadsAnswer {
  const answer = meanAnswer(heads)
  if (gripperGain === 1) return answer
  const gains = constant(
    Array.from({ length: ACTION_WIDTH }, (_, entry) => (entry === GRIPPER_ENTRY ? gripperGain : 1)),
    [ACTION_WIDTH],
  )
  return (w, seen) => clip(mul(answer(w, seen), gains), -1, 1)
}
