/** @file Behaviour cloning terms per sample: denoising reconstruction, direct squared error, noise gain (docs/method.md §3, §12, §13). */
import { add, clip, mean, mul, reshape, square, sub, type Tensor } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import type { Denoiser } from '../../nets/consistency-head.ts'
import { type ConsistencySchedule, levelsAt } from '../../nets/consistency-schedule.ts'
import { squaredDistance } from './means.ts'

export const CLONING: Figure = { name: 'actor.bc', title: 'cloning', chart: 'Primary actor: cloning', unit: 'loss' }

/** epsilon: standard normal [..., A]; sigmaIndex: int32 [...], uniform over all schedule indices but the last. */
export type ReconstructionNoise = { epsilon: Tensor; sigmaIndex: Tensor }

/**
 * (1/σ² + 1/σ_d²) · mean_dims (f(a* + σ ε, σ, h) - a*)². h [..., H], actions [..., A]; perSample [...].
 */
export function reconstruction(
  f: Denoiser,
  schedule: ConsistencySchedule,
  { h, actions, epsilon, sigmaIndex }: { h: Tensor; actions: Tensor } & ReconstructionNoise,
) {
  const level = levelsAt(schedule, sigmaIndex)
  const noisy = add(actions, mul(level.sigma, epsilon))
  const denoised = f(noisy, level, h)
  const error = mean(square(sub(denoised, actions)), [actions.shape.length - 1])
  return { level, noisy, denoised, perSample: mul(reshape(level.weight, error.shape), error) }
}

/** ||π(h; K ξ) - a*||²: action, the policy's [..., A]; returns [...]. */
export const directCloning = (action: Tensor, demonstrated: Tensor): Tensor => squaredDistance(action, demonstrated)

/** Weight of the noise gain term in the cloning term. */
export const NOISE_GAIN_WEIGHT = 4

/**
 * 4 · ||f(K ξ, σ_max, h) - clip(a* + g ξ)||²: the head answers its noise with gain g, so that the refinement actor can
 * steer it. action is the policy's answer to this ξ [..., A]; returns [...].
 */
export const noiseGainTerm = (action: Tensor, demonstrated: Tensor, xi: Tensor, gain: number): Tensor =>
  mul(NOISE_GAIN_WEIGHT, squaredDistance(action, clip(add(demonstrated, mul(gain, xi)), -1, 1)))
