/** @file An arm behind SERL's HTTP server as a kind of robot. */
import type { RobotKind } from '../../robot/rig.ts'
import { SerlConfig } from './config.ts'
import { serlSpec } from './spec.ts'

export const serl: RobotKind<typeof SerlConfig> = {
  kind: 'serl',
  config: SerlConfig,
  describe: serlSpec,
  open: async (config, cell, options) => (await import('./rig.ts')).openSerl(config, cell, options),
  stop: async (config, cell) => (await import('./stop.ts')).stopSerl(config, cell),
}
