/** @file Keeps the interaction loop at its rate: 10 Hz on a robot, a multiple of it in simulation. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CONTROL_RATE } from '../metrics/robot-time.ts'

export class Pace {
  private next = 0

  /** `speed` 1 is real time; a simulated robot may run faster. It is asked at every tick. */
  constructor(private readonly speed: () => number) {}

  /** Waits for the start of the next period. A late loop starts at once and does not try to catch up by rushing. */
  async tick(): Promise<void> {
    const period = 1000 / CONTROL_RATE / this.speed()
    const now = performance.now()
    if (now < this.next) await sleep(this.next - now)
    this.next = Math.max(this.next, now) + period
  }
}
