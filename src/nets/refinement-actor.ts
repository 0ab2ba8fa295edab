/** @file The refinement actor: images and a command to the mean of the primary actor's noise (docs/method.md §2, §6). */
import { add, div, mul, type Tensor, tanh } from '../graph/index.ts'
import { block, dense, trunk } from './layers.ts'
import { blockLayout, denseLayout, type Layout, type Parameters, trunkLayout } from './parameters.ts'

export type RefinementDimensions = {
  features: number // pooled image features
  text: number // command embedding
  projection: number // of both
  actions: number
  width: number
  depth: number
}

/** Without the image pooling, see spatial-embedding.ts. The small last layer starts it near "do nothing". */
export function refinementLayout(sizes: RefinementDimensions): Layout {
  const { features, text, projection, actions, width, depth } = sizes
  return {
    ...blockLayout('image', features, projection),
    ...blockLayout('text', text, projection),
    ...trunkLayout(2 * projection, width, depth),
    ...denseLayout('out', width, actions, { gain: 0.01 }),
  }
}

/** u, before the bound. features [batch, F], text [batch, C] or one command for all [1, C]. Returns [batch, A]. */
export function unboundedMean(parameters: Parameters, features: Tensor, text: Tensor): Tensor {
  const image = block(parameters, 'image', features)
  return dense(parameters, 'out', trunk(parameters, [image, block(parameters, 'text', text)]))
}

/** m = bound · tanh(u / bound): a soft bound that is the identity near 0. */
export const bounded = (u: Tensor, bound: number): Tensor => mul(bound, tanh(div(u, bound)))

/** m = μ / K, the mean of the noise in units of its scale, within ±bound. */
export const refinementMean = (parameters: Parameters, features: Tensor, text: Tensor, bound: number): Tensor =>
  bounded(unboundedMean(parameters, features, text), bound)

/** w = K (m + ξ): what the frozen head denoises in refinement mode. */
export const refinedNoise = (noiseScale: number, m: Tensor, xi: Tensor): Tensor => mul(noiseScale, add(m, xi))
