/** @file The way of the tool while the joints go straight from one posture to another. */
import { InputError } from '../../errors.ts'
import { beyond, type WorkBox } from '../../robot/work-box.ts'
import { posture } from './chain.ts'
import type { JointVector } from './joints.ts'

const SAMPLES = 40

/**
 * How long it is, metres. Outside the work box, where an arm is switched on and parked, it may only come nearer to the box, or end.
 * @throws InputError if the tool would leave the box on its way
 */
export function expectWay(name: string, from: JointVector, to: JointVector, box: WorkBox): { length: number } {
  let length = 0
  let last: readonly number[] | null = null
  let outside = Number.POSITIVE_INFINITY
  const ends = beyond(posture(to).tool.position, box) === 0
  for (let k = 0; k <= SAMPLES; k++) {
    const { position } = posture(from.map((value, j) => value + ((to[j]! - value) * k) / SAMPLES)).tool
    if (last) length += Math.hypot(...position.map((value, i) => value - last![i]!))
    const out = beyond(position, box)
    if (ends && out > outside + 1e-6)
      throw new InputError(
        name,
        `would leave its work box by ${(1000 * out).toFixed(0)} mm on the way`,
        'Move the arm nearer to its start pose by hand, choose another start pose, or widen safety.workBox',
      )
    outside = out
    last = position
  }
  return { length }
}
