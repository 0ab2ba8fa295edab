/** @file That a run has failed: told once, heard at once by everything that acts or waits for it. */
import { setImmediate } from 'node:timers/promises'
import type { Robot } from '../robot/robot.ts'

/** The first cause counts. Before `fail` returns the robots have been told to stop, then everybody else has heard of it. */
export class Failure {
  private robots: readonly Pick<Robot, 'stop'>[] = []
  private cause: { error: unknown } | undefined
  private readonly listeners = new Set<(error: unknown) => void>()

  get failed(): boolean {
    return this.cause !== undefined
  }

  fail(error: unknown): void {
    if (this.cause) return
    this.cause = { error }
    this.stopRobots()
    for (const listener of this.listeners) {
      try {
        listener(error)
      } catch {
        // who cannot hear of it keeps nobody else from hearing: the first cause is what everybody is told
      }
    }
    this.listeners.clear()
  }

  /** Tells all robots, and waits for none. */
  stopRobots(): void {
    for (const robot of this.robots) robot.stop().catch(() => {}) // one that cannot be told has a failure of its own
  }

  /** From now on a failure stops these first. */
  stops(robots: readonly Pick<Robot, 'stop'>[]): void {
    this.robots = robots
  }

  /** Hears of it, at once if it has happened. Returns what ends the subscription. */
  onFailure(listener: (error: unknown) => void): () => void {
    if (this.cause) listener(this.cause.error)
    else this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** To be asked before every command to a robot. @throws the cause, once there is one */
  check(): void {
    if (this.cause) throw this.cause.error
  }

  /** The result of something that is waited for, or the cause as soon as the run fails. */
  during<T>(wait: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = this.onFailure(reject)
      wait.then(resolve, reject).finally(leave)
    })
  }
}

/** A run was asked to end. What is under way is left off; what is kept is kept, and the run can be resumed. */
export class Stopped extends Error {
  override name = 'Stopped'
}

/** The two ways in which a run ends before its time, for everything that takes part in it. */
export class Course {
  constructor(
    readonly failure = new Failure(),
    private readonly stop?: AbortSignal,
  ) {}

  get stopping(): boolean {
    return this.stop?.aborted ?? false
  }

  onStop(listener: () => void): void {
    if (this.stopping) listener()
    else this.stop?.addEventListener('abort', listener, { once: true })
  }

  /** Between two pieces of work that can be done again. @throws the cause of a failure, or Stopped */
  check(): void {
    this.failure.check()
    if (this.stopping) throw new Stopped('the run was asked to stop')
  }

  /** The same, where the work itself never leaves the thread: lets in whoever has something to say, a signal too. */
  async breathe(): Promise<void> {
    await setImmediate()
    this.check()
  }

  /** The result of something that can be done again, unless the run ends before it is there. */
  during<T>(wait: Promise<T>): Promise<T> {
    const stopped = new Promise<never>((_, reject) =>
      this.onStop(() => reject(new Stopped('the run was asked to stop'))),
    )
    return this.failure.during(Promise.race([wait, stopped]))
  }
}
