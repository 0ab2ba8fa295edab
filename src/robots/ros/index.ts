/** @file An arm that ROS drives, through rosbridge, as a kind of robot. */
import type { RobotKind } from '../../robot/rig.ts'
import { RosConfig } from './config.ts'
import { rosSpec } from './spec.ts'

export const ros: RobotKind<typeof RosConfig> = {
  kind: 'ros',
  config: RosConfig,
  describe: (config) => rosSpec(config),
  open: async (config, cell, options) => (await import('./rig.ts')).openRos(config, cell, options),
  stop: async (config) => (await import('./stop.ts')).stopRos(config),
}
