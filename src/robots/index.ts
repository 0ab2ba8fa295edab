/** @file The kinds of robots there are. A new one is a folder beside this file, and two words here. */
import { z } from 'zod'
import { expectGuarded, type Rig, type RigOptions, type RobotKind } from '../robot/rig.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { driven } from './driver/index.ts'
import { replayed } from './replayed/index.ts'
import { ros } from './ros/index.ts'
import { serl } from './serl/index.ts'
import { so101 } from './so101/index.ts'
import { workcell } from './workcell/index.ts'

export type { DrivenRobot, Driver, DriverOptions, DriverSettings } from './driver/driver.ts'

/** Settings of a run's robots, by their `kind`. */
export const RobotConfig = z.discriminatedUnion('kind', [
  workcell.config,
  replayed.config,
  serl.config,
  so101.config,
  ros.config,
  driven.config,
])
export type RobotConfig = z.infer<typeof RobotConfig>

const KINDS = [workcell, replayed, serl, so101, ros, driven] as unknown as readonly RobotKind[] // each is only given what its own schema made

const kindOf = (config: RobotConfig): RobotKind => KINDS.find(({ kind }) => kind === config.kind)!

/** The robot in one of the config's cells, without opening it. @throws InputError if there is no such robot */
export const describeRobot = (config: RobotConfig, cell: string): RobotSpec => kindOf(config).describe(config, cell)

/** @throws InputError if it cannot be opened, or could move without a watchdog */
export async function openRig(config: RobotConfig, cell: string, options?: RigOptions): Promise<Rig> {
  const rig = await kindOf(config).open(config, cell, options)
  try {
    expectGuarded(rig)
    return rig
  } catch (error) {
    await rig.close()
    throw error
  }
}
