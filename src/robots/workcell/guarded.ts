/** @file The workcell behind the safety envelope, as every program but a test should meet it. */
import { SafeRobot } from '../../robot/safety.ts'
import type { WorkcellOptions } from './options.ts'
import { Workcell } from './workcell.ts'

export type GuardedWorkcell = {
  robot: SafeRobot // the only way to its motors
  workcell: Workcell // privileged state, snapshots
}

/** Nothing breaks in simulation and nobody stands by to clear a fault, so force has no limit; numbers that are none still latch. */
export async function guardedWorkcell(options: Partial<WorkcellOptions> = {}): Promise<GuardedWorkcell> {
  const workcell = await Workcell.create(options)
  return { robot: new SafeRobot(workcell, { limits: { force: Number.POSITIVE_INFINITY } }), workcell }
}
