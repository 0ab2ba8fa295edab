/** @file What may differ between workcells. The defaults are the workcell of the three tasks. */
import { type BoltCount, CLEARANCE } from './layout.ts'
import { defaultLight, defaultTable, type Light, type Scene } from './render/scene.ts'
import type { Vec3 } from './truth.ts'

export type Colour = [red: number, green: number, blue: number] // each 0..1

/** A loose shape to push and grasp. `size` holds MuJoCo's half sizes in metres: box (x, y, z), cylinder (radius, half length), sphere (radius). */
export type Toy = { kind: 'box' | 'cylinder' | 'sphere'; size: readonly number[]; colour: Colour }

/** By how much further than by default an episode's start may lie; metres and radians, ± on each axis. */
export type StartMargins = {
  tool: number // of the tool's position
  turn: number // of its orientation
  fixtures: number // of where cradles, stand and slots are, along x and y
  yaw: number // of how they are turned
}

/** Task-space impedance: N/m, Ns/m, Nm/rad, Nms/rad. */
export type Gains = { stiffness: number; damping: number; rotationalStiffness: number; rotationalDamping: number }

export type FrontCamera = { position: Vec3; target: Vec3; fovy: number } // metres, radians

/** Workcells that stand ready, by name: A has the default options. */
export const CELLS = ['A', 'B'] as const
export type Cell = (typeof CELLS)[number]

export type WorkcellOptions = {
  cell: Cell // goes into the robot's name, so that logs and demonstrations of different cells are never mixed up
  arm: 'panda' | 'gantry'
  bolts: BoltCount
  cameras: boolean // false: observations carry no images, which makes privileged runs fast
  base: { x: number; y: number; yaw: number } // of the arm's mounting; actions, proprio and truth stay in the frame of the table
  gains: Gains
  friction: { cradle: number; stand: number; slot: number } // slot friction is the difficulty of `assemble`
  clearance: number // metres between the shaft and each wall of a hole
  tip: 'round' | 'flat' // of the bolt's shaft
  starts: StartMargins
  frontCamera: FrontCamera
  light: Light
  table: Scene['table']
  linkColour: Colour
  toys: Toy[] // at most 3; they lie about among the fixtures
  frontHidden: number // share of the resets after which a panel stands before the front camera
  tellsPlaces: boolean // proprioception also tells, truly, where bolt and fixtures are
}

/** The part of the options that shapes the MuJoCo model. */
export type CellModel = Pick<
  WorkcellOptions,
  | 'arm'
  | 'bolts'
  | 'base'
  | 'friction'
  | 'clearance'
  | 'tip'
  | 'linkColour'
  | 'toys'
  | 'frontCamera' // where the panel is made for
  | 'frontHidden' // above 0 there is a panel
> & {
  rail?: boolean // the stand can slide, as the task `slide` wants it; by default it stands still
}

export const DEFAULT_OPTIONS: WorkcellOptions = {
  cell: 'A',
  arm: 'panda',
  bolts: 1,
  cameras: true,
  base: { x: 0, y: 0, yaw: 0 },
  gains: { stiffness: 1500, damping: 90, rotationalStiffness: 60, rotationalDamping: 4 },
  friction: { cradle: 0.3, stand: 0.3, slot: 0.6 },
  clearance: CLEARANCE,
  tip: 'round',
  starts: { tool: 0, turn: 0, fixtures: 0, yaw: 0 },
  frontCamera: { position: [1.05, 0, 0.4], target: [0.5, 0, 0.07], fovy: (36 * Math.PI) / 180 },
  light: defaultLight(),
  table: defaultTable(),
  linkColour: [0.86, 0.87, 0.88],
  toys: [],
  frontHidden: 0,
  tellsPlaces: false,
}

/**
 * A second robot for transfer: mounted elsewhere and turned, softer, orange, seen from another place, under another light
 * on another table. The gantry, which has no base and no such gains, moves as in A.
 */
export const WORKCELL_B: Partial<WorkcellOptions> = {
  cell: 'B',
  base: { x: 0.05, y: 0.18, yaw: -0.35 },
  gains: { stiffness: 1000, damping: 75, rotationalStiffness: 60, rotationalDamping: 4 },
  frontCamera: { position: [0.98, -0.3, 0.46], target: [0.5, 0, 0.07], fovy: (38 * Math.PI) / 180 },
  light: { direction: [0.3, -0.55, 0.78], ambient: 0.36, diffuse: 0.6 },
  table: { even: [0.5, 0.57, 0.6], odd: [0.46, 0.53, 0.56] },
  linkColour: [0.9, 0.45, 0.12],
}

/** What a cell has of its own. */
export const CELL_OPTIONS: Readonly<Record<Cell, Partial<WorkcellOptions>>> = { A: {}, B: WORKCELL_B }
