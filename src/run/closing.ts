/** @file What was opened and has to be closed, the last one first, whatever happens meanwhile. */

export class Closing {
  private closers: (() => unknown)[] = []

  add(close: () => unknown): void {
    this.closers.push(close)
  }

  /** Closes all, even where one of them fails. @throws the first failure, at the end */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
