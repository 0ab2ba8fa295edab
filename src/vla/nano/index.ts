/** @file Nano as a kind of encoder; it comes with the program. */
import type { EncoderKind } from '../encoder.ts'

export const nano = {
  name: 'nano',
  pretrainedOn:
    'two hours of scripted play in the same simulated workcell (72,000 frames, by privileged state; one and four bolts, scattered fixtures, other colours and light; no demonstration of a task)',
  reads: [],
  open: async ({ folder, device, channels }) =>
    (await import('./encoder.ts')).NanoEncoder.load(folder, { device, channels }),
} as const satisfies EncoderKind
