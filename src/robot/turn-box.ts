/**
 * @file How the tool of a robot may be turned: limits of its roll, pitch and yaw about the fixed axes of the base, the angles of
 * SERL's ABS_POSE_LIMIT and of `rpy` in ROS. An angle is compared as near to the middle of its limits as whole turns bring it.
 */
import {
  type Euler,
  eulerOf,
  fromEuler,
  fromRotationVector,
  multiply,
  type Quat,
  rotationBetween,
  type Vec3,
} from './rotation.ts'

export type TurnBox = { low: readonly number[]; high: readonly number[] } // rad: roll, pitch, yaw

function anglesOf(rotation: Quat, { low, high }: TurnBox): Euler {
  const whole = 2 * Math.PI
  return eulerOf(rotation).map((angle, i) => {
    const middle = (low[i]! + high[i]!) / 2
    return angle - whole * Math.round((angle - middle) / whole)
  }) as Euler
}

/** rad by which the angle that is furthest out is out; 0 within, and where there is no box. */
export const turnedBeyond = (rotation: Quat, box: TurnBox | undefined): number =>
  box ? Math.max(0, ...anglesOf(rotation, box).flatMap((angle, i) => [box.low[i]! - angle, angle - box.high[i]!])) : 0

/**
 * What of a turn about the axes of the base [3, rad] is left so that none of the angles leaves the box; outside of it already,
 * none goes further out. No larger than `about`. Pure.
 */
export function keptTurn(about: Vec3, rotation: Quat, box: TurnBox): Vec3 {
  const before = anglesOf(rotation, box)
  const after = anglesOf(multiply(fromRotationVector(about), rotation), box)
  const kept = after.map((angle, i) =>
    Math.min(Math.max(box.high[i]!, before[i]!), Math.max(Math.min(box.low[i]!, before[i]!), angle)),
  ) as Euler
  if (kept.every((angle, i) => angle === after[i])) return about
  const left = rotationBetween(rotation, fromEuler(kept))
  const share = Math.min(1, Math.hypot(...about) / Math.hypot(...left))
  return left.map((angle) => share * angle) as Vec3
}
