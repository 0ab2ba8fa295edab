/** @file Poses as SERL says them: quaternions with the real part last, and the angles of its configs. */
import { type Euler, fromEuler, type Pose, unit } from '../../robot/rotation.ts'

export type Six = readonly [number, number, number, number, number, number] // x y z [m], roll pitch yaw [rad]

/** [x, y, z, qx, qy, qz, qw] */
export const sevenOf = ({ position, rotation: [w, x, y, z] }: Pose): number[] => [...position, x, y, z, w]

/** Of seven finite numbers whose last four are nearly a unit quaternion. */
export const poseOfSeven = ([x, y, z, qx, qy, qz, qw]: readonly number[]): Pose => ({
  position: [x!, y!, z!],
  rotation: unit([qw!, qx!, qy!, qz!]),
})

/**
 * `serl`: what SERL's own conversion makes of RESET_POSE. It builds the matrix of (π - roll, pitch, yaw) about other axes and
 * reads a real-part-first quaternion as real-part-last; what comes out is the rotation of fixed-axes angles with the pitch
 * mirrored. Its TARGET_POSE, and what getpos_euler tells, are plain.
 */
export function poseOfSix([x, y, z, roll, pitch, yaw]: Six, angles: 'euler' | 'serl'): Pose {
  const euler: Euler = [roll, angles === 'serl' ? -pitch : pitch, yaw]
  return { position: [x, y, z], rotation: fromEuler(euler) }
}
