/** @file Rotations and frames of the workcell: unit quaternions [w, x, y, z], active, in the world frame. Vectors are in vector.ts. */
import { conjugate, unit } from '../../robot/rotation.ts'
import type { Pose, Quat, Vec3 } from './truth.ts'
import { add, cross, dot, length, rotate, subtract } from './vector.ts'

export { conjugate, fromRotationVector, multiply, rotationVector, unit } from '../../robot/rotation.ts'

export const IDENTITY: Quat = [1, 0, 0, 0]

/** Quaternion of the row-major 3 × 3 rotation matrix at m[offset..offset + 8]. */
export function fromMatrix(m: ArrayLike<number>, offset = 0): Quat {
  const [xx, xy, xz] = [m[offset]!, m[offset + 1]!, m[offset + 2]!]
  const [yx, yy, yz] = [m[offset + 3]!, m[offset + 4]!, m[offset + 5]!]
  const [zx, zy, zz] = [m[offset + 6]!, m[offset + 7]!, m[offset + 8]!]
  // Shepperd's method: divide by the largest of the four components
  if (xx + yy + zz > 0) return unit([1 + xx + yy + zz, zy - yz, xz - zx, yx - xy])
  if (xx > yy && xx > zz) return unit([zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx])
  if (yy > zz) return unit([xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy])
  return unit([yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz])
}

/** A point given in the frame `pose`, in world coordinates. */
export const toWorld = (pose: Pose, local: Vec3): Vec3 => add(pose.position, rotate(pose.rotation, local))

/** A world point in the frame `pose`. */
export const toLocal = (pose: Pose, world: Vec3): Vec3 =>
  rotate(conjugate(pose.rotation), subtract(world, pose.position))

/** The local +z axis of a rotation, in world coordinates. */
export const upOf = (rotation: Quat): Vec3 => rotate(rotation, [0, 0, 1])

/** Angle between two unit vectors in radians; exact near 0, where acos is not. */
export const angleBetween = (a: Vec3, b: Vec3): number => Math.atan2(length(cross(a, b)), dot(a, b))
