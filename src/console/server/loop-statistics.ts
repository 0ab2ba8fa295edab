/** @file How regular the control loop is: how late steps begin, against the period that the pace asks for. */

const KEPT = 600 // steps, a minute at 10 Hz

export class LoopStatistics {
  private readonly lateness: number[] = [] // ms, absolute
  private readonly intervals: number[] = [] // ms
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

  /** The next step follows on something else than a step: a reset, a pause. */
  pause(): void {
    this.last = null
  }

  /** The pace is another: what was measured does not speak of it. */
  clear(): void {
    this.lateness.length = this.intervals.length = 0
    this.last = null
  }

  get figures(): { rate: number; jitterMedian: number; jitter99: number; steps: number } {
    const sorted = [...this.lateness].sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
    const total = this.intervals.reduce((sum, interval) => sum + interval, 0)
    const rate = total > 0 ? (1000 * this.intervals.length) / total : 0
    return { rate, jitterMedian: at(0.5), jitter99: at(0.99), steps: sorted.length }
  }

  private keep(values: number[], value: number): void {
    values.push(value)
    if (values.length > KEPT) values.shift()
  }
}
