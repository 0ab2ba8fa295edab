/** @file Flat HIL-ConRFT: one critic on the pooled batch of all tasks, no task weights (paper.md §9, §12). Its critic step is tdLoss with one task. */
import { add, mean, mul, neg, type Tensor } from '../../graph/index.ts'
import type { Denoiser, Policy } from '../../nets/consistency-head.ts'
import type { ConsistencySchedule } from '../../nets/consistency-schedule.ts'
import { meanOfMembers } from '../../nets/critic.ts'
import { type ReconstructionNoise, reconstruction } from '../losses/behaviour-cloning.ts'
import type { ActorWeights } from '../losses/primary-actor.ts'

/** h [batch, H]; actions, xi [batch, A]. */
export type FlatBatch = { h: Tensor; actions: Tensor; xi: Tensor } & ReconstructionNoise

/** L = λ1 mean reconstruction - λ2 mean Q(s, π(h; K ξ)). `judge` maps actions [batch, A] to Q [1, member, batch]. */
export function flatActorLoss(
  f: Denoiser,
  policy: Policy,
  schedule: ConsistencySchedule,
  noiseScale: number,
  batch: FlatBatch,
  judge: (action: Tensor) => Tensor,
  lambda: ActorWeights,
) {
  const reconstructed = reconstruction(f, schedule, batch)
  const action = policy(mul(noiseScale, batch.xi), batch.h)
  const qPerSample = meanOfMembers(judge(action))
  const bc = mean(reconstructed.perSample)
  const q = neg(mean(qPerSample))
  return { ...reconstructed, action, qPerSample, bc, q, loss: add(mul(lambda.bc, bc), mul(lambda.q, q)) }
}
