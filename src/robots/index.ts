/** @file The kinds of robots there are. A new one is a folder beside this file, and two words here. */
import { z } from 'zod'
import type { Rig, RigOptions, RobotKind } from '../robot/rig.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { workcell } from './workcell/index.ts'

/** Settings of a run's robots, by their `kind`. */
export const RobotConfig = z.discriminatedUnion('kind', [workcell.config])
export type RobotConfig = z.infer<typeof RobotConfig>

const KINDS: readonly RobotKind[] = [workcell as unknown as RobotKind] // each is only given configs that its own schema made

const kindOf = (config: RobotConfig): RobotKind => KINDS.find(({ kind }) => kind === config.kind)!

/** The robot in one of the config's cells, without opening it. @throws InputError if there is no such robot */
export const describeRobot = (config: RobotConfig, cell: string): RobotSpec => kindOf(config).describe(config, cell)

export const openRig = (config: RobotConfig, cell: string, options?: RigOptions): Promise<Rig> =>
  kindOf(config).open(config, cell, options)
