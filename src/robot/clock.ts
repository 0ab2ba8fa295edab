/** @file The clock that a robot's driver goes by: that of its cameras, or, where it is tried, one of its own. */
import { setTimeout as wait } from 'node:timers/promises'
import { cameraClock } from './cameras/camera.ts'

export interface RobotClock {
  now(): number // s, never going back
  sleep(seconds: number): Promise<void> // returns at once where there is nothing left to wait
}

export const realClock: RobotClock = {
  now: cameraClock,
  async sleep(seconds) {
    if (seconds > 0) await wait(1000 * seconds)
  },
}
