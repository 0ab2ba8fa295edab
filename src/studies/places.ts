/** @file A number of places; who finds none free waits in line. */

export class Places {
  private readonly line: (() => void)[] = []

  constructor(private free: number) {}

  /** Does the work in a place of its own, and leaves the place to the next in line, whatever happens. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => this.line.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.line.shift()
      if (next) next()
      else this.free++
    }
  }
}
