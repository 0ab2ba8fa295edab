/** @file The settings of a run's workcells. */
import { z } from 'zod'
import { CELL_OPTIONS, CELLS, type Cell, DEFAULT_OPTIONS, type WorkcellOptions } from './options.ts'
import { TOYS } from './toys.ts'

const margin = (most: number, text: string) => z.number().min(0).max(most).default(0).describe(text)

const StartsConfig = z.strictObject({
  tool: margin(0.05, 'm: how much further, on each axis, the tool may begin from where it does by default'),
  turn: margin(0.4, 'rad: how much further it may be turned there, about each axis'),
  fixtures: margin(0.02, 'm: how much further cradles, stand and slots may be from their places, along x and y'),
  yaw: margin(0.4, 'rad: how much further they may be turned about the vertical'),
})

const { friction, clearance, tip } = DEFAULT_OPTIONS

const Settings = z.strictObject({
  kind: z.literal('workcell').default('workcell').describe('which robot: the simulated workcell'),
  arm: z
    .enum(['panda', 'gantry'])
    .default('panda')
    .describe('7-DoF arm, or the gantry that serves as a fast test double'),
  bolts: z
    .union([z.literal(1), z.literal(4)])
    .default(1)
    .describe('bolts in the scene'),
  slotFriction: z
    .number()
    .min(0.1)
    .max(1.5)
    .default(friction.slot)
    .describe('sliding friction of the slots, against the bolt: how far beside a slot it still slides in'),
  clearance: z
    .number()
    .min(0.0002)
    .max(0.002)
    .default(clearance)
    .describe('m between the shaft of a bolt and each wall of its hole: cradle, stand or slot'),
  tip: z
    .enum(['round', 'flat'])
    .default(tip)
    .describe("of a bolt's shaft: a flat one finds no hole by itself, it has to be aimed at one"),
  starts: StartsConfig.prefault({}),
  toys: z
    .int()
    .min(0)
    .max(TOYS.length)
    .default(0)
    .describe('toys that lie about among the fixtures: a box, a cylinder, a ball'),
  frontHidden: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'share of the episodes in which a panel before the front camera hides bolts, fixtures and hand; the arm is seen over it',
    ),
  tellsPlaces: z
    .boolean()
    .default(false)
    .describe('proprioception also tells, truly, where bolt and fixtures are: what would perfect eyes be worth?'),
  chainStarts: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'share of the practice episodes, where one can follow on a success, that begin in the scene it left behind',
    ),
  cells: z
    .array(z.enum(CELLS))
    .min(1)
    .refine((cells) => new Set(cells).size === cells.length, 'names a cell twice')
    .default(['A'])
    .describe('workcells with a robot each, side by side; they share encoder, learner, replay and policy'),
})

export const WorkcellConfig = Settings.refine(({ bolts, starts }) => bolts === 1 || starts.fixtures === 0, {
  path: ['starts', 'fixtures'],
  message: 'four bolts stand too close to each other for it: set it to 0, or robot.bolts to 1',
})
export type WorkcellConfig = z.infer<typeof WorkcellConfig>

/** The workcell that stands in one of the run's cells. */
export const optionsOf = (config: WorkcellConfig, cell: string, blind = false): WorkcellOptions => {
  const { arm, bolts, slotFriction, clearance, tip, starts, toys, frontHidden, tellsPlaces } = config
  return {
    ...DEFAULT_OPTIONS,
    ...CELL_OPTIONS[cell as Cell],
    arm,
    bolts,
    friction: { ...friction, slot: slotFriction },
    clearance,
    tip,
    starts,
    toys: TOYS.slice(0, toys),
    frontHidden,
    tellsPlaces,
    cameras: !blind,
  }
}
