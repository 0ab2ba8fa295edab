/** @file What a policy would have a robot do: made of what the robot tells just now, held against its safety envelope, never sent. */
import { InputError } from '../../errors.ts'
import { describeFault } from '../../robot/fault.ts'
import { GRIPPER_ENTRY, gripAfter } from '../../robot/gripper.ts'
import type { Guarded } from '../../robot/guard.ts'
import type { Action } from '../../robot/robot.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import type { Findings } from './rung.ts'

const TOLD_EVERY = 0.5 // s between two commands that are told in words

export class DryCommands {
  private readonly seen: { planned: Action; allowed: Guarded }[] = []

  constructor(private readonly robot: Pick<SafeRobot, 'spec' | 'preview'>) {}

  /** One a period. @throws InputError where the envelope would have stopped the robot */
  note(planned: Action): void {
    const allowed = this.robot.preview(planned, this.seen.at(-1)?.allowed.action)
    if (allowed.fault)
      throw new InputError(
        `${this.robot.spec.name}, its policy`,
        `would have stopped it after ${this.seen.length} commands, ${describeFault(allowed.fault)}`,
        'Do not let it act: see whether the policy is one for this robot, and its cameras the right ones',
      )
    this.seen.push({ planned, allowed })
  }

  get findings(): Findings {
    const { rate } = this.robot.spec
    const every = Math.max(1, Math.round(TOLD_EVERY * rate))
    const limited = this.seen.filter(({ allowed }) => allowed.limited).length
    const told = this.seen.flatMap(({ planned, allowed }, k) => {
      if (k % every !== 0) return []
      const less = allowed.limited ? `; let through: ${this.motionOf(allowed.action)}` : ''
      return [[`after ${(k / rate).toFixed(1)} s`, `${this.motionOf(planned)}, ${gripOf(planned)}${less}`]]
    })
    return {
      'commands, not sent': this.seen.length,
      'of them larger than allowed': limited,
      ...Object.fromEntries(told),
    }
  }

  private motionOf(action: Action): string {
    const { translation, rotation } = this.robot.spec.actionScale
    const part = (from: number, scale: number, digits: number) =>
      [0, 1, 2].map((i) => signed((action[from + i]! * scale).toFixed(digits))).join(' ')
    return `${part(0, 1000 * translation, 1)} mm, ${part(3, rotation, 2)} rad`
  }
}

const signed = (text: string) => (text.startsWith('-') ? text : `+${text}`)

const GRIPS = { '1': 'closes', '-1': 'opens', '0': 'gripper as it is' } as const
const gripOf = (action: Action) => GRIPS[gripAfter(action[GRIPPER_ENTRY]!, 0)]
