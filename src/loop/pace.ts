/** @file Keeps the interaction loop at the robot's rate; in simulation at a multiple of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rig } from '../robot/rig.ts'
import type { Attendance } from './attendant.ts'

/** Of a simulated robot where nobody asks for another: as fast as it can. */
export const FASTEST = 1000

/** That of a run for one of its robots: real time for a real one, whatever anybody asks for. */
export function paceOf(
  { real, robot }: Pick<Rig, 'real' | 'robot'>,
  { online: { pace = FASTEST } }: { online: { pace?: number } },
  observer?: Pick<Attendance, 'speed'>,
): Pace {
  return new Pace(robot.spec.rate, () => (real ? 1 : (observer?.speed(pace) ?? pace)))
}

export class Pace {
  private next = 0

  /** `rate` in Hz. `speed` 1 is real time; a simulated robot may run faster. It is asked at every tick. */
  constructor(
    private readonly rate: number,
    private readonly speed: () => number,
  ) {}

  /** Waits for the start of the next period. A late loop starts at once and does not try to catch up by rushing. */
  async tick(): Promise<void> {
    const period = 1000 / this.rate / this.speed()
    const now = performance.now()
    if (now < this.next) await sleep(this.next - now)
    this.next = Math.max(this.next, now) + period
  }
}
