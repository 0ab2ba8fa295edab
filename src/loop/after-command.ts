/**
 * @file What has time until the next command is on its way: log, learner, console, shifted copies. A simulation waits for
 * it, step by step; of a robot in real time it is left, and done while the robot carries out the command.
 */
import { setImmediate } from 'node:timers/promises'

type Work = () => Promise<void> | void

export class AfterCommand {
  private readonly left: Work[] = []

  constructor(private readonly realTime: boolean) {}

  /** In real time it is done by the next `run`, else now. */
  do(work: Work): Promise<void> | void {
    if (!this.realTime) return work()
    this.left.push(work)
  }

  /** Does what was left, in its order. */
  async run(): Promise<void> {
    for (let work = this.left.shift(); work; work = this.left.shift()) await work()
  }

  /**
   * The result of a command that is on its way; meanwhile what was left is done. A request is written to its socket a turn of
   * the event loop after it was made: work that begins at once would hold the command up for as long as it takes.
   */
  async during<T>(going: Promise<T>): Promise<T> {
    if (this.left.length === 0) return going
    going.catch(() => {}) // it is heard below, unless what was left fails first
    await setImmediate()
    await this.run()
    return going
  }
}
