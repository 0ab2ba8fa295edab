/** @file Where the tool should be: actions move this pose, a leash keeps it near the tool, a box keeps it over the table. */
import { GRIPPER_ENTRY, gripAfter } from '../../robot/gripper.ts'
import type { Action } from '../../robot/robot.ts'
import { WORK_BOX } from './layout.ts'
import { conjugate, fromRotationVector, multiply, rotationVector, unit } from './spatial.ts'
import type { Pose, Vec3 } from './truth.ts'
import { add, length, scale, subtract } from './vector.ts'

export const ACTION_SCALE = { translation: 0.015, rotation: 0.15 } // metres, radians per step at |a| = 1
const LEASH = { translation: 0.03, rotation: 0.35 } // metres, radians between target and tool

export type GripperCommand = 'open' | 'close'
export type TargetState = { pose: Pose; gripper: GripperCommand }

const withinBox = (p: Vec3): Vec3 => p.map((x, i) => Math.min(WORK_BOX.high[i]!, Math.max(WORK_BOX.low[i]!, x))) as Vec3

const atMost = (v: Vec3, limit: number): Vec3 => {
  const size = length(v)
  return size > limit ? scale(v, limit / size) : v
}

/** The target pose moves linearly from where it was to where the action puts it, while the physics steps run. */
export class Target {
  gripper: GripperCommand = 'open'
  private pose: Pose = { position: [0, 0, 0], rotation: [1, 0, 0, 0] }
  private from = this.pose
  private travel: Vec3 = [0, 0, 0]
  private turn: Vec3 = [0, 0, 0]

  /** Rests at `pose`. */
  hold(pose: Pose): void {
    this.pose = this.from = pose
    this.travel = [0, 0, 0]
    this.turn = [0, 0, 0]
  }

  /** Adds one action (components clipped to [-1, 1]), then pulls back to within the leash of `actual` and into the work box. */
  push(action: Action, actual: Pose): void {
    const part = (i: number) => Math.min(1, Math.max(-1, action[i]!))
    const moved = add(this.pose.position, scale([part(0), part(1), part(2)], ACTION_SCALE.translation))
    const turned = multiply(
      fromRotationVector(scale([part(3), part(4), part(5)], ACTION_SCALE.rotation)),
      this.pose.rotation,
    )
    const ahead = atMost(subtract(moved, actual.position), LEASH.translation)
    const aside = atMost(rotationVector(multiply(turned, conjugate(actual.rotation))), LEASH.rotation)
    const next: Pose = {
      position: withinBox(add(actual.position, ahead)),
      rotation: unit(multiply(fromRotationVector(aside), actual.rotation)),
    }
    this.gripper = gripAfter(action[GRIPPER_ENTRY]!, this.gripper === 'close' ? 1 : -1) === 1 ? 'close' : 'open'
    this.from = this.pose
    this.travel = subtract(next.position, this.from.position)
    this.turn = rotationVector(multiply(next.rotation, conjugate(this.from.rotation)))
    this.pose = next
  }

  /** The pose at `fraction` (0 to 1] of the way of the last action. */
  at(fraction: number): Pose {
    if (fraction >= 1) return this.pose
    return {
      position: add(this.from.position, scale(this.travel, fraction)),
      rotation: multiply(fromRotationVector(scale(this.turn, fraction)), this.from.rotation),
    }
  }

  save(): TargetState {
    return { pose: this.pose, gripper: this.gripper }
  }

  restore(state: TargetState): void {
    this.hold(state.pose)
    this.gripper = state.gripper
  }
}
