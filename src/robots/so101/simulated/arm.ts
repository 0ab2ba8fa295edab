/** @file A simulated SO-101 without a wire: six servos that were set up and calibrated, lying in the park pose. */
import { type ArmCalibration, toSteps } from '../calibration.ts'
import { STEPS } from '../feetech/registers.ts'
import { idOf, JOINTS, type JointVector, toRadians } from '../joints.ts'
import { SimulatedServo } from './servo.ts'

/** Degrees between which each joint of a printed arm turns, and the gripper's way; as calibrations of such arms have them. */
const TURNS = [
  [-110, 110],
  [-100, 100],
  [-97, 97],
  [-95, 95],
  [-180, 180],
  [-10, 100],
] as const

/** As LeRobot writes it: the middle of each range is half a turn, the wrist rolls all the way. */
export const SIMULATED_CALIBRATION: ArmCalibration = Object.fromEntries(
  JOINTS.map((joint, j) => {
    const [low, high] = TURNS[j]!
    const middle = STEPS / 2 - 1
    const steps = (degrees: number) => Math.round((degrees * (STEPS - 1)) / 360)
    const whole = joint === 'wrist_roll'
    const range_min = whole ? 0 : middle + steps(low)
    const range_max = whole ? STEPS - 1 : middle + steps(high)
    return [joint, { id: idOf(j), drive_mode: 0 as const, homing_offset: 100 * (j - 2), range_min, range_max }]
  }),
) as ArmCalibration

const FOLDED = [0, -95, 85, 55, 0].map(toRadians)

/** Calibrated as the file says, set up as a driver leaves it. `posture`: where it lies, without torque; the gripper is closed. */
export function simulatedServos(calibration = SIMULATED_CALIBRATION, posture: JointVector = [...FOLDED, 0]) {
  return JOINTS.map((joint, j) => {
    const { id, homing_offset, range_min, range_max } = calibration[joint]
    const servo = new SimulatedServo(id)
    servo.set('homingOffset', homing_offset)
    servo.set('minPosition', range_min)
    servo.set('maxPosition', range_max)
    servo.turnTo(toSteps(j, calibration[joint], posture[j]!))
    return servo
  })
}
