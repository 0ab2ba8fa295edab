/** @file The clock of a simulated arm, which nobody waits for. */
import { setImmediate } from 'node:timers/promises'
import type { RobotClock } from '../../robot/clock.ts'

/** Time passes when somebody sleeps, and takes none; but everybody else has a turn meanwhile. */
export class SimulatedClock implements RobotClock {
  private time = 0

  now(): number {
    return this.time
  }

  async sleep(seconds: number): Promise<void> {
    this.time += Math.max(0, seconds)
    await setImmediate()
  }
}
