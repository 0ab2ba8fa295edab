/** @file SmolVLA as a kind of encoder. */
import type { EncoderKind } from '../encoder.ts'

export const smolvla = {
  name: 'smolvla',
  pretrainedOn: 'what its publishers name',
  reads: ['layer', 'pairing', 'statistics', 'precision'],
  model: 'smolvla',
  open: async ({ folder, ...options }) =>
    (await import('./encoder.ts')).SmolVlaEncoder.load({ ...options, folder: folder! }),
} as const satisfies EncoderKind
