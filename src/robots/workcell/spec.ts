/** @file What a workcell tells of itself, without a scene compiled. */
import type { RobotSpec } from '../../robot/robot.ts'
import { CAMERA_SIZE } from './appearance.ts'
import { HOME_ROTATION } from './layout.ts'
import { workcellCameras } from './mounts.ts'
import type { WorkcellOptions } from './options.ts'
import { ACTION_SCALE } from './target.ts'
import { TASKS } from './tasks/index.ts'

const PROPRIO = [
  ...['x', 'y', 'z'].map((axis) => `tcp.${axis} [m]`),
  ...['x', 'y', 'z'].map((axis) => `tcp.turn.${axis} [rad]`), // rotation vector from the home orientation
  ...['x', 'y', 'z'].map((axis) => `tcp.velocity.${axis} [m/s]`),
  ...['x', 'y', 'z'].map((axis) => `tcp.angularVelocity.${axis} [rad/s]`),
  'gripper.opening [0 closed, 1 open]',
  'gripper.command [-1 open, 1 close]',
  ...['x', 'y', 'z'].map((axis) => `wrist.force.${axis} [N]`), // contact force on the hand, mean over the last step
]

export function specOf(
  options: Pick<WorkcellOptions, 'arm' | 'bolts' | 'cameras' | 'cell' | 'frontCamera'>,
): RobotSpec {
  const { arm, bolts, cameras, cell } = options
  const mounts = workcellCameras(options)
  return {
    name: `workcell-${arm}-${bolts}${cell === 'A' ? '' : `-${cell}`}`,
    cameras: cameras
      ? { front: { ...CAMERA_SIZE, mount: mounts.front }, wrist: { ...CAMERA_SIZE, mount: mounts.wrist } }
      : {},
    proprio: PROPRIO,
    home: HOME_ROTATION,
    actionScale: ACTION_SCALE,
    tasks: Object.fromEntries(
      Object.entries(TASKS).map(([name, { instruction, maxSteps }]) => [name, { instruction, maxSteps }]),
    ),
  }
}
