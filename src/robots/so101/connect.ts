/** @file How an arm is reached: by its serial port, found again by the number of its adapter. */
import { Arm } from './arm.ts'
import { type ArmRole, readCalibration } from './calibration.ts'
import { openSerial } from './feetech/serial.ts'

/** Connects, each time anew. */
export type Connect = () => Promise<Arm>

/** @throws InputError without a calibration, before any port is opened */
export function realArm({ port, arm }: { port: string; arm: string }, role: ArmRole = 'follower'): Connect {
  const calibration = readCalibration(role, arm)
  let known = port
  return async () => {
    const line = await openSerial(known)
    if (line.serial) known = `serial:${line.serial}` // the path may be another after it was unplugged
    return Arm.connect(line, calibration)
  }
}
