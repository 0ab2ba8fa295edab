/** @file The two phases of a run. */
import type { Figures } from '../metrics/figure.ts'

/** Warm-up: Cal-QL and cloning on demonstrations. Online: TD and both actors, on everything. */
export type Phase = 'warm-up' | 'online'

/** One joint update in figures, as the metrics log wants it. Each method declares the figures that it measures (method.ts). */
export type UpdateFigures = { update: number; phase: Phase; figures: Figures }
