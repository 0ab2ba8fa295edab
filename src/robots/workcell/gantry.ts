/** @file Drive of the gantry, the test double of the arm: its joints are the tool pose, so there is neither Jacobian nor torque. */
import type { Drive } from './controller.ts'
import { HOME_ROTATION } from './layout.ts'
import { conjugate, multiply } from './spatial.ts'
import type { Pose, Quat, Vec3 } from './truth.ts'
import type { World } from './world.ts'

/** Angles (z, y, x) with q = Rz(z) Ry(y) Rx(x). */
export function anglesZYX([w, x, y, z]: Quat): Vec3 {
  return [
    Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
    Math.asin(Math.min(1, Math.max(-1, 2 * (w * y - z * x)))),
    Math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
  ]
}

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
    return [...pose.position, ...anglesZYX(multiply(pose.rotation, conjugate(HOME_ROTATION)))]
  }
}
