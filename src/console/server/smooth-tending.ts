/** @file A person whose hand comes on and goes off smoothly; but where their page falls silent the robot stands still at once. */

import type { Person } from '../../operator/person.ts'
import type { Operator, Tending } from '../../robot/operator.ts'
import type { Action, Observation } from '../../robot/robot.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import { Handover } from '../devices/handover.ts'

export class SmoothTending implements Operator {
  private readonly handover = new Handover()

  /** `robot`: tells what reached its motors last, whoever asked for it. */
  constructor(
    private readonly person: Person,
    private readonly robot: Pick<SafeRobot, 'executed'>,
  ) {}

  begin(task: string): void {
    this.handover.reset()
    this.person.begin(task)
  }

  tend(observation: Observation, planned: Action): Tending {
    const { takeover, ...words } = this.person.tend(observation, planned)
    if (takeover && this.person.silent) return { ...words, takeover }
    const gripper = { '1': 'close', '-1': 'open' }[String(takeover?.[6])] as 'close' | 'open' | undefined
    const asked = takeover
      ? { axes: [...takeover.subarray(0, 6)] as unknown as Asked['axes'], gripper: gripper ?? ('none' as const) }
      : null
    const action = this.handover.step(asked, this.robot.executed, planned)
    return action ? { ...words, takeover: action } : words
  }
}

type Asked = NonNullable<Parameters<Handover['step']>[0]>
