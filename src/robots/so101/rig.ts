/** @file Opens an arm for a run: its bus, its cameras, behind the safety envelope. */

import { InputError } from '../../errors.ts'
import { type Cameras, openCameras } from '../../robot/cameras/open.ts'
import { realClock } from '../../robot/clock.ts'
import { FaultFile } from '../../robot/fault-file.ts'
import { safetyLimitsOf } from '../../robot/real-config.ts'
import type { Rig, RigOptions } from '../../robot/rig.ts'
import { SafeRobot } from '../../robot/safety.ts'
import { type LeaderConfig, SIMULATED, type So101Config } from './config.ts'
import { realArm } from './connect.ts'
import { JOINTS } from './joints.ts'
import { LeaderArm } from './leader.ts'
import { So101 } from './robot.ts'
import { simulatedSo101 } from './simulated/so101.ts'
import { expectStartWithin, specOfArm } from './spec.ts'

/** @throws InputError saying what is wrong with config, arm, leader or cameras; nothing has moved */
export async function openSo101(config: So101Config, cell: string, options: RigOptions = {}): Promise<Rig> {
  expectStartWithin(config)
  return config.port === SIMULATED ? openSimulated(config, cell) : openReal(config, cell, options)
}

async function openReal(config: So101Config, cell: string, { blind }: RigOptions): Promise<Rig> {
  const spec = specOfArm(config)
  const limits = safetyLimitsOf(config.safety, spec)
  const connect = realArm(config)
  const cameras = blind ? null : await openCameras(config.cameras)
  try {
    const pictures = () => cameras?.pictures() ?? { images: {} }
    const so101 = await So101.open(config, { connect, clock: realClock, pictures })
    const robot = new SafeRobot(so101, { limits, faults: new FaultFile(spec.name) })
    const leader =
      config.leader &&
      (await openLeader(config, config.leader).catch((error) => so101.close().then(() => Promise.reject(error))))
    const close = async () => {
      await leader?.arm.close()
      await closeAll(robot, so101, cameras)
    }
    return {
      cell,
      robot,
      reset: 'person',
      real: true,
      ...(leader && { leader: leader.leader }),
      close,
      ...conditionOf(so101, config),
      ...leaving(robot, so101, config),
    }
  } catch (error) {
    await cameras?.close()
    throw error
  }
}

/** @throws InputError where it is under torque: nobody could move it */
async function openLeader({ actionScale }: So101Config, { port, arm: id, scale, deadZone }: LeaderConfig) {
  const arm = await realArm({ port, arm: id }, 'leader')()
  try {
    if ((await arm.driven()).some(Boolean))
      throw new InputError(
        `leader "${id}"`,
        'is under torque',
        'Hold it, and let it go with `duet so101 relax --leader`',
      )
    const leader = new LeaderArm(arm, realClock, { scale, deadZone, actionScale })
    await leader.look()
    void leader.follow()
    return { arm, leader }
  } catch (error) {
    await arm.close() // its port, too
    throw error
  }
}

/** Nothing breaks, and nobody stands by to clear a fault of force. */
async function openSimulated(config: So101Config, cell: string): Promise<Rig> {
  const { so101 } = await simulatedSo101(config)
  const { workBox } = config.safety
  const robot = new SafeRobot(so101, { limits: { workBox, force: Number.POSITIVE_INFINITY } })
  return {
    cell,
    robot,
    reset: 'itself',
    real: false,
    close: () => closeAll(robot, so101, null),
    ...conditionOf(so101, config),
    ...leaving(robot, so101, config),
  }
}

/** How its servos are. */
const conditionOf = (so101: So101, { servos }: So101Config): Required<Pick<Rig, 'condition'>> => ({
  condition: () =>
    so101.state.map(({ temperature, voltage }, j) => ({
      part: JOINTS[j]!,
      temperature,
      hottest: servos.temperature,
      voltage,
    })),
})

/** When a run ended well, as the config asks. */
export const leaving = (robot: SafeRobot, so101: So101, { exit }: So101Config): Pick<Rig, 'leave'> =>
  exit === 'hold'
    ? {}
    : {
        async leave() {
          await robot.park()
          if (exit === 'relax') await so101.relax()
        },
      }

/** The arm stays where it is, under torque. */
async function closeAll(robot: SafeRobot, so101: So101, cameras: Cameras | null): Promise<void> {
  await robot.stop().catch(() => {}) // one that cannot be told has a fault, which is kept
  await so101.close()
  await cameras?.close()
}
