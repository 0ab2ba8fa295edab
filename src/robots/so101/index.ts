/** @file SO-100 and SO-101 as a kind of robot; what drives the port is loaded when one is opened. */
import type { RobotKind } from '../../robot/rig.ts'
import { BUILT_RANGES, posture } from './chain.ts'
import { SIMULATED, So101Config } from './config.ts'
import { ARM_JOINTS, JOINTS } from './joints.ts'
import { specOfArm } from './spec.ts'

export const so101: RobotKind<typeof So101Config> = {
  kind: 'so101',
  config: So101Config,
  simulated: ({ port }) => port === SIMULATED,
  describe: (config) => specOfArm(config),
  open: async (config, cell, options) => (await import('./rig.ts')).openSo101(config, cell, options),
  stop: async (config) => (await import('./stop.ts')).stopSo101(config),
  chain: {
    joints: JOINTS.slice(0, ARM_JOINTS),
    ranges: BUILT_RANGES,
    tool: (angles) => posture(Array.from(angles)).tool,
  },
}
