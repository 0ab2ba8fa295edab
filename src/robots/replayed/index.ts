/** @file Recorded episodes as a kind of robot: what was seen is seen again, whatever is commanded. */

import type { RobotKind } from '../../robot/rig.ts'
import { SafeRobot } from '../../robot/safety.ts'
import { ReplayedConfig } from './config.ts'
import { ReplayedRobot } from './robot.ts'

export const replayed: RobotKind<typeof ReplayedConfig> = {
  kind: 'replayed',
  config: ReplayedConfig,
  simulated: () => true,
  describe: ({ log }) => ReplayedRobot.open(log).spec,
  async open({ log }, cell) {
    return { cell, robot: new SafeRobot(ReplayedRobot.open(log)), reset: 'itself', real: false, close: async () => {} }
  },
}
