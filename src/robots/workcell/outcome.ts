/** @file What counts as success and failure in the privileged state, as far as tasks share it. */
import { BOLT, GRIPPER_OPEN_WIDTH } from './layout.ts'
import { angleBetween, toLocal, toWorld, upOf } from './spatial.ts'
import type { BoltState, Fixture, Truth } from './truth.ts'

/** How a bolt sits in a hole: metres below the opening and beside the axis, radians between the axes. */
export function seating(bolt: BoltState, fixture: Fixture): { depth: number; offset: number; tilt: number } {
  const tip = toLocal(fixture, bolt.tip)
  return {
    depth: -tip[2],
    offset: Math.hypot(tip[0], tip[1]),
    tilt: angleBetween(upOf(bolt.rotation), upOf(fixture.rotation)),
  }
}

/**
 * The bolt is in the grip: gripper told to close, opening within 4 mm of the shaft, tool centre within 8 mm of the shaft
 * axis and along the shaft. Pad force drops out for single physics steps while the tip presses on a rim; this does not.
 */
export function isHeld(bolt: Pick<BoltState, 'position' | 'rotation'>, gripper: Truth['gripper'], tcp: Truth['tcp']) {
  const offset = toLocal(bolt, tcp.position)
  return (
    gripper.command === 'close' &&
    Math.abs(gripper.width - 2 * BOLT.shaftRadius) < 0.004 &&
    Math.hypot(offset[0], offset[1]) < 0.008 &&
    offset[2] < 0 &&
    offset[2] > -BOLT.tipBelowHead
  )
}

/** Let go, hand open and above the head, bolt at rest: the end of one task is a start of the next. */
export function isReleasedAndClear(truth: Truth, bolt: BoltState): boolean {
  const headTop = toWorld(bolt, [0, 0, BOLT.headHeight])
  return (
    !bolt.touchesHand &&
    truth.gripper.width > 0.8 * GRIPPER_OPEN_WIDTH &&
    truth.tcp.position[2] > headTop[2] + 0.01 &&
    bolt.speed < 0.03
  )
}

/** The active bolt is lost: dropped on the table, or off the work area. */
export function fails(truth: Truth): boolean {
  const bolt = truth.bolts[truth.bolt]!
  const [x, y, z] = bolt.position
  return (z < 0.02 && !bolt.held) || Math.abs(x - 0.5) > 0.25 || Math.abs(y) > 0.28
}

/** Steps in a row for which a task's conditions must hold. */
export const STEPS_TO_SUCCEED = 2
