/** @file The two phases of a run. */

/** Warm-up: Cal-QL and cloning on demonstrations. Online: TD and both actors, on everything. */
export type Phase = 'warm-up' | 'online'

/** One joint update in figures, as the metrics log wants it. Records are by task or by parameter group. */
export type UpdateFigures = {
  update: number
  phase: Phase
  critic: { td: number; conservative?: number; loss: number }
  actor: { bc: number; q: number; loss: number }
  refine?: { bc: number; q: number; reg: number; loss: number; obedience?: number }
  meanQ: Record<string, number>
  weight: Record<string, number>
  gradientNorm: Record<string, number> // before the clip
  meanMu?: number // mean |mu / K|
}
