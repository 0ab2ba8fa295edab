/**
 * @file The scripted expert: a memoryless controller on privileged state. Every step it infers the phase from geometry
 * alone, so that it can be asked about any state, and so that its actions are functions of what a policy can observe.
 */
import { ACTION_WIDTH, type Action } from '../../robot/robot.ts'
import { BOLT } from './layout.ts'
import { EXPERT, type ExpertPlan, inFixture } from './plan.ts'
import { fromRotationVector, upOf } from './spatial.ts'
import { TASKS } from './tasks/index.ts'
import type { BoltState, Fixture, Truth, Vec3 } from './truth.ts'
import { across, add, cross, dot, length, ramp, rotate, scale, subtract, turnBetween } from './vector.ts'

const ON_RIM = 15 // N: a bolt that is held stands on something
const FINGER_REACH = 0.009 // m that the pads reach below the TCP
const NEIGHBOUR = 0.059 // m from bolt to bolt that an open finger needs between them, and some to spare
const GIVE_WAY = 0.008 // m; as much as the gripper takes along the closing direction
const BETWEEN_FINGERS = 0.021 // m beside the axis: nearer, an open gripper has the bolt between its fingers

/**
 * Rotation vector that brings the unit vector `axis` onto `goal`, and the closing direction of the fingers, which turns
 * along, onto world x or -x, whichever is nearer.
 */
function align(axis: Vec3, goal: Vec3, closing: Vec3): Vec3 {
  const turn = turnBetween(axis, goal)
  const turned = rotate(fromRotationVector(turn), closing)
  const wanted = across([turned[0] >= 0 ? 1 : -1, 0, 0], goal)
  const twist = Math.atan2(dot(cross(turned, wanted), goal), dot(turned, wanted))
  return add(turn, scale(goal, twist))
}

/** The direction in which the fingers close: local y of the tool. It points out of the palm along its z. */
const closingAxis = (truth: Truth): Vec3 => rotate(truth.tcp.rotation, [0, 1, 0])

/** The bolt is in the gripper: move it so that its measured tip and axis go where they should. */
function carry(truth: Truth, bolt: BoltState): ExpertPlan {
  const closing = closingAxis(truth)
  const axis = upOf(bolt.rotation)
  const lever = subtract(bolt.tip, truth.tcp.position)
  const target = TASKS[truth.task]!.goal?.(truth)
  const gripped = 1 - ramp(truth.gripper.width, 0.0165, 0.019) // do not pull before the pads are on the shaft

  const holes = [...truth.cradles, truth.stand, ...truth.slots].filter((hole) => hole !== target?.fixture)
  for (const hole of holes) {
    const { height, offset, up } = inFixture(hole, bolt.tip)
    if (length(offset) > 0.012 || height > 0.006 || height < -hole.depth - 0.005) continue
    // Out along the hole first; the way to the target fades in over the last millimetres.
    const onward = target ? above(target.fixture, bolt.tip, EXPERT.hover) : scale(up, EXPERT.pickHeight - height)
    const free = ramp(height, 0.001, 0.006)
    const straight = scale(up, 0.022)
    const turn = scale(align(axis, target ? upOf(target.fixture.rotation) : up, closing), free)
    const travel = add(scale(straight, 1 - free), scale(onward, free))
    return {
      phase: 'lift',
      translation: scale(subtract(travel, cross(turn, lever)), gripped),
      rotation: turn,
      speed: 1,
      close: true,
      aside: 1,
      height,
      offset: length(offset),
    }
  }

  if (!target) {
    const turn = align(axis, upOf(truth.stand.rotation), closing)
    const travel = above(truth.stand, bolt.tip, EXPERT.pickHeight)
    const translation = subtract(travel, cross(turn, lever))
    return {
      phase: 'lift',
      translation,
      rotation: turn,
      speed: 1,
      close: true,
      aside: 1,
      height: 0,
      offset: length(across(travel, upOf(truth.stand.rotation))),
    }
  }

  const { height, offset, up } = inFixture(target.fixture, bolt.tip)
  const turn = align(axis, up, closing)
  const tilt = Math.acos(Math.min(1, dot(axis, up)))
  const aim = EXPERT.aim[truth.tip ?? 'round']
  const miss = Math.max(length(offset) / aim.offset, tilt / aim.tilt)
  const inside = ramp(-height, 0.001, 0.003) * (length(offset) < 0.009 ? 1 : 0)
  // A flat tip that stands on the rim does not slide in: up again, and beside the axis by less the next time.
  const onRim = truth.tip === 'flat' && Math.abs(height) < 0.0012 && truth.contactForce > ON_RIM
  const aside = onRim ? 1 : ramp(miss, 0.8, 1.6) * (1 - inside)
  // Where the bolt has slipped up in the grip the pads stand on the rim before it is down: let it drop the rest.
  const bottomed = height < -0.012 && inFixture(target.fixture, truth.tcp.position).height < 0.0105
  const seated = (-height >= target.seatedDepth && length(offset) < target.offset) || bottomed
  const goal = aside * EXPERT.hover - (1 - aside) * (target.fixture.depth + 0.002)
  // The target of an arm that presses is ahead of it, down in the fixture: it has to come back before the arm does.
  const relief = aside > 0.5 && goal > height ? Math.min(0.03, truth.contactForce / EXPERT.stiffness) : 0
  const travel = seated ? ([0, 0, 0] as Vec3) : subtract(scale(up, goal - height + relief), offset)
  const translation = seated ? travel : subtract(travel, cross(turn, lever))
  return {
    phase: seated ? 'release' : aside > 0.5 ? 'transport' : 'insert',
    translation,
    rotation: seated ? [0, 0, 0] : turn,
    speed: 0.6 + 0.4 * aside,
    close: !seated,
    aside,
    height,
    offset: length(offset),
  }
}

