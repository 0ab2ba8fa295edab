/** @file A chain of joints, and where they bring the tool: forward kinematics of whichever arm. */
import type { Pose } from './rotation.ts'

export type JointChain = {
  joints: readonly string[] // names, from the base on
  ranges: readonly (readonly [low: number, high: number])[] // rad, as the arm is built
  /** Of one angle a joint, rad, in the base frame. */
  tool(angles: ArrayLike<number>): Pose
}
