/** @file Tries again, at first soon, then ever later. */

const FIRST = 200 // ms
const LONGEST = 5000

export class Retry {
  closed = false
  private pause = FIRST
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly again: () => void) {}

  later(): void {
    if (this.closed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(this.again, this.pause)
    this.pause = Math.min(LONGEST, 2 * this.pause)
  }

  /** It went well: the next failure is tried again soon. */
  works(): void {
    this.pause = FIRST
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }
}
