/** @file The two phases of a run. */

/** Warm-up: Cal-QL and cloning on demonstrations. Online: TD and both actors, on everything. */
export type Phase = 'warm-up' | 'online'

/** One joint update in figures, as the metrics log wants it; a part is left out where the method does not have it. */
export type UpdateFigures = {
  update: number
  phase: Phase
  critic?: { td: number; conservative?: number; loss: number }
  actor?: { bc: number; q?: number; loss: number } // the head
  refine?: { bc: number; q: number; reg: number; loss: number; obedience?: number }
  noise?: { alias: number; loss?: number; entropy?: number; temperature?: number } // DSRL's noise critic and noise actor
  meanQ?: Record<string, number> // by task
  weight?: Record<string, number> // by task
  gradientNorm: Record<string, number> // by group of parameters, before the clip
  meanMu?: number // mean |mu / K|
}
