/** @file What the learner and the acting policy must agree on: the two actors' sizes and constants. */
import {
  CONRFT_SCHEDULE,
  headLayout,
  type Layout,
  refinementLayout,
  type SpatialDimensions,
  spatialLayout,
} from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { VlaEncoder } from '../vla/encoder.ts'
import type { NetworkConfig } from './config.ts'

/** K: the noise scale, the largest sigma of the schedule (paper.md §12). */
export const NOISE_SCALE = CONRFT_SCHEDULE.sigmaMax

/** Bound of m = μ / K (paper.md §12). */
export const REFINEMENT_BOUND = 3

const TIME_HIDDEN = 2 * CONRFT_SCHEDULE.timeWidth
const DEPTH = 2

/** Everything that fixes the shapes of the actors' parameters. */
export type ActorSizes = {
  network: NetworkConfig
  embedding: number
  proprio: number
  command: number
  cameras: number
  space: number // height · width of the feature map
  channels: number
}

export function actorSizes(
  network: NetworkConfig,
  encoder: VlaEncoder['description'],
  proprio: number,
  command: number,
): ActorSizes {
  const [cameras, height, width, channels] = encoder.featureShape
  return { network, embedding: encoder.embeddingWidth, proprio, command, cameras, space: height * width, channels }
}

export function actorLayouts(sizes: ActorSizes): { head: Layout; refine: Layout } {
  const { network, embedding, proprio, command } = sizes
  const { hidden: width, proprioWidth: projection, bottleneck } = network
  return {
    head: headLayout({
      embedding,
      proprio,
      projection,
      actions: ACTION_WIDTH,
      timeWidth: CONRFT_SCHEDULE.timeWidth,
      timeHidden: TIME_HIDDEN,
      width,
      depth: DEPTH,
    }),
    refine: {
      ...spatialLayout(spatialSizes(sizes)),
      ...refinementLayout({
        features: bottleneck,
        text: command,
        projection: width,
        actions: ACTION_WIDTH,
        width,
        depth: DEPTH,
      }),
    },
  }
}

export const spatialSizes = ({ network, cameras, channels, space }: ActorSizes): SpatialDimensions => ({
  cameras,
  channels,
  space,
  embeddings: network.spatialEmbeddings,
  bottleneck: network.bottleneck,
})
