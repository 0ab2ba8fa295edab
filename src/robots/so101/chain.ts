/**
 * @file The chain of an SO-101: where each joint sits on the one before, and how it turns. Lengths and axes as in the maker's public
 * description (SO-ARM100, so101_new_calib): x ahead, z up, every joint 0 in the middle of its range, as calibration has it.
 */
import { fromRotationVector, multiply, type Pose, type Quat, rotate, unit, type Vec3 } from '../../robot/rotation.ts'
import { ARM_JOINTS, type JointVector } from './joints.ts'

/** Fixed to the frame of the joint before it; the joint turns about its own z. `range`: rad, as the arm is built. */
type Link = { position: Vec3; rotation: Quat; range: readonly [low: number, high: number] }

const HALF = Math.SQRT1_2

const LINKS: readonly Link[] = [
  { position: [0.0388353, 0, 0.0624], rotation: [0, 0, -1, 0], range: [-1.91986, 1.91986] },
  { position: [-0.0303992, -0.0182778, -0.0542], rotation: [0.5, -0.5, -0.5, -0.5], range: [-1.74533, 1.74533] },
  { position: [-0.11257, -0.028, 0], rotation: [HALF, 0, 0, HALF], range: [-1.69, 1.69] },
  { position: [-0.1349, 0.0052, 0], rotation: [HALF, 0, 0, -HALF], range: [-1.65806, 1.65806] },
  { position: [0, -0.0611, 0.0181], rotation: [0.0172091, -0.0172091, 0.706897, 0.706897], range: [-2.74385, 2.84121] },
]

/** Between the fingers, from the frame of wrist_roll: x ahead of the gripper. */
const TOOL: Pick<Link, 'position' | 'rotation'> = {
  position: [-0.0079, -0.000218121, -0.0981274],
  rotation: [HALF, 0, HALF, 0],
}

export const BUILT_RANGES = LINKS.map(({ range }) => range)

/** Where the tool is, and where each joint turns about what, all in the base frame. */
export type Posture = { tool: Pose; joints: { position: Vec3; axis: Vec3 }[] }

export function posture(angles: JointVector): Posture {
  let position: Vec3 = [0, 0, 0]
  let rotation: Quat = [1, 0, 0, 0]
  const joints: Posture['joints'] = []
  const move = (link: Pick<Link, 'position' | 'rotation'>) => {
    const [x, y, z] = rotate(rotation, link.position)
    position = [position[0] + x, position[1] + y, position[2] + z]
    rotation = unit(multiply(rotation, link.rotation))
  }
  for (let j = 0; j < ARM_JOINTS; j++) {
    move(LINKS[j]!)
    joints.push({ position, axis: rotate(rotation, [0, 0, 1]) })
    rotation = multiply(rotation, fromRotationVector([0, 0, angles[j]!]))
  }
  move(TOOL)
  return { tool: { position, rotation: unit(rotation) }, joints }
}
