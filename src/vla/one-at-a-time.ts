/** @file The inputs of a compiled program serve one run at a time: who asks meanwhile waits for its turn. */

export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve()

  /** Runs the task after all that came before, whether or not they failed. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.last.then(task)
    this.last = done.catch(() => undefined)
    return done
  }

  /** Resolves when everything asked for so far has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.last
  }
}
