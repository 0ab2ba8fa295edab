/**
 * @file How punctual a robot is commanded: how far each interval between two commands is from the period, and how old what a
 * command rests on is when it leaves. Over one episode; ms.
 */
import { quantile } from '../metrics/statistics.ts'
import type { Observation } from '../robot/robot.ts'

export type LoopTimes = {
  period: number // of the robot's rate
  steps: number
  jitterMedian: number // |interval - period|
  jitter99: number // 99th percentile
  latencyMedian: number // from the oldest picture of an observation to the command that rests on it
  latency99: number
}

export class LoopTiming {
  private readonly jitters: number[] = []
  private readonly latencies: number[] = []
  private seen = 0 // when the newest observation was taken
  private before: number | null = null // when the last command left

  /** `rate`: Hz. */
  constructor(private readonly rate: number) {}

  /** At `now` an observation arrived. Where its cameras tell when they took their pictures, it is as old as the oldest. */
  received({ time, taken }: Observation, now: number): void {
    const ages = Object.values(taken ?? {}).map((at) => 1000 * (time - at))
    this.seen = now - Math.max(0, ...ages)
  }

  /** At `now` a command leaves. Returns how old what it rests on is. */
  commanded(now: number): number {
    if (this.before !== null) this.jitters.push(Math.abs(now - this.before - this.period))
    this.before = now
    this.latencies.push(now - this.seen)
    return now - this.seen
  }

  /** The next command follows on something else than a step: a person held the robot. */
  pause(): void {
    this.before = null
  }

  /** Undefined before two commands in a row. */
  get times(): LoopTimes | undefined {
    if (this.jitters.length === 0) return undefined
    return {
      period: this.period,
      steps: this.latencies.length,
      jitterMedian: quantile(this.jitters, 0.5),
      jitter99: quantile(this.jitters, 0.99),
      latencyMedian: quantile(this.latencies, 0.5),
      latency99: quantile(this.latencies, 0.99),
    }
  }

  private get period(): number {
    return 1000 / this.rate
  }
}