/** From `point` to the place `height` over a hole. */
function above(hole: Fixture, point: Vec3, height: number): Vec3 {
  const { height: present, offset, up } = inFixture(hole, point)
  return subtract(scale(up, height - present), offset)
}

/** The bolt stands in the hole: let go and rise. */
function leave(truth: Truth, bolt: BoltState): ExpertPlan {
  const axis = upOf(bolt.rotation)
  const open = ramp(truth.gripper.width, 0.038, 0.046)
  const headTop = add(bolt.position, scale(axis, BOLT.headHeight))
  const relative = subtract(truth.tcp.position, headTop)
  const height = dot(relative, axis)
  const offset = across(relative, axis)
  // A hand that let go under strain springs aside. Rising with a finger at the shaft would take the bolt along.
  const free = Math.max(1 - ramp(length(offset), 0.006, 0.012), ramp(height, 0, FINGER_REACH))
  // Where the bolt slipped up in the grip the fingers stand on the rim: they open once they are not pressed on it.
  const pressed = truth.tip === 'flat' ? Math.min(0.03, truth.contactForce / EXPERT.stiffness) * (1 - open) : 0
  const rise = scale(axis, open * free * Math.max(0, 0.03 - height) + pressed)
  return {
    phase: open < 1 ? 'release' : 'retreat',
    translation: subtract(rise, offset),
    rotation: [0, 0, 0],
    speed: 1,
    close: false,
    aside: 1,
    height,
    offset: length(offset),
  }
}

/** How far to grasp beside the axis so that an open finger passes a neighbour that stands close along world x. */
function giveWay(truth: Truth, bolt: BoltState): Vec3 {
  let shift = 0
  for (const other of truth.bolts) {
    const [x, y] = subtract(other.position, bolt.position)
    if (other === bolt || Math.abs(y) > 0.035) continue
    shift -= Math.sign(x) * Math.min(GIVE_WAY, Math.max(0, NEIGHBOUR - Math.abs(x)))
  }
  return [shift, 0, 0]
}

