/** @file A command with a distance: how far the tool has yet to go, and the motion that brings it there. */
import type { Tending } from '../robot/operator.ts'
import type { Action } from '../robot/robot.ts'
import type { Vec3 } from '../robot/rotation.ts'
import type { Direction } from './vocabulary.ts'

/** Metres along x, y and z of the base frame, signed; null along an axis of which nothing was said. */
type ToGo = NonNullable<Tending['toGo']>

const NEAR = { metres: 0.001, share: 0.1 } // of the distance; whichever is more
const STEPS = 3 // in which the rest would be gone without a limit: an arm that trails by one or two does not swing
const PACE = 0.4 // of the largest action

/** Each axis that `direction` names for itself, `metres` from where the tool was first seen. */
export class Reach {
  private from?: Vec3

  constructor(
    private readonly direction: Direction,
    private readonly metres: number,
  ) {}

  /** `tool`: metres, base frame. Undefined once it has come as far as was asked along every axis. */
  toGo(tool: Vec3): ToGo | undefined {
    this.from ??= [...tool]
    const { direction, metres, from } = this
    const toGo = direction.map((sign, axis) => (sign === 0 ? null : sign * metres - (tool[axis]! - from[axis]!)))
    const near = Math.max(NEAR.metres, NEAR.share * metres)
    return toGo.every((rest) => rest === null || Math.abs(rest) <= near) ? undefined : toGo
  }
}

/** The action, but along the axes of which something was said the tool goes where it was told; all else is the policy's. */
export function carried(action: Action, toGo: ToGo, metresPerUnit: number): Action {
  const motion = action.slice()
  toGo.forEach((rest, axis) => {
    if (rest !== null) motion[axis] = Math.max(-PACE, Math.min(PACE, rest / (STEPS * metresPerUnit)))
  })
  return motion
}
