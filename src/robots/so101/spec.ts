/** @file What an arm tells of itself, without one at hand. */
import { basename } from 'node:path'
import { InputError } from '../../errors.ts'
import { cameraSpecs } from '../../robot/cameras/config.ts'
import { type Channel, vector } from '../../robot/channels.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import { beyond } from '../../robot/work-box.ts'
import { posture } from './chain.ts'
import { SIMULATED, type So101Config } from './config.ts'
import { ARM_JOINTS, JOINTS, toRadians } from './joints.ts'
import { SIMULATED_CAMERAS } from './simulated/picture.ts'

const RATE = 10 // Hz

const CHANNELS: Channel[] = [
  ...vector('tcp', 'm', { of: 'position', low: -1, high: 1 }),
  ...vector('tcp.turn', 'rad', { of: 'turn', low: -4, high: 4 }), // rotation vector from the start pose
  ...JOINTS.slice(0, ARM_JOINTS).map((joint) => ({ name: joint, unit: 'rad', low: -3.5, high: 3.5 })),
  { name: 'gripper.opening', unit: '0 closed, 1 open', low: -0.5, high: 1.5, role: 'opening' },
  { name: 'gripper.command', unit: '-1 open, 1 close', low: -1, high: 1, role: 'grip' },
  { name: 'gripper.load', unit: 'of full duty', low: -1.1, high: 1.1 },
]

export const startAngles = ({ start }: Pick<So101Config, 'start'>): number[] => start.map(toRadians)

/** @throws InputError where an episode would begin outside of the work box */
export function expectStartWithin(config: Pick<So101Config, 'start' | 'safety'>): void {
  const { position } = posture(startAngles(config)).tool
  const out = beyond(position, config.safety.workBox)
  if (out > 0)
    throw new InputError(
      'robot.start',
      `brings the tool to ${position.map((value) => value.toFixed(2)).join(', ')} m, ${(1000 * out).toFixed(0)} mm outside of the work box`,
      'Choose another start pose, or widen safety.workBox',
    )
}

export const nameOfArm = ({ port, arm }: Pick<So101Config, 'port' | 'arm'>): string =>
  `so101-${port === SIMULATED ? SIMULATED : basename(arm, '.json')}`

export const specOfArm = (config: So101Config): RobotSpec => ({
  name: nameOfArm(config),
  rate: RATE,
  cameras: config.port === SIMULATED ? SIMULATED_CAMERAS : cameraSpecs(config.cameras),
  channels: CHANNELS,
  home: posture(startAngles(config)).tool.rotation,
  actionFrame: 'base',
  actionScale: config.actionScale,
  tasks: config.tasks,
})
