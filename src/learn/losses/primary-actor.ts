/** @file The primary actor's loss: cloning plus the task-weighted value of its own actions (docs/method.md §4, §12). */
import { add, mean, mul, neg, type Tensor } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'
import type { Denoiser, HeadPolicy } from '../../nets/consistency-head.ts'
import type { ConsistencySchedule } from '../../nets/consistency-schedule.ts'
import { meanOfMembers } from '../../nets/critic.ts'
import { directCloning, noiseGainTerm, type ReconstructionNoise, reconstruction } from './behaviour-cloning.ts'
import { batchMean, maskedMean } from './means.ts'
import { type TaskWeightSettings, taskWeightTensor } from './task-weights.ts'

const VALUE_CHART = { chart: 'Primary actor: value term and total', unit: 'loss' }
export const ACTOR_VALUE: Figure = { name: 'actor.q', title: 'value term', ...VALUE_CHART }
export const ACTOR_LOSS: Figure = { name: 'actor.loss', title: 'total', ...VALUE_CHART }
export const MEAN_Q: Figure = {
  name: 'meanQ',
  title: 'Q̄',
  chart: 'Mean value Q̄ of the actor’s own actions',
  unit: 'Q̄',
  of: 'task',
}

/** h [task, batch, H], actions and xi [task, batch, A], bcMask [task, batch]: 1 for demonstrations and interventions. */
export type ActorBatch = { h: Tensor; actions: Tensor; xi: Tensor; bcMask: Tensor }

/** How the cloning term is formed. `noise` absent: direct squared error, which shares ξ with the value term. */
export type Cloning = { schedule: ConsistencySchedule; noise?: ReconstructionNoise; noiseGain: number }

/**
 * BC per sample [task, batch], and what it was made of: reconstruction, or direct squared error, plus the noise gain
 * term where its gain is above 0. action is π(h; K ξ).
 */
export function cloningTerm(f: Denoiser, batch: ActorBatch, action: Tensor, { schedule, noise, noiseGain }: Cloning) {
  const reconstructed = noise && reconstruction(f, schedule, { ...batch, ...noise })
  const cloning = reconstructed?.perSample ?? directCloning(action, batch.actions)
  const perSample = noiseGain > 0 ? add(cloning, noiseGainTerm(action, batch.actions, batch.xi, noiseGain)) : cloning
  return { reconstructed, perSample }
}

/**
 * The per-task means that the loss is made of. `judge` maps actions [task, batch, A] to Q [task, member, batch].
 * Returns bc and q of each task [task], and their samples.
 */
export function actorTerms(
  f: Denoiser,
  policy: HeadPolicy,
  noiseScale: number,
  batch: ActorBatch,
  judge: (action: Tensor) => Tensor,
  cloning: Cloning,
) {
  const action = policy(mul(noiseScale, batch.xi), batch.h)
  const cloned = cloningTerm(f, batch, action, cloning)
  const q = meanOfMembers(judge(action)) // [task, batch]
  return { action, ...cloned, q, bcPerTask: maskedMean(cloned.perSample, batch.bcMask), qPerTask: batchMean(q) }
}

/** λ1 and λ2. */
export type ActorWeights = { bc: number; q: number }

/** L = λ1 (1/N) Σ_i BC_i + λ2 L_Q, L_Q = -(1/N) Σ_i ε_i Q̄_i; the ε_i come from the same Q̄_i, without gradient. */
export function primaryActorLoss(
  bcPerTask: Tensor,
  qPerTask: Tensor,
  lambda: ActorWeights,
  weights: TaskWeightSettings,
) {
  const epsilon = taskWeightTensor(qPerTask, weights)
  const bc = mean(bcPerTask)
  const q = neg(mean(mul(epsilon, qPerTask)))
  return { epsilon, bc, q, loss: add(mul(lambda.bc, bc), mul(lambda.q, q)) }
}
