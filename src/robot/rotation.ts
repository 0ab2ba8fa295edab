/** @file Rotations that every robot tells in the same way: unit quaternions [w, x, y, z], active, in the robot's base frame. */

export type Vec3 = [x: number, y: number, z: number] // metres, base frame
export type Quat = [w: number, x: number, y: number, z: number]
export type Pose = { position: Vec3; rotation: Quat }

/** The rotation "b, then a". */
export const multiply = (a: Quat, b: Quat): Quat => [
  a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
  a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
  a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
  a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
]

export const conjugate = (q: Quat): Quat => [q[0], -q[1], -q[2], -q[3]]

/** Turns `v` by a unit quaternion: v + w t + u × t with t = 2 u × v. */
export function rotate([w, x, y, z]: Quat, v: Vec3): Vec3 {
  const t: Vec3 = [2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])]
  return [
    v[0] + t[0] * w + (y * t[2] - z * t[1]),
    v[1] + t[1] * w + (z * t[0] - x * t[2]),
    v[2] + t[2] * w + (x * t[1] - y * t[0]),
  ]
}

export function unit(q: Quat): Quat {
  const size = Math.hypot(q[0], q[1], q[2], q[3])
  return [q[0] / size, q[1] / size, q[2] / size, q[3] / size]
}

/** exp: the rotation by |v| radians about v. */
export function fromRotationVector(v: Vec3): Quat {
  const angle = Math.hypot(v[0], v[1], v[2])
  if (angle < 1e-12) return unit([1, v[0] / 2, v[1] / 2, v[2] / 2])
  const s = Math.sin(angle / 2) / angle
  return [Math.cos(angle / 2), v[0] * s, v[1] * s, v[2] * s]
}

/** log: the shortest rotation vector of q, |v| ≤ π. */
export function rotationVector(q: Quat): Vec3 {
  const sign = q[0] < 0 ? -1 : 1
  const sine = Math.hypot(q[1], q[2], q[3])
  if (sine < 1e-12) return [2 * sign * q[1], 2 * sign * q[2], 2 * sign * q[3]]
  const factor = (sign * 2 * Math.atan2(sine, sign * q[0])) / sine
  return [q[1] * factor, q[2] * factor, q[3] * factor]
}

/** The shortest rotation vector that turns a into b, base frame. */
export const rotationBetween = (a: Quat, b: Quat): Vec3 => rotationVector(multiply(b, conjugate(a)))

/** m from one pose to another. */
export const distance = (a: Pose, b: Pose): number => gap(a.position, b.position)

/** m between two places. */
export const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!)

/** A pose after a twist [6], base frame: metres, then radians about the pose's own position. */
export const moved = ({ position: [x, y, z], rotation }: Pose, twist: ArrayLike<number>): Pose => ({
  position: [x + twist[0]!, y + twist[1]!, z + twist[2]!],
  rotation: unit(multiply(fromRotationVector([twist[3]!, twist[4]!, twist[5]!]), rotation)),
})

/** Rotations about the fixed axes x, then y, then z, in radians: q = Rz(yaw) Ry(pitch) Rx(roll). */
export type Euler = [roll: number, pitch: number, yaw: number]

export function fromEuler([roll, pitch, yaw]: Euler): Quat {
  const about = (angle: number, axis: 1 | 2 | 3): Quat => {
    const q: Quat = [Math.cos(angle / 2), 0, 0, 0]
    q[axis] = Math.sin(angle / 2)
    return q
  }
  return multiply(about(yaw, 3), multiply(about(pitch, 2), about(roll, 1)))
}

/** Of a unit quaternion; pitch in ±π/2, and at its ends one of the many answers. */
export const eulerOf = ([w, x, y, z]: Quat): Euler => [
  Math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
  Math.asin(Math.min(1, Math.max(-1, 2 * (w * y - z * x)))),
  Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
]
