/** @file What a person's hand on a six-axis device makes of an intention: weaker, trembling, on one or two axes at a time. */
import { AutoregressiveNoise } from '../../../random/autoregressive.ts'
import type { RandomStream } from '../../../random/stream.ts'
import type { Action } from '../../../robot/robot.ts'
import type { SimulatedOperatorOptions } from './options.ts'

const MOTION_AXES = 6

export class OperatorHand {
  private readonly options: SimulatedOperatorOptions
  private readonly tremor: AutoregressiveNoise

  constructor(options: SimulatedOperatorOptions, random: RandomStream) {
    this.options = options
    this.tremor = new AutoregressiveNoise(random, MOTION_AXES, options.tremor, options.tremorMemory)
  }

  /** A new grip. */
  take(): void {
    this.tremor.begin()
  }

  /** [7] intention to [7] action. An axis that is not pushed rests at the centre of the device and does not tremble. */
  push(intention: Action): Action {
    const { strength, deadZone, sparsity } = this.options
    const largest = Math.max(Math.abs(intention[0]!), Math.abs(intention[1]!), Math.abs(intention[2]!))
    const action = new Float32Array(intention)
    this.tremor.advance()
    for (let axis = 0; axis < MOTION_AXES; axis++) {
      const wanted = intention[axis]!
      const pushed = strength * wanted
      const resting = Math.abs(wanted) < sparsity * largest || Math.abs(pushed) < deadZone
      action[axis] = resting ? 0 : Math.min(1, Math.max(-1, pushed + this.tremor.value[axis]!))
    }
    return action
  }
}
