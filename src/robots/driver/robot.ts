/**
 * @file A robot behind somebody else's driver: asked what it can do only, and a fault whatever it throws, or where it does not
 * answer: a driver that hangs hangs nobody else.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import { FAULTS, type FaultKind, RobotFault } from '../../robot/fault.ts'
import { expectTask } from '../../robot/real-config.ts'
import { ACTION_WIDTH, type Action, type Robot, type RobotSpec } from '../../robot/robot.ts'
import type { DrivenRobot } from './driver.ts'

const SOON = 2 // s, for what is asked of it outside of a step
const LATER = 10 // s, for what may move something: it clears what it latched, or leaves

export class ForeignRobot implements Robot {
  private stopTold: (told: Promise<void>) => void = () => {} // heard on the way to a start

  /** `patience`: s that a step may take. */
  constructor(
    readonly spec: RobotSpec,
    private readonly driven: DrivenRobot,
    private readonly patience: number,
  ) {}

  async reset(task: string, seed?: number) {
    expectTask(this.spec, task)
    const stopped = new Promise<void>((resolve) => {
      this.stopTold = resolve
    })
    try {
      // the way there may be long; one that was stopped on it has to say so
      return await this.orFault('reset', () => this.driven.reset(task, seed), SOON, stopped)
    } finally {
      this.stopTold = () => {}
    }
  }

  observe() {
    return this.orFault('observe', () => this.driven.observe(), SOON)
  }

  async step(action: Action) {
    if (action.length !== ACTION_WIDTH || !action.every(Number.isFinite))
      throw new InputError(this.spec.name, `was given the action [${action}]`, `Give ${ACTION_WIDTH} finite numbers`)
    return this.orFault('step', () => this.driven.step(action), this.patience)
  }

  stop() {
    const told = this.orFault('stop', () => this.driven.stop(), SOON)
    this.stopTold(told)
    return told
  }

  async recover() {
    await this.orFault('recover', async () => this.driven.recover?.(), LATER)
  }

  close() {
    return this.orFault('close', () => this.driven.close(), LATER)
  }

  /**
   * What does not answer within `patience` seconds `from` when they count is a fault. The driver may come with a RobotFault of
   * its own copy of this package: it is known by its name.
   */
  private async orFault<T>(
    doing: string,
    work: () => Promise<T>,
    patience: number,
    from: Promise<void> = Promise.resolve(),
  ): Promise<T> {
    const answered = new AbortController()
    const silence = async (): Promise<never> => {
      await from.catch(() => {})
      await sleep(1000 * patience, undefined, { signal: answered.signal })
      await nextTurn() // where it was this process that did not listen, the answer is there by now
      throw new RobotFault(
        'no answer',
        `${doing}: its driver has not answered for ${Number(patience.toPrecision(2))} s`,
      )
    }
    try {
      return await Promise.race([work(), silence()])
    } catch (cause) {
      const { name, message = String(cause), kind, what } = (cause ?? {}) as Partial<RobotFault>
      const told = name === 'RobotFault' && FAULTS.includes(kind as FaultKind)
      throw new RobotFault(told ? kind! : 'robot', told ? String(what) : `${doing}: ${message}`, { cause })
    } finally {
      answered.abort()
    }
  }
}
