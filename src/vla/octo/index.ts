/** @file Octo as a kind of encoder. */
import type { EncoderKind } from '../encoder.ts'

export const octo = {
  name: 'octo',
  pretrainedOn: 'what its publishers name',
  reads: ['pairing', 'precision'],
  model: 'octo-small',
  open: async ({ folder, layer: _, statistics: __, ...options }) =>
    (await import('./encoder.ts')).OctoEncoder.load({ ...options, folder: folder! }),
} as const satisfies EncoderKind
