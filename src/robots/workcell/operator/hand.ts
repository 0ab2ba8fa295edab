/**
 * @file What a person's hand on a six-axis device makes of an intention: weaker, trembling, on one or two axes at a time, at
 * the speeds that the device has, the gripper by a button.
 */
import { AutoregressiveNoise } from '../../../random/autoregressive.ts'
import type { RandomStream } from '../../../random/stream.ts'
import { GRIPPER_ENTRY } from '../../../robot/gripper.ts'
import type { Action } from '../../../robot/robot.ts'
import type { Truth } from '../truth.ts'
import type { SimulatedOperatorOptions } from './options.ts'

const MOTION_AXES = 6

export class OperatorHand {
  private readonly options: SimulatedOperatorOptions
  private readonly tremor: AutoregressiveNoise
  private grip = 0 // what the button was last pressed for: 1 close, -1 open, 0 nothing
  private pressing = 0 // steps

  constructor(options: SimulatedOperatorOptions, random: RandomStream) {
    this.options = options
    this.tremor = new AutoregressiveNoise(random, MOTION_AXES, options.tremor, options.tremorMemory)
  }

  /** A new grip of the device, with the gripper as it is. */
  take(gripper: Truth['gripper']['command']): void {
    this.tremor.begin()
    this.grip = gripper === 'close' ? 1 : -1
    this.pressing = 0
  }

  /** [7] intention to [7] action. An axis that is not pushed rests at the centre of the device and does not tremble. */
  push(intention: Action): Action {
    const { strength, deadZone, sparsity, axes, levels, button } = this.options
    const largest = Math.max(Math.abs(intention[0]!), Math.abs(intention[1]!), Math.abs(intention[2]!))
    const action = new Float32Array(intention)
    this.tremor.advance()
    for (let axis = 0; axis < MOTION_AXES; axis++) {
      const wanted = intention[axis]!
      const pushed = strength * wanted
      const resting = Math.abs(wanted) < sparsity * largest || Math.abs(pushed) < deadZone
      action[axis] = resting ? 0 : inSteps(Math.min(1, Math.max(-1, pushed + this.tremor.value[axis]!)), levels)
    }
    for (const axis of beyond(axes, action)) action[axis] = 0
    if (button > 0 && this.press(action, button)) action.fill(0, 0, MOTION_AXES)
    return action
  }

  /** Whether the hand is at the button: it has been pressed once it was wanted for so many steps. */
  private press(action: Action, button: number): boolean {
    this.pressing = action[GRIPPER_ENTRY] === this.grip ? 0 : this.pressing + 1
    if (this.pressing > button) {
      this.grip = action[GRIPPER_ENTRY]!
      this.pressing = 0
    }
    action[GRIPPER_ENTRY] = this.grip
    return this.pressing > 0
  }
}

const inSteps = (value: number, levels: number): number => (levels === 0 ? value : Math.round(value * levels) / levels)

/** The motion axes beside the `count` that are pushed most. */
const beyond = (count: number, action: Action): number[] =>
  Array.from({ length: MOTION_AXES }, (_, axis) => axis)
    .sort((a, b) => Math.abs(action[b]!) - Math.abs(action[a]!))
    .slice(count)
