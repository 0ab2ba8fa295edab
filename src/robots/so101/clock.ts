/** @file The clock that an arm goes by: that of its cameras, or, where it is simulated, one that nobody waits for. */
import { setImmediate, setTimeout as wait } from 'node:timers/promises'
import { cameraClock } from '../../robot/cameras/camera.ts'

export interface ArmClock {
  now(): number // s, never going back
  sleep(seconds: number): Promise<void>
}

export const realClock: ArmClock = {
  now: cameraClock,
  sleep: (seconds) => wait(1000 * Math.max(0, seconds)),
}

/** Time passes when somebody sleeps, and takes none; but everybody else has a turn meanwhile. */
export class SimulatedClock implements ArmClock {
  private time = 0

  now(): number {
    return this.time
  }

  async sleep(seconds: number): Promise<void> {
    this.time += Math.max(0, seconds)
    await setImmediate()
  }
}
