/** @file The way from one pose to another, in points of which none is further from the one before than a period allows. */
import { distance, fromRotationVector, multiply, type Pose, rotationBetween, type Vec3 } from '../../robot/rotation.ts'

/** m and rad in one period. */
export type Stride = { translation: number; rotation: number }

/** rad of the turn from one to the other. */
export const angleTo = (a: Pose, b: Pose): number => Math.hypot(...rotationBetween(a.rotation, b.rotation))

/** Straight, and turning evenly about one axis. The last point is `to`. */
export function wayTo(from: Pose, to: Pose, stride: Stride): Pose[] {
  const whole = rotationBetween(from.rotation, to.rotation)
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
