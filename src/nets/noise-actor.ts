/** @file The noise actor of the DSRL baseline: a squashed Gaussian over the frozen head's noise, in units of K. */
import { abs, add, clip, exp, log, maximum, mul, neg, square, sub, sum, type Tensor, tanh } from '../graph/index.ts'
import { block, dense, trunk } from './layers.ts'
import { blockLayout, denseLayout, type Layout, type Parameters, trunkLayout } from './parameters.ts'

export type NoiseActorDimensions = {
  features: number // pooled image features
  proprio: number
  projection: number // of proprio
  actions: number
  width: number
  depth: number
}

export function noiseActorLayout(sizes: NoiseActorDimensions): Layout {
  const { features, proprio, projection, actions, width, depth } = sizes
  return {
    ...blockLayout('proprio', proprio, projection),
    ...trunkLayout(features + projection, width, depth),
    ...denseLayout('mean', width, actions, { gain: 0.01 }),
    ...denseLayout('log_std', width, actions, { gain: 0.01 }),
  }
}

export type NoiseActorSettings = { noiseBound: number; logStdMin: number; logStdMax: number }

export type Gaussian = { mean: Tensor; logStd: Tensor }

/** Mean and clamped log standard deviation of u. features [..., F], proprio [..., P]; both returned [..., A]. */
export function noiseDistribution(
  parameters: Parameters,
  features: Tensor,
  proprio: Tensor,
  { logStdMin, logStdMax }: NoiseActorSettings,
): Gaussian {
  const y = trunk(parameters, [features, block(parameters, 'proprio', proprio)])
  return {
    mean: dense(parameters, 'mean', y),
    logStd: clip(dense(parameters, 'log_std', y), logStdMin, logStdMax),
  }
}

/**
 * u = mean + std ξ, n = bound · tanh u, log p = Σ [ln N(u) - ln(1 - tanh² u)]: the density of tanh u in (-1, 1),
 * without the factor of the bound. Returns u and n [..., A], logProb [...].
 */
export function squashedSample({ mean, logStd }: Gaussian, xi: Tensor, bound: number) {
  const u = add(mean, mul(exp(logStd), xi))
  const logNormal = sub(mul(-0.5, square(xi)), add(logStd, 0.5 * Math.log(2 * Math.PI)))
  return {
    u,
    noise: mul(bound, tanh(u)),
    logProb: sum(sub(logNormal, logOneMinusTanhSquared(u)), [xi.shape.length - 1]),
  }
}

/** ln(1 - tanh² u) = 2 (ln 2 - u - softplus(-2u)), which does not cancel for large |u|. */
function logOneMinusTanhSquared(u: Tensor): Tensor {
  const x = mul(-2, u)
  const softplus = add(maximum(x, 0), log(add(1, exp(neg(abs(x))))))
  return mul(2, sub(Math.LN2, add(u, softplus)))
}
