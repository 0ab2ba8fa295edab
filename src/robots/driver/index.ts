/** @file A robot whose driver is a module of somebody else, as a kind of robot. */
import { InputError } from '../../errors.ts'
import type { RobotKind } from '../../robot/rig.ts'
import { DriverConfig } from './config.ts'
import { describeDriven } from './driver.ts'

export const driven: RobotKind<typeof DriverConfig> = {
  kind: 'driver',
  config: DriverConfig,
  describe: describeDriven,
  open: async (config, cell, options) => (await import('./rig.ts')).openDriven(config, cell, options),
  async stop({ module }) {
    throw new InputError(
      module,
      'is a driver whose robot cannot be told to stop beside whoever drives it',
      'If the robot still moves, use its hardware stop',
    )
  },
}
