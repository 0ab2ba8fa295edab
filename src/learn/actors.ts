/** @file What the learner and the acting policy must agree on: which actors a method has, their sizes and constants. */
import { concat, type ParameterStore, type Tensor } from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  headLayout,
  type Layout,
  type NoiseActorSettings,
  noiseActorLayout,
  type Parameters,
  refinementLayout,
} from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import type { VlaEncoder } from '../vla/encoder.ts'
import type { NetworkConfig } from './config.ts'
import { sampleNoise } from './losses/noise-space.ts'
import { type Seen, visualInput, visualLayout, visualWidth } from './visual-input.ts'

/** K: the noise scale, the largest sigma of the schedule (docs/method.md §12). */
export const NOISE_SCALE = CONRFT_SCHEDULE.sigmaMax

/** Bound of m = μ / K (docs/method.md §12). */
export const REFINEMENT_BOUND = 3

/** DSRL: bound of the noise in units of K, and the clamp of its log standard deviation (docs/method.md §12). */
export const NOISE_ACTOR: NoiseActorSettings = { noiseBound: 1.5, logStdMin: -5, logStdMax: 2 }

export const METHODS = ['dual', 'single', 'hg-dagger', 'hil-conrft', 'dsrl'] as const
export type MethodName = (typeof METHODS)[number]

/** A head that was renewed away and still acts along; past1 is the youngest. */
export type PastHead = `past${number}`
export type Head = 'head' | PastHead

type Learnt = 'head' | 'refine' | 'noiseActor'

export type ActorNetwork = Learnt | PastHead

/** One of each for every actor of some method. */
export type ByActor<T> = Partial<Record<Learnt, T>> & Record<PastHead, T>

/** What learns to act in each method. */
const ACTORS: Record<MethodName, readonly Learnt[]> = {
  dual: ['head', 'refine'],
  single: ['head'],
  'hg-dagger': ['head'],
  'hil-conrft': ['head'],
  dsrl: ['head', 'noiseActor'],
}

/** In ours a noise actor stands beside the head where the critics move the noise. */
const learntBy = (method: MethodName, { criticsMove }: NetworkConfig): readonly Learnt[] =>
  criticsMove === 'noise' && (method === 'dual' || method === 'single')
    ? [...ACTORS[method], 'noiseActor']
    : ACTORS[method]

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

/** The heads whose mean is the action, the one that learns first. */
export const headsOf = ({ network }: ActorSizes): Head[] => [
  'head',
  ...Array.from({ length: network.pastHeads }, (_, i) => `past${i + 1}` as const),
]

/** Their parameters as they act: of the one that learns the average. */
export const actingHeads = (store: ParameterStore, sizes: ActorSizes): Parameters[] =>
  headsOf(sizes).map((head) => store.tensors(head, head === 'head' ? 'target' : 'value'))

/** The layouts of the groups of parameters that a method acts with. */
export function actorLayouts(sizes: ActorSizes, method: MethodName = 'dual'): ByActor<Layout> {
  const learnt = learntBy(method, sizes.network).map((actor) => [actor, LAYOUTS[actor](sizes)])
  const [, ...past] = headsOf(sizes)
  return Object.fromEntries([...learnt, ...past.map((place) => [place, LAYOUTS.head(sizes)])])
}

const LAYOUTS: Record<Learnt, (sizes: ActorSizes) => Layout> = {
  head: ({ network, embedding, proprio }) =>
    headLayout({
      embedding,
      proprio,
      projection: network.proprioWidth,
      actions: ACTION_WIDTH,
      timeWidth: CONRFT_SCHEDULE.timeWidth,
      timeHidden: TIME_HIDDEN,
      width: network.hidden,
      depth: DEPTH,
    }),
  refine: (sizes) => ({
    ...visualLayout(sizes),
    ...refinementLayout({
      features: visualWidth(sizes),
      text: sizes.command,
      projection: sizes.network.hidden,
      actions: ACTION_WIDTH,
      width: sizes.network.hidden,
      depth: DEPTH,
    }),
  }),
  // it sees h beside the images: h alone says which task it is
  noiseActor: (sizes) => ({
    ...visualLayout(sizes),
    ...noiseActorLayout({
      features: visualWidth(sizes) + sizes.embedding,
      proprio: sizes.proprio,
      projection: sizes.network.proprioWidth,
      actions: ACTION_WIDTH,
      width: sizes.network.hidden,
      depth: DEPTH,
    }),
  }),
}

/**
 * DSRL's noise n, in units of K, with its log density: bound · tanh(mean + std ξ), so ξ = 0 gives the mode.
 * features [..., camera, channel, space], h [..., H], proprio [..., P], xi [..., A].
 */
export function noiseOf(
  sizes: ActorSizes,
  parameters: Parameters,
  { proprio, ...seen }: Seen & { proprio: Tensor },
  xi: Tensor,
) {
  const both = concat([visualInput(sizes, parameters, seen), seen.h], seen.h.rank - 1)
  return sampleNoise(parameters, both, proprio, xi, NOISE_ACTOR)
}
