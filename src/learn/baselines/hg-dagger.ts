/** @file HG-DAgger: cloning of demonstrations and interventions by reconstruction, no critic (paper.md §9, §12). */
import type { Tensor } from '../../graph/index.ts'
import type { Denoiser } from '../../nets/consistency-head.ts'
import type { ConsistencySchedule } from '../../nets/consistency-schedule.ts'
import { type ReconstructionNoise, reconstruction } from '../losses/behaviour-cloning.ts'
import { maskedMean } from '../losses/means.ts'

/** h [batch, H], actions [batch, A], kept [batch]: 1 for demonstrations and interventions, 0 for rollouts. */
export type HgDaggerBatch = { h: Tensor; actions: Tensor; kept: Tensor } & ReconstructionNoise

/** Mean of the reconstruction term over the samples kept. */
export function hgDaggerLoss(f: Denoiser, schedule: ConsistencySchedule, batch: HgDaggerBatch) {
  const reconstructed = reconstruction(f, schedule, batch)
  return { ...reconstructed, loss: maskedMean(reconstructed.perSample, batch.kept) }
}
