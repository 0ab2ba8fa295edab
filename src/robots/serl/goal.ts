/** @file Success by the pose of the tool, as FrankaEnv's TARGET_POSE and REWARD_THRESHOLD have it. */
import { conjugate, eulerOf, multiply, type Pose } from '../../robot/rotation.ts'
import { poseOfSix, type Six } from './poses.ts'

/** All of |x y z| and of the angles of the turn that is left are nearer than `within`. */
export function isAtGoal({ position, rotation }: Pose, goal: { pose: Six; within: Six }): boolean {
  const aim = poseOfSix(goal.pose, 'euler')
  const away = position.map((value, axis) => value - aim.position[axis]!)
  const left = eulerOf(multiply(conjugate(rotation), aim.rotation))
  return [...away, ...left].every((value, i) => Math.abs(value) < goal.within[i]!)
}
