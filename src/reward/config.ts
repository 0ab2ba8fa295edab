/** @file The settings of who judges an episode beside a person, who always may. */
import { z } from 'zod'

const Target = z.strictObject({
  position: z.tuple([z.number(), z.number(), z.number()]), // m, of the tool in the base frame
  within: z.number().gt(0).default(0.01), // m, distance from there
  steps: z.int().min(1).default(3), // in a row
})

export const RewardConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('robot')
      .default('robot')
      .describe(
        'who rewards: the robot itself (one that cannot tell leaves it to a person), or pose, a place of the tool',
      ),
  }),
  z.strictObject({
    kind: z.literal('pose'),
    targets: z
      .record(z.string(), Target)
      .describe(
        'pose: by task, where the tool is when it is done: {position: [x, y, z] m, within: 0.01 m, steps: 3 in a row}',
      ),
  }),
])
export type RewardConfig = z.infer<typeof RewardConfig>
