/** @file The simulated workcell as a kind of robot; MuJoCo is loaded when one is opened. */
import type { RobotKind } from '../../robot/rig.ts'
import { optionsOf, WorkcellConfig } from './config.ts'
import { specOf } from './spec.ts'

export const workcell: RobotKind<typeof WorkcellConfig> = {
  kind: 'workcell',
  config: WorkcellConfig,
  simulated: () => true,
  tended: true,
  describe: (config, cell) => specOf(optionsOf(config, cell)),
  open: async (config, cell, options) => (await import('./rig.ts')).openWorkcell(config, cell, options),
}
