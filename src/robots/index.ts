/** @file The kinds of robots there are. A new one is a folder beside this file, and two words here. */
import { z } from 'zod'
import { InputError } from '../errors.ts'
import type { JointChain } from '../robot/joint-chain.ts'
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

/**
 * Settings of a run that robots ask for, as far as their own are given: what has no simulation has nobody of software to tend
 * it, and what can break waits for no learner.
 */
export function usualBeside(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kind = KINDS.find(({ kind }) => kind === given.kind)
  if (!kind) return {} // a workcell, or what is refused
  return {
    ...(!kind.tended && { operator: { kind: 'none' } }),
    ...(!kind.simulated?.(given) && { online: { lockstep: false } }),
  }
}

/** The robot in one of the config's cells, without opening it. @throws InputError if there is no such robot */
export const describeRobot = (config: RobotConfig, cell: string): RobotSpec => kindOf(config).describe(config, cell)

/** What stops the robot of a cell from beside whoever drives it, as `RobotKind.stop` does. @throws InputError if it cannot break */
export function stopOf(config: RobotConfig): (cell: string) => Promise<string> {
  const { kind, stop } = kindOf(config)
  if (!stop) throw new InputError(`robot "${kind}"`, 'is no robot that can break', 'End the process that runs it')
  return (cell) => stop(config, cell)
}

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

/** The robot's own joints; undefined where it tells none. */
export const chainOf = (config: RobotConfig): JointChain | undefined => kindOf(config).chain

/** `model`: the robot's own, or a file. @throws InputError if it has none, or the file is no such model */
export async function openChain(
  config: RobotConfig,
  { model, joints, tool }: { model: string; joints?: readonly string[]; tool?: string },
): Promise<JointChain> {
  if (model !== 'robot') return (await import('./mujoco-chain.ts')).mujocoChain(model, joints, tool)
  const own = chainOf(config)
  if (own) return own
  throw new InputError(
    `robot ${config.kind}`,
    'has no joints of its own that could be told from a dataset',
    'Give a MuJoCo model of the arm that was recorded as "model"',
  )
}
