/** @file The primary actor's consistency head: conditioning and noise to an action, in one denoising step or several (docs/method.md §2, §3). */
import { add, clip, concat, expand, mul, type Tensor, tanh } from '../graph/index.ts'
import {
  type ConsistencySchedule,
  largestLevel,
  levelsOf,
  type NoiseLevel,
  stepIndices,
} from './consistency-schedule.ts'
import { block, dense, trunk } from './layers.ts'
import { blockLayout, denseLayout, type Layout, type Parameters, trunkLayout } from './parameters.ts'

export type HeadDimensions = {
  embedding: number // h of the VLA encoder
  proprio: number
  projection: number // of proprio
  actions: number
  timeWidth: number
  timeHidden: number
  width: number
  depth: number
}

/** Parameters of the head and of the proprio projection before it. */
export function headLayout(sizes: HeadDimensions): Layout {
  const { embedding, proprio, projection, actions, timeWidth, timeHidden, width, depth } = sizes
  return {
    ...blockLayout('proprio', proprio, projection),
    ...denseLayout('time.0', timeWidth, timeHidden),
    ...denseLayout('time.1', timeHidden, timeWidth),
    ...trunkLayout(actions + timeWidth + embedding + projection, width, depth),
    ...denseLayout('out', width, actions),
  }
}

/** The head's conditioning [h, projected proprio]. h [..., embedding], proprio [..., proprio]. */
export const conditioning = (parameters: Parameters, h: Tensor, proprio: Tensor): Tensor =>
  concat([h, block(parameters, 'proprio', proprio)], h.shape.length - 1)

/** f(x_t, sigma, h) as the losses write it: x [..., A] or [..., samples, A], h the conditioning [..., H]. */
export type Denoiser = (x: Tensor, level: NoiseLevel, h: Tensor) => Tensor

/** c_skip x_t + c_out F(c_in x_t, emb(250 ln sigma), h), not yet clipped. */
export function unclippedDenoiser(parameters: Parameters): Denoiser {
  return (x, level, h) => {
    const time = dense(parameters, 'time.1', tanh(dense(parameters, 'time.0', level.timeFeatures)))
    const timeRows = expand(time, [...x.shape.slice(0, -1), time.shape.at(-1)!])
    const F = dense(parameters, 'out', trunk(parameters, [mul(level.in, x), timeRows, h]))
    return add(mul(level.skip, x), mul(level.out, F))
  }
}

/** f of the given parameters, clipped to [-1, 1]. */
export function denoiser(parameters: Parameters): Denoiser {
  const f = unclippedDenoiser(parameters)
  return (x, level, h) => clip(f(x, level, h), -1, 1)
}

/** One-step policy π(h; w) = f(w, sigma_max, h): noise w of scale K to an action. */
export type HeadPolicy = (w: Tensor, h: Tensor) => Tensor

export function policyOf(f: Denoiser, schedule: ConsistencySchedule): HeadPolicy {
  const level = largestLevel(schedule)
  return (w, h) => f(w, level, h)
}

/**
 * Several denoising steps, noises.length of them: x_0 = K z_0, a_k = f(x_k, sigma_k, h),
 * x_k = a_{k-1} + sqrt(sigma_k² - sigma_min²) z_k. Returns every x_k and a_k; the last action is the policy's.
 */
export function denoiseInSteps(
  f: Denoiser,
  schedule: ConsistencySchedule,
  noiseScale: number,
  h: Tensor,
  noises: readonly Tensor[],
): { sigmas: number[]; noisy: Tensor[]; actions: Tensor[] } {
  const sigmas = stepIndices(schedule, noises.length).map((index) => schedule.sigmas[index]!)
  const noisy: Tensor[] = []
  const actions: Tensor[] = []
  for (const [k, sigma] of sigmas.entries()) {
    const spread = Math.sqrt(sigma ** 2 - schedule.sigmaMin ** 2)
    noisy.push(k === 0 ? mul(noiseScale, noises[0]!) : add(actions[k - 1]!, mul(spread, noises[k]!)))
    actions.push(f(noisy[k]!, levelsOf(schedule, [sigma]), h))
  }
  return { sigmas, noisy, actions }
}
