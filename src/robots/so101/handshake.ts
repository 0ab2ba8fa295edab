/** @file What is asked of an arm before anything moves: that its six servos are there, alike, healthy, and calibrated as its file says. */
import { InputError } from '../../errors.ts'
import type { ArmCalibration, JointCalibration } from './calibration.ts'
import { BusError, type ServoBus } from './feetech/bus.ts'
import { MODEL_STS3215, troubleIn } from './feetech/registers.ts'
import { JOINTS, type JointName } from './joints.ts'

export const nameOfServo = (joint: JointName, { id }: JointCalibration): string => `${joint} (servo ${id})`

/** @throws InputError saying what is wrong with the arm, and what to do */
export async function expectWholeArm(bus: ServoBus, port: string, calibration: ArmCalibration): Promise<void> {
  try {
    await expectSix(bus, port, calibration)
    await expectAlike(bus, port, calibration)
    await expectHealthy(bus, port, calibration)
    await expectCalibrated(bus, port, calibration)
  } catch (error) {
    throw asBusTrouble(port, error)
  }
}

/** What a bus that fails means to a person, before anything moves. */
export const asBusTrouble = (port: string, error: unknown): unknown =>
  error instanceof BusError
    ? new InputError(port, `the servo bus fails: ${error.message}`, 'Check the cables and the power supply', {
        cause: error,
      })
    : error

async function expectSix(bus: ServoBus, port: string, calibration: ArmCalibration): Promise<void> {
  const missing: JointName[] = []
  for (const joint of JOINTS) {
    const there = await bus.ping(calibration[joint].id).catch((error: unknown) => {
      if (!(error instanceof BusError && error.garbled)) throw error
      const what = `several servos answer as ${calibration[joint].id}, which is ${joint}`
      throw new InputError(
        port,
        what,
        'Two arms on one bus, or an id given twice: unplug the other arm, or set the ids again',
      )
    })
    if (!there) missing.push(joint)
  }
  if (missing.length === JOINTS.length)
    throw new InputError(
      port,
      'no servo answers',
      "Switch the arm's own power supply on, USB does not drive servos; then check that this is its port",
    )
  if (missing.length > 0)
    throw new InputError(
      port,
      `no answer from ${missing.map((joint) => nameOfServo(joint, calibration[joint])).join(', ')}`,
      'Check the cable to it and from the servo before it; a new servo needs its id first',
    )
  const own = new Set(JOINTS.map((joint) => calibration[joint].id))
  const strangers = (await bus.scan()).filter((id) => !own.has(id))
  if (strangers.length > 0)
    throw new InputError(
      port,
      `has servos that are not this arm's: ${strangers.join(', ')}`,
      'One arm on a bus: unplug the other, or give the calibration file that names these ids',
    )
}

async function expectAlike(bus: ServoBus, port: string, calibration: ArmCalibration): Promise<void> {
  const versions = new Map<string, JointName[]>()
  for (const joint of JOINTS) {
    const { id } = calibration[joint]
    const model = await bus.read(id, 'model')
    if (model !== MODEL_STS3215)
      throw new InputError(
        port,
        `${nameOfServo(joint, calibration[joint])} is of model ${model}, an STS3215 is ${MODEL_STS3215}`,
        'Put the servo in that the arm is made for: limits and units are of no use with another',
      )
    const version = `${await bus.read(id, 'firmwareMajor')}.${await bus.read(id, 'firmwareMinor')}`
    versions.set(version, [...(versions.get(version) ?? []), joint])
  }
  if (versions.size > 1)
    throw new InputError(
      port,
      `its servos have different firmware: ${[...versions].map(([version, joints]) => `${version} in ${joints.join(', ')}`).join('; ')}`,
      "Bring all to one version with the maker's program",
    )
}

async function expectHealthy(bus: ServoBus, port: string, calibration: ArmCalibration): Promise<void> {
  for (const joint of JOINTS) {
    const troubles = troubleIn(await bus.read(calibration[joint].id, 'status'))
    if (troubles.length > 0)
      throw new InputError(
        port,
        `${nameOfServo(joint, calibration[joint])}: ${troubles.join(', ')}`,
        'Look at the arm; free it, let it cool, check its power supply, then switch it off and on',
      )
  }
}

const COMPARED = [
  ['homing_offset', 'homingOffset'],
  ['range_min', 'minPosition'],
  ['range_max', 'maxPosition'],
] as const

async function expectCalibrated(bus: ServoBus, port: string, calibration: ArmCalibration): Promise<void> {
  for (const joint of JOINTS)
    for (const [field, register] of COMPARED) {
      const own = await bus.read(calibration[joint].id, register)
      const filed = calibration[joint][field]
      if (own !== filed)
        throw new InputError(
          port,
          `${nameOfServo(joint, calibration[joint])} has ${field} ${own}, its calibration file says ${filed}`,
          "The file is another arm's, or older: give the right one, or calibrate again",
        )
    }
}
