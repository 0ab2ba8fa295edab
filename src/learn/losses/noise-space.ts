/** @file Noise-aliased SAC over the noise of the frozen head, DSRL's losses (docs/method.md §9, §12). Its action critic is trained by tdLoss with `noisePolicyAction`. */
import { exp, mean, mul, neg, square, stopGradient, sub, type Tensor, unsqueeze } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import type { HeadPolicy } from '../../nets/consistency-head.ts'
import { meanOfMembers } from '../../nets/critic.ts'
import { type NoiseActorSettings, noiseDistribution, squashedSample } from '../../nets/noise-actor.ts'
import type { Parameters } from '../../nets/parameters.ts'

const CHART = { chart: 'Noise critic and noise actor', unit: 'loss' }
export const NOISE_SPACE = {
  alias: { name: 'noise.alias', title: 'noise critic', ...CHART },
  loss: { name: 'noise.loss', title: 'noise actor', ...CHART },
  temperature: { name: 'noise.temperature', title: 'temperature', ...CHART },
  entropy: { name: 'noise.entropy', title: 'entropy', chart: 'Entropy of the noise', unit: 'nats' },
} satisfies Record<string, Figure>

/** -A / 2. */
export const targetEntropy = (actionWidth: number): number => -actionWidth / 2

/** n ~ noise policy with its log density. features, proprio [..., F | P], xi [..., A]. */
export function sampleNoise(
  parameters: Parameters,
  features: Tensor,
  proprio: Tensor,
  xi: Tensor,
  settings: NoiseActorSettings,
) {
  const gaussian = noiseDistribution(parameters, features, proprio, settings)
  return { ...gaussian, ...squashedSample(gaussian, xi, settings.noiseBound) }
}

/** a = f(K n, σ_max, h) without gradient: noise in units of K [..., A] to actions [..., A]. */
export const noisePolicyAction = (policy: HeadPolicy, noiseScale: number, noise: Tensor, h: Tensor): Tensor =>
  stopGradient(policy(mul(noiseScale, noise), h))

/**
 * Noise aliasing: mean (QW_m(s, n) - mean_k Q_k(s, f(K n)))², all members of the noise critic to one target.
 * noiseQ, actionQ [task, member, batch]; the target has no gradient.
 */
export function noiseAliasLoss(noiseQ: Tensor, actionQ: Tensor) {
  const target = stopGradient(meanOfMembers(actionQ))
  return { target, loss: mean(square(sub(noiseQ, unsqueeze(target, 1)))) }
}

/** mean [τ log p - mean_m QW_m(s, n)], τ = exp(logTemperature) without gradient. logProb [(task,) batch], noiseQ [task, member, batch]. */
export function noiseActorLoss(logTemperature: Tensor, logProb: Tensor, noiseQ: Tensor) {
  const q = meanOfMembers(noiseQ)
  return { q, loss: mean(sub(mul(stopGradient(exp(logTemperature)), logProb), q)) }
}

/** exp(logTemperature) (mean(-log p) - target entropy), log p without gradient. logTemperature [1], logProb [(task,) batch]. */
export function temperatureLoss(logTemperature: Tensor, logProb: Tensor, entropyTarget: number) {
  const entropy = neg(mean(stopGradient(logProb)))
  return { entropy, loss: mean(mul(exp(logTemperature), sub(entropy, entropyTarget))) }
}
