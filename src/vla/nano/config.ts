/** @file Sizes of the nano encoder, and the statistics it was trained with; stored as models/nano/config.json. */
import { z } from 'zod'

export const NanoConfig = z.strictObject({
  cameras: z.array(z.string()).min(1).describe('image names, in the order of the tokens'),
  imageSize: z.int().multipleOf(32).describe('pixels, square'),
  width: z.int().describe('of a token'),
  layers: z.int().min(1),
  heads: z.int().min(1),
  mlpWidth: z.int(),
  stemWidths: z.tuple([z.int(), z.int(), z.int()]).describe('channels of the stem at strides 4, 8 and 16'),
  words: z.int().describe('instruction tokens; longer instructions are cut, shorter ones padded'),
  vocabulary: z.array(z.string()).describe('known words; row 0 of the embedding is padding'),
  buckets: z.int().min(1).describe('rows that unknown words are hashed to'),
  proprio: z
    .strictObject({
      mean: z.array(z.number()),
      deviation: z.array(z.number()),
      channels: z
        .array(z.string())
        .optional()
        .describe('what each entry means, for robots that tell it in another order'),
    })
    .refine(({ mean, channels }) => channels === undefined || channels.length === mean.length, {
      path: ['channels'],
      message: 'are not as many as the entries of mean',
    }),
})
export type NanoConfig = z.infer<typeof NanoConfig>

const PATCH = 32 // pixels a side of a token, after the stem's strides 4, 2, 2, 2

/** Patch tokens a side of one camera. */
export const gridOf = (config: NanoConfig): number => config.imageSize / PATCH

/** [cameras, height, width, channels] of the visual features. */
export const featureShapeOf = (config: NanoConfig): [number, number, number, number] => {
  const side = gridOf(config)
  return [config.cameras.length, side, side, config.width]
}

/** h is the readout token followed by the pooled instruction embedding. */
export const nanoEmbeddingWidth = (config: NanoConfig): number => 2 * config.width

export const NANO_SIZES = {
  cameras: ['front', 'wrist'],
  imageSize: 128,
  width: 128,
  layers: 4,
  heads: 4,
  mlpWidth: 512,
  stemWidths: [32, 64, 128],
  words: 10,
  buckets: 64,
} satisfies Partial<NanoConfig>
