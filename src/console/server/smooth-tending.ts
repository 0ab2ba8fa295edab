/**
 * @file A person whose hand comes on and goes off smoothly; but where their page falls silent the robot stands still at once. With a
 * leader arm the page says whether the hand is on, and the leader where to.
 */

import type { Person } from '../../operator/person.ts'
import { GRIPPER_ENTRY } from '../../robot/gripper.ts'
import { holdAction } from '../../robot/guard.ts'
import type { Leader } from '../../robot/leader.ts'
import type { Operator, Tending } from '../../robot/operator.ts'
import type { Action, Observation } from '../../robot/robot.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import { Handover } from '../devices/handover.ts'

export class SmoothTending implements Operator {
  private readonly handover = new Handover()

  private led = false // the leader's motion counts since the hand came on

  /** `robot`: tells what reached its motors last, whoever asked for it. */
  constructor(
    private readonly person: Person,
    private readonly robot: Pick<SafeRobot, 'executed'>,
    private readonly leader?: Leader,
  ) {}

  begin(task: string): void {
    this.handover.reset()
    this.person.begin(task)
  }

  tend(observation: Observation, planned: Action): Tending {
    const { takeover: pushed, ...words } = this.person.tend(observation, planned)
    const takeover = pushed && this.withLeader(pushed)
    if (!pushed || this.person.silent) this.led = false
    if (takeover && this.person.silent) return { ...words, takeover }
    const gripper = { '1': 'close', '-1': 'open' }[String(takeover?.[6])] as 'close' | 'open' | undefined
    const asked = takeover
      ? { axes: [...takeover.subarray(0, 6)] as unknown as Asked['axes'], gripper: gripper ?? ('none' as const) }
      : null
    const action = this.handover.step(asked, this.robot.executed, planned)
    return action ? { ...words, takeover: action } : words
  }

  /** What the page asks for, and what the leader does; of the gripper, the leader's word where it has one. */
  private withLeader(pushed: Action): Action {
    const { leader } = this
    if (!leader || this.person.silent) return pushed
    if (!this.led) leader.engage()
    const motion = leader.motion(this.led ? this.robot.executed : holdAction())
    this.led = true
    if (!motion) return pushed
    return pushed.map((value, i) =>
      i < GRIPPER_ENTRY ? Math.max(-1, Math.min(1, value + motion[i]!)) : motion[i] || value,
    )
  }
}

type Asked = NonNullable<Parameters<Handover['step']>[0]>
