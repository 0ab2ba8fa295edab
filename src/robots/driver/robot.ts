/** @file A robot behind somebody else's driver: asked what it can do only, and a fault whatever it throws. */
import { InputError } from '../../errors.ts'
import { FAULTS, type FaultKind, RobotFault } from '../../robot/fault.ts'
import { expectTask } from '../../robot/real-config.ts'
import { ACTION_WIDTH, type Action, type Robot, type RobotSpec } from '../../robot/robot.ts'
import type { DrivenRobot } from './driver.ts'

export class ForeignRobot implements Robot {
  constructor(
    readonly spec: RobotSpec,
    private readonly driven: DrivenRobot,
  ) {}

  async reset(task: string, seed?: number) {
    expectTask(this.spec, task)
    return this.orFault('reset', () => this.driven.reset(task, seed))
  }

  observe() {
    return this.orFault('observe', () => this.driven.observe())
  }

  async step(action: Action) {
    if (action.length !== ACTION_WIDTH || !action.every(Number.isFinite))
      throw new InputError(this.spec.name, `was given the action [${action}]`, `Give ${ACTION_WIDTH} finite numbers`)
    return this.orFault('step', () => this.driven.step(action))
  }

  stop() {
    return this.orFault('stop', () => this.driven.stop())
  }

  async recover() {
    await this.orFault('recover', async () => this.driven.recover?.())
  }

  close() {
    return this.driven.close()
  }

  /** The driver may come with a RobotFault of its own copy of this package: it is known by its name. */
  private async orFault<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      const { name, message = String(cause), kind, what } = (cause ?? {}) as Partial<RobotFault>
      const told = name === 'RobotFault' && FAULTS.includes(kind as FaultKind)
      throw new RobotFault(told ? kind! : 'robot', told ? String(what) : `${doing}: ${message}`, { cause })
    }
  }
}
