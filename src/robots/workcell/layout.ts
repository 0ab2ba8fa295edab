/** @file Dimensions and nominal places of the workcell. Metres and radians; world z = 0 is the table, x forward, y left. */
import { fromRotationVector, IDENTITY } from './spatial.ts'
import type { Fixture, Quat, Vec3 } from './truth.ts'

export const BOLT = {
  shaftRadius: 0.008,
  tipBelowHead: 0.056, // from the underside of the head to the lowest point of the round tip
  headRadius: 0.012,
  headHeight: 0.01,
  graspBelowHead: 0.015,
  shaftMass: 0.044,
  headMass: 0.036,
}

export const OPENING_HEIGHT = 0.045 // of every hole above the table

/** Between the shaft and each wall of a hole, where no option says another. */
export const CLEARANCE = 0.00075

type Pocket = { depth: number; wall: number }
export const CRADLE: Pocket & { tilt: number } = { depth: 0.02, wall: 0.006, tilt: Math.PI / 4 }
export const STAND: Pocket = { depth: 0.024, wall: 0.01 }
export const SLOT: Pocket = { depth: 0.028, wall: 0.01 }

/**
 * The rail of the task `slide`: it carries the stand along the stand's own y (to the robot's left) from travel 0 to the end
 * stop at `stroke`. Newtons, N per m/s, kilograms.
 */
export const RAIL = { start: -0.012, stroke: 0.045, friction: 5, damping: 30, mass: 0.4 }

export const GRIPPER = {
  tcpAhead: 0.1034, // of the hand frame, along its z
  openingPerFinger: 0.025,
  padHalf: [0.0085, 0.004, 0.0085] as Vec3,
}
export const GRIPPER_OPEN_WIDTH = 2 * GRIPPER.openingPerFinger

/** Tool pose at home: hand z down, fingers along world x. */
export const HOME_ROTATION: Quat = [0, Math.SQRT1_2, Math.SQRT1_2, 0]

export const WORK_BOX: { low: Vec3; high: Vec3 } = { low: [0.3, -0.25, 0.012], high: [0.7, 0.25, 0.4] }

export const TIMESTEP = 0.002
export const SUBSTEPS = 50 // physics steps in one 10 Hz action

const ROW_OF_FOUR = [0.4025, 0.4675, 0.5325, 0.5975] // 65 mm apart: an open finger needs 43 mm to its side
const ROW_OF_ONE = [0.5]
const ROW_Y = 0.115 // cradles at +, slots at -

export type BoltCount = 1 | 4
export const rowOf = (bolts: BoltCount): readonly number[] => (bolts === 1 ? ROW_OF_ONE : ROW_OF_FOUR)

/** Every fixture of the cell in the order of its bodies: cradles, stand, slots. */
export type Fixtures = { cradles: Fixture[]; stand: Fixture; slots: Fixture[] }

export function nominalFixtures(bolts: BoltCount, clearance = CLEARANCE): Fixtures {
  const row = rowOf(bolts)
  const place = (pocket: Pocket, x: number, y: number, rotation: Quat): Fixture => ({
    position: [x, y, OPENING_HEIGHT],
    rotation,
    depth: pocket.depth,
    clearance,
  })
  return {
    cradles: row.map((x) => place(CRADLE, x, ROW_Y, fromRotationVector([CRADLE.tilt, 0, 0]))),
    stand: place(STAND, 0.5, 0, IDENTITY),
    slots: row.map((x) => place(SLOT, x, -ROW_Y, IDENTITY)),
  }
}
