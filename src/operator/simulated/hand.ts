/** @file What a person's hand on a six-axis device makes of an intention: weaker, trembling, on one or two axes at a time. */
import type { RandomStream } from '../../random/stream.ts'
import type { Action } from '../../robot/robot.ts'
import type { SimulatedOperatorOptions } from './options.ts'

const MOTION_AXES = 6

export class Hand {
  private readonly options: SimulatedOperatorOptions
  private readonly random: RandomStream
  private readonly tremor = new Float64Array(MOTION_AXES)

  constructor(options: SimulatedOperatorOptions, random: RandomStream) {
    this.options = options
    this.random = random
  }

  /** A new grip: the tremor starts from its stationary distribution. */
  take(): void {
    for (let axis = 0; axis < MOTION_AXES; axis++) this.tremor[axis] = this.options.tremor * this.random.normal()
  }

  /** [7] intention to [7] action. An axis that is not pushed rests at the centre of the device and does not tremble. */
  push(intention: Action): Action {
    const { strength, tremor, tremorMemory, deadZone, sparsity } = this.options
    const largest = Math.max(Math.abs(intention[0]!), Math.abs(intention[1]!), Math.abs(intention[2]!))
    const innovation = tremor * Math.sqrt(1 - tremorMemory ** 2)
    const action = new Float32Array(intention)
    for (let axis = 0; axis < MOTION_AXES; axis++) {
      this.tremor[axis] = tremorMemory * this.tremor[axis]! + innovation * this.random.normal()
      const wanted = intention[axis]!
      const pushed = strength * wanted
      const resting = Math.abs(wanted) < sparsity * largest || Math.abs(pushed) < deadZone
      action[axis] = resting ? 0 : Math.min(1, Math.max(-1, pushed + this.tremor[axis]!))
    }
    return action
  }
}
