/** @file Robots side by side in one process: one step of each in turn, in a fixed order. */

/**
 * Whoever has the turn acts alone: the policy's programs serve one observation at a time, and the order of steps, updates
 * and publications depends on nothing but the order of arrival. Whoever gives the turn away waits behind all the others.
 */
export class Turns {
  private readonly waiting: (() => void)[] = []
  private taken = false

  async take(): Promise<void> {
    if (this.taken) await new Promise<void>((resolve) => this.waiting.push(resolve))
    this.taken = true
  }

  give(): void {
    const next = this.waiting.shift()
    if (next) next()
    else this.taken = false
  }

  /** Lets the others act while the one who has the turn waits for something. */
  async during<T>(wait: Promise<T>): Promise<T> {
    this.give()
    try {
      return await wait
    } finally {
      await this.take()
    }
  }
}
