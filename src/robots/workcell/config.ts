/** @file The settings of a run's workcells. */
import { z } from 'zod'
import { CELL_OPTIONS, CELLS, type Cell, DEFAULT_OPTIONS, type WorkcellOptions } from './options.ts'

export const WorkcellConfig = z.strictObject({
  kind: z.literal('workcell').default('workcell').describe('which robot: the simulated workcell'),
  arm: z
    .enum(['panda', 'gantry'])
    .default('panda')
    .describe('7-DoF arm, or the gantry that serves as a fast test double'),
  bolts: z
    .union([z.literal(1), z.literal(4)])
    .default(1)
    .describe('bolts in the scene'),
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
export type WorkcellConfig = z.infer<typeof WorkcellConfig>

/** The workcell that stands in one of the run's cells. */
export const optionsOf = ({ arm, bolts }: WorkcellConfig, cell: string, blind = false): WorkcellOptions => ({
  ...DEFAULT_OPTIONS,
  ...CELL_OPTIONS[cell as Cell],
  arm,
  bolts,
  cameras: !blind,
})
