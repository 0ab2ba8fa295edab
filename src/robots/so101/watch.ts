/** @file What ends motion before an arm destroys itself: a joint that is held up, or a servo that finds something wrong with itself. */
import { RobotFault } from '../../robot/fault.ts'
import type { JointReading } from './arm.ts'
import type { So101Config } from './config.ts'
import { troubleIn } from './feetech/registers.ts'
import { ARM_JOINTS, JOINTS, type JointVector, toDegrees } from './joints.ts'

const STANDING = 0.05 // rad/s: slower is no progress

type Limits = { stall: So101Config['stall']; temperature: number }

export class JointWatch {
  private readonly since: (number | null)[] = JOINTS.map(() => null) // s, when each joint was found held up

  constructor(private readonly limits: Limits) {}

  /** `goals`: where the joints were sent. `now`: s. @throws RobotFault naming the joint */
  look(readings: readonly JointReading[], goals: JointVector, now: number): void {
    const { stall, temperature } = this.limits
    readings.forEach((reading, j) => {
      const joint = JOINTS[j]!
      const troubles = troubleIn(reading.status)
      if (troubles.length > 0) throw new RobotFault('robot', `${joint}: ${troubles.join(', ')}`)
      if (reading.temperature > temperature)
        throw new RobotFault('robot', `${joint} is ${reading.temperature} °C hot, the limit is ${temperature} °C`)
      const away = Math.abs(goals[j]! - reading.position)
      const heldUp =
        j < ARM_JOINTS && away > stall.error && reading.current > stall.current && Math.abs(reading.speed) < STANDING
      this.since[j] = heldUp ? (this.since[j] ?? now) : null
      const lasts = now - (this.since[j] ?? now)
      if (heldUp && lasts >= stall.time)
        throw new RobotFault(
          'robot',
          `${joint} is held up: ${toDegrees(away).toFixed(0)}° from where it was sent, at ${reading.current.toFixed(1)} A, for ${lasts.toFixed(1)} s`,
        )
    })
  }

  /** Nothing is counted from before. */
  forget(): void {
    this.since.fill(null)
  }
}
