/** @file The way from one posture to another: straight in the joints' space, or, where the tool's arc would leave the work box, round it. */
import { InputError } from '../../errors.ts'
import { RandomStream } from '../../random/stream.ts'
import { moved } from '../../robot/rotation.ts'
import { beyond, type WorkBox } from '../../robot/work-box.ts'
import { posture } from './chain.ts'
import { ARM_JOINTS, type JointVector } from './joints.ts'
import { type Ranges, solve, twistBetween } from './kinematics.ts'

const SAMPLES = 40 // of an arc
const SPACING = 0.02 // m between two postures of a line; the arc between them is a line but for hundredths of a millimetre
const TURNING = 0.1 // rad, the same of its turn
const SLACK = 5e-4 // m: what a step of a servo is at the tool
const TRIED = 400 // postures to go over
const MISSED = 1e-3 // m between a posture and its place on the line

/** Straight in the joints' space to a posture; `length`: of the tool's way, metres. */
export type Leg = { to: JointVector; length: number }

/**
 * The postures to go through, one after the other. Outside of the work box, where an arm is switched on and parked, the tool
 * may only come nearer to it, or end. @throws InputError if no way keeps it there
 */
export function legsTo(name: string, from: JointVector, to: JointVector, box: WorkBox, ranges: Ranges): Leg[] {
  const straight = arc(from, to, box)
  if (straight.out === 0) return [{ to, length: straight.length }]
  const floor = Math.min(box.low[2]!, lowest(from), lowest(to)) // no joint goes lower on a detour: there may be a table
  const detour = lineTo(from, to, box, ranges, floor) ?? overAnother(from, to, box, ranges, floor)
  if (detour) return detour
  throw new InputError(
    name,
    `would leave its work box by ${Math.max(1, Math.round(1000 * straight.out))} mm on the way`,
    'Move the arm nearer to its start pose by hand, choose another start pose, or widen safety.workBox',
  )
}

const lowest = (angles: JointVector) => Math.min(...posture(angles).joints.map(({ position }) => position[2]))

/** `out`: how far the tool is outside, metres, where it goes further out than it was; 0 where it does not, or has to end there. `low`: the lowest joint, metres above the base. */
function arc(from: JointVector, to: JointVector, box: WorkBox): { length: number; out: number; low: number } {
  let length = 0
  let out = 0
  let low = Number.POSITIVE_INFINITY
  let last = posture(from).tool.position
  let outside = beyond(last, box)
  const ends = beyond(posture(to).tool.position, box) === 0
  for (let k = 1; k <= SAMPLES; k++) {
    const { tool, joints } = posture(from.map((value, j) => value + ((to[j]! - value) * k) / SAMPLES))
    const { position } = tool
    low = Math.min(low, ...joints.map((joint) => joint.position[2]))
    length += Math.hypot(...position.map((value, i) => value - last[i]!))
    const now = beyond(position, box)
    if (ends && now > outside + SLACK) out = Math.max(out, now)
    outside = Math.min(outside, now)
    last = position
  }
  return { length, out, low }
}

/** With the tool on the line between both poses, which a box with both in it holds; undefined where the arm cannot. */
function lineTo(from: JointVector, to: JointVector, box: WorkBox, ranges: Ranges, floor: number): Leg[] | undefined {
  const [begins, ends] = [posture(from).tool, posture(to).tool]
  const twist = twistBetween(begins, ends)
  const [shift, turn] = [Math.hypot(...twist.slice(0, 3)), Math.hypot(...twist.slice(3))]
  const count = Math.max(1, Math.ceil(shift / SPACING), Math.ceil(turn / TURNING))
  const legs: Leg[] = []
  let at = from
  const go = (next: JointVector): boolean => {
    const { length, out, low } = arc(at, next, box)
    legs.push({ to: next, length })
    at = next
    return out === 0 && low >= floor
  }
  for (let k = 1; k <= count; k++) {
    const pose = moved(
      begins,
      twist.map((entry) => (entry * k) / count),
    )
    const { angles, missed } = solve(pose, at, ranges)
    const rest = from.slice(ARM_JOINTS).map((value, j) => value + ((to[ARM_JOINTS + j]! - value) * k) / count)
    if (missed > MISSED || !go([...angles, ...rest])) return undefined
  }
  return go(to) ? legs : undefined
}

/** Over one posture between, of those tried the one that makes the shortest way; undefined where none will do. */
function overAnother(
  from: JointVector,
  to: JointVector,
  box: WorkBox,
  ranges: Ranges,
  floor: number,
): Leg[] | undefined {
  const random = new RandomStream(0, 'way')
  let best: Leg[] | undefined
  let shortest = Number.POSITIVE_INFINITY
  for (let tried = 0; tried < TRIED; tried++) {
    const via = [...ranges.map(([low, high]) => random.uniform(low, high)), ...to.slice(ARM_JOINTS)]
    if (beyond(posture(via).tool.position, box) > 0) continue
    const [there, on] = [arc(from, via, box), arc(via, to, box)]
    if (there.out > 0 || on.out > 0 || Math.min(there.low, on.low) < floor) continue
    if (there.length + on.length >= shortest) continue
    shortest = there.length + on.length
    best = [
      { to: via, length: there.length },
      { to, length: on.length },
    ]
  }
  return best
}
