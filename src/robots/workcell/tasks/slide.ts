/**
 * @file "slide": the stand is pushed along its rail to the end stop. The expert comes down behind it with the gripper closed,
 * pushes, backs off and rises. Like the other plans this one has no memory: the phase follows from the state.
 */

import { BOLT, CLEARANCE, GRIPPER, HOME_ROTATION, OPENING_HEIGHT, RAIL, STAND } from '../layout.ts'
import { DEFAULT_OPTIONS } from '../options.ts'
import { type ExpertPhase, type ExpertPlan, travel as stepsOfTravel } from '../plan.ts'
import { conjugate, multiply, rotationVector } from '../spatial.ts'
import { OPEN, overTable } from '../start.ts'
import type { Slide, Truth, Vec3 } from '../truth.ts'
import { add, axisOf, dot, length, ramp, scale, subtract } from '../vector.ts'
import type { Task } from './task.ts'

const FACE = -(BOLT.shaftRadius + CLEARANCE + STAND.wall + GRIPPER.padHalf[0]) // TCP along the rail with pads at the stand

/** Metres; along and across the rail relative to the stand, heights over the table. */
const SLIDE = {
  behind: FACE - 0.012, // where to come down and to back off to
  pushHeight: 0.026,
  safeHeight: OPENING_HEIGHT + 0.03, // a hand this high passes over every fixture
  arrived: 0.002, // from the end stop
} as const

/** Where the tool is: along and across the rail from the middle of the stand, and over the table. */
function toolAt({ stand, tcp }: Truth): { along: number; across: number; height: number; axes: [Vec3, Vec3] } {
  const relative = subtract(tcp.position, stand.position)
  const axes: [Vec3, Vec3] = [axisOf(stand.rotation, 1), axisOf(stand.rotation, 0)]
  return { along: dot(relative, axes[0]), across: dot(relative, axes[1]), height: tcp.position[2], axes }
}

/** What to do next in `slide`, from the state alone. `height` and `offset` are those over and beside the place to come down. */
function slidePlan(truth: Truth, { travel, stroke }: Slide): ExpertPlan {
  const { along, across, height, axes } = toolAt(truth)
  const forward = axes[0]
  const go = (right: Vec3, up: number): Vec3 => add(right, [0, 0, up])
  const offset = add(scale(axes[0], SLIDE.behind - along), scale(axes[1], -across))
  const miss = length(offset)
  const plan = (phase: ExpertPhase, translation: Vec3, aside = 0, speed = 1): ExpertPlan => ({
    phase,
    translation,
    rotation: rotationVector(multiply(multiply(truth.stand.rotation, HOME_ROTATION), conjugate(truth.tcp.rotation))),
    speed,
    close: true,
    aside,
    height: height - SLIDE.pushHeight,
    offset: miss,
  })

  if (stroke - travel < SLIDE.arrived) {
    const free = Math.max(ramp(FACE - along, 0.002, 0.008), ramp(height, 0.05, 0.06))
    // The target of an arm that presses is ahead of it and has to come back first.
    const pressed = Math.min(0.03, truth.contactForce / DEFAULT_OPTIONS.gains.stiffness)
    const back = scale(forward, Math.min(0, SLIDE.behind - along - pressed) * (1 - ramp(height, 0.05, 0.06)))
    return plan('retreat', go(back, free * Math.max(0, SLIDE.safeHeight + 0.005 - height)))
  }

  const low = height < 0.04 && along < FACE + 0.004 && along > SLIDE.behind - 0.02 && Math.abs(across) < 0.013
  if (low) {
    const closed = 1 - ramp(truth.gripper.width, 0.006, 0.02)
    // Past the stop, so that the hand does not slow down before it: what one sees and feels there says when to turn back.
    const onward = Math.max(0, FACE - along) + stroke - travel + 0.02
    const push = add(scale(forward, closed * onward), scale(axes[1], -across))
    return plan('push', go(push, SLIDE.pushHeight - height), 0, 0.6)
  }

  // Over the place to come down, then down a funnel; lower than the fixtures and wide of it only upwards.
  const aside = ramp(miss, 0.006, 0.02)
  const level = aside * (SLIDE.safeHeight - SLIDE.pushHeight) + SLIDE.pushHeight
  const sideways = miss < 0.012 ? 1 : ramp(height, 0.052, 0.062)
  const translation = go(scale(offset, sideways), level - height)
  return plan(aside > 0.5 ? 'approach' : 'descend', translation, aside)
}

const STOP_MARGIN = 0.004 // m from the end stop that count as against it
const COST = { descend: 4, contact: 2, leave: 7 } // steps beside free travel (docs/simulator.md §7)
const PUSH_PACE = 0.008 // m a step along the rail

export const task: Task = {
  listed: 4,
  instruction: 'push the stand to the left',
  maxSteps: 80,
  scene: 'rail',
  /** Against the end stop, at rest, the hand above it: the bolts play no part but must not be lost. */
  succeeds: ({ slide, tcp }) =>
    slide !== undefined &&
    slide.stroke - slide.travel < STOP_MARGIN &&
    Math.abs(slide.speed) < 0.01 &&
    tcp.position[2] > OPENING_HEIGHT + 0.02,
  /** The stand is at its travel 0. */
  start(stream, { fixtures, bolts, rotation, margins }) {
    fixtures.stand.position[1] += RAIL.start
    const tcp = { position: overTable(stream, margins), rotation }
    return { fixtures, bolts, toys: [], tcp, ...OPEN }
  },
  plan: (truth) => truth.slide && slidePlan(truth, truth.slide),
  /** Down behind the stand, along the rail, away. */
  stepsToGo({ slide }, plan) {
    const { travel, stroke } = slide!
    const wayDown = SLIDE.safeHeight - SLIDE.pushHeight
    const push = COST.contact + (stroke - travel) / PUSH_PACE + COST.leave
    if (plan.phase === 'retreat') return COST.leave * Math.min(1, Math.max(0, 1 - plan.height / wayDown))
    if (plan.phase === 'push') return push
    const down = COST.descend * Math.min(1, Math.max(plan.aside, plan.height / wayDown))
    return plan.aside * stepsOfTravel(plan.translation, plan.rotation) + down + push
  },
}
