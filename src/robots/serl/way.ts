/** @file The way from one pose to another, in points of which none is further from the one before than a period allows. */
import { conjugate, fromRotationVector, multiply, type Pose, rotationVector, type Vec3 } from '../../robot/rotation.ts'

/** m and rad in one period. */
export type Stride = { translation: number; rotation: number }

export const distance = (a: Pose, b: Pose): number =>
  Math.hypot(...a.position.map((value, axis) => value - b.position[axis]!))

/** rad of the turn from one to the other. */
export const angleTo = (a: Pose, b: Pose): number =>
  Math.hypot(...rotationVector(multiply(b.rotation, conjugate(a.rotation))))

/** Straight, and turning evenly about one axis. The last point is `to`. */
export function wayTo(from: Pose, to: Pose, stride: Stride): Pose[] {
  const whole = rotationVector(multiply(to.rotation, conjugate(from.rotation)))
  const count = Math.ceil(Math.max(distance(from, to) / stride.translation, angleTo(from, to) / stride.rotation, 1))
  return Array.from({ length: count }, (_, i) => {
    const part = (i + 1) / count
    if (part === 1) return to
    return {
      position: from.position.map((value, axis) => value + part * (to.position[axis]! - value)) as Vec3,
      rotation: multiply(fromRotationVector(whole.map((angle) => part * angle) as Vec3), from.rotation),
    }
  })
}
