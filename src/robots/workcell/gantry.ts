/** @file Drive of the gantry, the test double of the arm: its joints are the tool pose, so there is neither Jacobian nor torque. */
import { eulerOf } from '../../robot/rotation.ts'
import type { Drive } from './controller.ts'
import { HOME_ROTATION } from './layout.ts'
import { conjugate, multiply } from './spatial.ts'
import type { Pose } from './truth.ts'
import type { World } from './world.ts'

export class GantryDrive implements Drive {
  constructor(private readonly world: World) {}

  place(pose: Pose): void {
    const { qpos, qvel } = this.world.views
    qpos.set(this.joints(pose), 0)
    qvel.fill(0, 0, 6)
    this.world.refresh()
  }

  drive(target: Pose): void {
    this.world.views.ctrl.set(this.joints(target), 0)
  }

  private joints(pose: Pose): number[] {
    return [...pose.position, ...eulerOf(multiply(pose.rotation, conjugate(HOME_ROTATION))).reverse()]
  }
}
