/** @file Nano as a kind of encoder; it comes with the program. */
import type { EncoderKind } from '../encoder.ts'

export const nano = {
  name: 'nano',
  reads: [],
  open: async ({ folder, device }) => (await import('./encoder.ts')).NanoEncoder.load(folder, { device }),
} as const satisfies EncoderKind
