/** @file The settings of a robot that plays back a log. */
import { z } from 'zod'

export const ReplayedConfig = z.strictObject({
  kind: z.literal('replayed').describe('which robot: recorded episodes, played back'),
  log: z.string().describe('replayed: folder of the log, demonstrations or those of a run'),
  cells: z.array(z.string()).length(1).default(['A']).describe('name of the one robot that there is'),
})
export type ReplayedConfig = z.infer<typeof ReplayedConfig>
