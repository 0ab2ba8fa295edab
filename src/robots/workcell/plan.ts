/** @file What the expert makes of a state: where it wants to go from here, and how long that takes. */
import { upOf } from './spatial.ts'
import type { Fixture, Vec3 } from './truth.ts'
import { across, dot, subtract } from './vector.ts'

export type ExpertPhase =
  | 'approach'
  | 'descend'
  | 'close'
  | 'lift'
  | 'transport'
  | 'insert'
  | 'push'
  | 'release'
  | 'retreat'

/** What the expert makes of a state: where it wants to go from here. Metres and radians, world frame. */
export type ExpertPlan = {
  phase: ExpertPhase
  translation: Vec3 // what the TCP still has to travel to the present goal
  rotation: Vec3 // and to turn, as a rotation vector
  speed: number // cap, as a share of full speed
  close: boolean // the gripper command
  /** 1: still on the way to the waypoint before a contact (above the bolt, above the hole); 0: on the way into it. */
  aside: number
  /** Height of the TCP over the grasp point or the place to push from, or of the tip over the opening of the hole; metres. */
  height: number
  offset: number // distance from that axis, metres
}

/** Metres and radians; the design values of the workcell (docs/simulator.md §6). */
export const EXPERT = {
  translationScale: 0.015,
  rotationScale: 0.15,
  lag: 0.05, // s: the expert steers from where the arm will be this much later, since the arm trails its target
  rotationLag: 0.08, // s: the same for turning
  gain: 0.6, // share of the remaining error that one step tries to remove
  stiffness: 1500, // N/m of the arm
  approach: 0.055, // waypoint over the grasp point
  headClearance: 0.031, // fingers this far over the grasp point pass over the head
  hover: 0.01, // waypoint of the tip over a hole
  aim: { round: { offset: 0.0035, tilt: 0.1 }, flat: { offset: 0.0015, tilt: 0.05 } }, // m, rad: a carried bolt whose tip is further from the hole's axis, or leans more, waits over it
  pickHeight: 0.04, // where a picked bolt's tip is carried, over the stand
} as const

/** Position of a point relative to a hole: height over the opening along its axis (negative: inside), offset across. */
export function inFixture(fixture: Fixture, point: Vec3): { height: number; offset: Vec3; up: Vec3 } {
  const up = upOf(fixture.rotation)
  const relative = subtract(point, fixture.position)
  return { height: dot(relative, up), offset: across(relative, up), up }
}

const FULL_SPEED = 0.95 // share of the largest action that free travel makes good

/** Steps of free travel over a displacement (m) and a turn (rad): the axis with the longest way decides. */
export function travel(displacement: Vec3, rotation: Vec3 = [0, 0, 0]): number {
  const metres = Math.max(...displacement.map(Math.abs))
  const radians = Math.max(...rotation.map(Math.abs))
  return Math.max(metres / EXPERT.translationScale, radians / EXPERT.rotationScale) / FULL_SPEED
}
