/** @file How regular the control loop is: how late steps begin, against the period that the pace asks for. */
import { quantile } from '../../metrics/statistics.ts'
import type { LoopEvent } from '../protocol.ts'

const KEPT = 600 // steps, a minute at 10 Hz

export class LoopStatistics {
  private readonly lateness: number[] = [] // ms, absolute
  private readonly intervals: number[] = [] // ms
  private readonly latencies: number[] = [] // ms, of robots in real time
  private last: number | null = null

  /** A step begins. `period`: ms from one to the next, as the pace asks for. */
  step(now: number, period: number): void {
    if (this.last !== null) {
      const interval = now - this.last
      this.keep(this.lateness, Math.abs(interval - period))
      this.keep(this.intervals, interval)
    }
    this.last = now
  }

  /** How old what a command rested on was when it left, ms. */
  commanded(latency: number): void {
    this.keep(this.latencies, latency)
  }

  /** The next step follows on something else than a step: a reset, a pause. */
  pause(): void {
    this.last = null
  }

  /** The pace is another: what was measured does not speak of it. */
  clear(): void {
    this.lateness.length = this.intervals.length = this.latencies.length = 0
    this.last = null
  }

  get figures(): Omit<LoopEvent, 'kind' | 'viewers' | 'framesSkipped'> {
    const at = (share: number) => quantileOf(this.lateness, share) ?? 0
    const total = this.intervals.reduce((sum, interval) => sum + interval, 0)
    const rate = total > 0 ? (1000 * this.intervals.length) / total : 0
    const latency = (share: number) => quantileOf(this.latencies, share)
    const steps = this.lateness.length
    return {
      rate,
      jitterMedian: at(0.5),
      jitter99: at(0.99),
      latencyMedian: latency(0.5),
      latency99: latency(0.99),
      steps,
    }
  }

  private keep(values: number[], value: number): void {
    values.push(value)
    if (values.length > KEPT) values.shift()
  }
}

const quantileOf = (values: readonly number[], share: number) => (values.length > 0 ? quantile(values, share) : null)
