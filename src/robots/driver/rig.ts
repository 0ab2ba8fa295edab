/** @file Opens a robot behind somebody else's driver for a run: behind our envelope, watched over, its faults kept. */
import { InputError } from '../../errors.ts'
import { FaultFile } from '../../robot/fault-file.ts'
import { safetyLimitsOf } from '../../robot/real-config.ts'
import type { Rig, RigOptions } from '../../robot/rig.ts'
import { SafeRobot } from '../../robot/safety.ts'
import type { DriverConfig } from './config.ts'
import { type DrivenRobot, describeDriven, driverOf, expectDriven } from './driver.ts'
import { ForeignRobot } from './robot.ts'

const OPENING = 60 // s; looking for an arm that is off may take a while

/** @throws InputError where limits contradict each other, or the driver does not open */
export async function openDriven(config: DriverConfig, cell: string, options: RigOptions = {}): Promise<Rig> {
  const { module, settings, safety } = config
  const driver = driverOf(module)
  const described = describeDriven(config, cell)
  const spec = options.blind ? { ...described, cameras: {} } : described
  const limits = safetyLimitsOf(safety, spec)
  const driven = await inTime(module, driver.open(settings, { ...options, cell, safety }))
  await expectDriven(module, driven)
  const foreign = new ForeignRobot(spec, driven, 1 / spec.rate + safety.commandAge)
  try {
    const robot = new SafeRobot(foreign, { limits, faults: new FaultFile(spec.name) })
    const close = async () => {
      await robot.stop().catch(() => {}) // one that cannot be told has a fault, which is kept
      await foreign.close()
    }
    return { cell, robot, reset: driver.reset, real: true, close }
  } catch (error) {
    await foreign.close()
    throw error
  }
}

/** One that opens too late is let go of. @throws InputError where it takes longer than anybody would wait */
async function inTime(module: string, opening: Promise<DrivenRobot>): Promise<DrivenRobot> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      void opening.then((driven) => driven?.close?.()).catch(() => {})
      const remedy = 'See whether the robot is on and connected, and that nothing else holds it'
      reject(new InputError(module, `has not opened its robot for ${OPENING} s`, remedy))
    }, 1000 * OPENING)
  })
  return Promise.race([opening, late]).finally(() => clearTimeout(timer))
}
