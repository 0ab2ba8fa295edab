/** @file A command with a distance: an axis is asked for until the tool has come so far along it. */
import type { Vec3 } from '../robot/rotation.ts'
import type { Direction } from './vocabulary.ts'

/**
 * Of the signs of `direction` along x, y, z those along which the tool has yet to come `metres`, each axis for itself, from
 * where it was first seen. An axis is over with the step that brings it nearest: half of what the last step brought still
 * comes. Where the policy brings the tool back before all are over, its axis is asked for again.
 */
export class Reach {
  private from?: Vec3
  private last?: readonly number[] // metres along each axis asked for

  constructor(
    private readonly direction: Direction,
    private readonly metres: number,
  ) {}

  /** `tool`: metres, base frame. Once a step; [0, 0, 0] where it has come as far as was asked. */
  left(tool: Vec3): Direction {
    this.from ??= [...tool]
    const come = this.direction.map((sign, axis) => sign * (tool[axis]! - this.from![axis]!))
    const brought = come.map((metres, axis) => metres - (this.last?.[axis] ?? 0))
    this.last = come
    const isLeft = (axis: number) => come[axis]! + Math.max(0, brought[axis]!) / 2 < this.metres
    return this.direction.map((sign, axis) => (sign !== 0 && isLeft(axis) ? sign : 0)) as unknown as Direction
  }
}
