/** @file What a robot behind ROS tells of itself, without a connection. */
import { cameraSpecs } from '../../robot/cameras/config.ts'
import { type Channel, vector } from '../../robot/channels.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import type { RosConfig } from './config.ts'

/** In the order of `ArmReadings.proprio`. */
const channelsOf = ({ velocity, wrench, joints, gripper }: RosConfig): Channel[] => [
  ...vector('tcp', 'm', { of: 'position', low: -10, high: 10 }),
  ...vector('tcp.turn', 'rad', { of: 'turn', low: -4, high: 4 }), // rotation vector from `home`
  ...(velocity ? vector('tcp.velocity', 'm/s', { of: 'velocity', low: -20, high: 20 }) : []),
  ...(velocity ? vector('tcp.angularVelocity', 'rad/s', { low: -200, high: 200 }) : []),
  ...(wrench ? vector('wrist.force', 'N', { of: 'force', low: -1e4, high: 1e4 }) : []),
  ...(wrench ? vector('wrist.torque', 'Nm', { low: -1e4, high: 1e4 }) : []),
  ...(joints?.names ?? []).map((name) => ({ name: `joint.${name}`, unit: 'rad' })),
  ...(gripper?.opening
    ? [{ name: 'gripper.opening', unit: '0 closed, 1 open', low: -1, high: 2, role: 'opening' as const }]
    : []),
  ...(gripper ? [{ name: 'gripper.command', unit: '-1 open, 1 close', low: -1, high: 1, role: 'grip' as const }] : []),
]

export const rosSpec = (config: RosConfig): RobotSpec => ({
  name: config.name,
  rate: config.rate,
  cameras: cameraSpecs(config.cameras),
  channels: channelsOf(config),
  home: config.home,
  actionFrame: 'base',
  actionScale: config.actionScale,
  tasks: config.tasks,
})