/** The bolt is out of the gripper, and not where it should be: go and get it, along its axis. */
function fetch(truth: Truth, bolt: BoltState): ExpertPlan {
  const axis = upOf(bolt.rotation)
  const turn = align(scale(upOf(truth.tcp.rotation), -1), axis, closingAxis(truth))
  const grasp = add(subtract(bolt.position, scale(axis, BOLT.graspBelowHead)), giveWay(truth, bolt))
  const relative = subtract(truth.tcp.position, grasp)
  const height = dot(relative, axis)
  const offset = across(relative, axis)
  const miss = length(offset)
  const { width, command } = truth.gripper

  // A closing gripper keeps closing while the shaft can be between the pads; closed on nothing, it opens again.
  // Closing takes one step; pads that stay this far apart are on the head.
  const onHead = width > 0.0205 && width < 0.03
  const closing = command === 'close' && miss < 0.0075 && height < 0.005 && !onHead
  const near = closing || (height < 0.0035 && miss < 0.006 && width > 0.04)
  const close = near && Math.abs(height) < 0.015 && width > 0.011 && length(turn) < 0.2
  // Wide of the bolt the goal is the waypoint over it; the funnel down to the grasp opens with alignment.
  const cone = ramp(miss, 0.006, 0.006 + EXPERT.approach / 3)
  const aside = Math.max(cone, ramp(length(turn), 0.15, 0.4), 1 - ramp(width, 0.036, 0.044))
  const level = close ? 0 : aside * EXPERT.approach
  // Below the top of the head: from outside only upwards, so that no finger sweeps the bolt away; with the bolt between
  // the fingers only to its axis, so that none takes it along.
  const beside = length(offset)
  const clear = ramp(height, EXPERT.headClearance - 0.016, EXPERT.headClearance)
  const sideways = beside > BETWEEN_FINGERS && beside < 0.07 ? clear : 1
  const upwards = beside > BETWEEN_FINGERS ? 1 : Math.max(1 - ramp(beside, 0.008, 0.014), clear)
  const travel = level > height ? upwards * (level - height) : level - height
  const translation = add(scale(offset, -sideways), scale(axis, travel))
  return {
    phase: close ? 'close' : aside > 0.5 ? 'approach' : 'descend',
    translation,
    rotation: turn,
    speed: 1,
    close,
    aside: close ? 0 : aside,
    height,
    offset: length(offset),
  }
}

/**
 * Pads that closed on the head instead of the shaft hold the bolt as well. Once it hangs free of every hole, letting go
 * would drop it: it is carried on as it is.
 */
function hangsByHead(truth: Truth, bolt: BoltState): boolean {
  const { width, command } = truth.gripper
  const offset = across(subtract(truth.tcp.position, bolt.position), upOf(bolt.rotation))
  if (command !== 'close' || !bolt.touchesHand || width < 0.0165 || width > 0.03 || length(offset) > 0.01) return false
  return [...truth.cradles, truth.stand, ...truth.slots].every((hole) => {
    const tip = inFixture(hole, bolt.tip)
    return length(tip.offset) > 0.012 || tip.height > -hole.depth + 0.01
  })
}

/** What to do next, from the state alone. */
export function expertPlan(truth: Truth): ExpertPlan {
  const own = TASKS[truth.task]!.plan?.(truth)
  if (own) return own
  const bolt = truth.bolts[truth.bolt]!
  if (bolt.held || hangsByHead(truth, bolt)) return carry(truth, bolt)
  const target = TASKS[truth.task]!.goal?.(truth)
  if (target) {
    const { height, offset } = inFixture(target.fixture, bolt.tip)
    if (-height >= target.seatedDepth - 0.003 && length(offset) < target.offset + 0.001) return leave(truth, bolt)
  }
  return fetch(truth, bolt)
}

/** The expert's action for a plan: a proportional step towards where the plan points, damped by the arm's own motion. */
export function planAction(plan: ExpertPlan, tcp: Truth['tcp'], gain: number = EXPERT.gain): Action {
  const action = new Float32Array(ACTION_WIDTH)
  const move = subtract(plan.translation, scale(tcp.velocity, EXPERT.lag))
  const turn = subtract(plan.rotation, scale(tcp.angularVelocity, EXPERT.rotationLag))
  const write = (error: Vec3, unit: number, at: number) => {
    const wanted = scale(error, gain / unit)
    const largest = Math.max(Math.abs(wanted[0]), Math.abs(wanted[1]), Math.abs(wanted[2]))
    const shrink = Math.min(1, plan.speed / Math.max(largest, 1e-9)) // keeps the direction
    for (let i = 0; i < 3; i++) action[at + i] = wanted[i]! * shrink
  }
  write(move, EXPERT.translationScale, 0)
  write(turn, EXPERT.rotationScale, 3)
  action[6] = plan.close ? 1 : -1
  return action
}

/** [7] in [-1, 1]. `gain` below the default suits someone who sees the state late (docs/simulator.md §6: half). */
export function expertAction(truth: Truth, gain: number = EXPERT.gain): Action {
  return planAction(expertPlan(truth), truth.tcp, gain)
}
