/** @file Published results that ours stand beside: success in percent of 25 trials, lengths in steps at 10 Hz. */

export type PaperResult = { title: string; tasks: Record<string, number>; meanLength?: number }

/** Main table of the paper. */
export const PAPER_TABLE: readonly PaperResult[] = [
  { title: 'HG-DAgger', tasks: { place: 28, pick: 28, assemble: 20 }, meanLength: 41.0 },
  { title: 'HIL-ConRFT', tasks: { place: 0, pick: 0, assemble: 0 } },
  { title: 'DSRL', tasks: { place: 28, pick: 28, assemble: 16 }, meanLength: 27.3 },
  { title: 'single actor', tasks: { place: 88, pick: 96, assemble: 76 }, meanLength: 30.7 },
  { title: 'dual actor', tasks: { place: 100, pick: 100, assemble: 100 }, meanLength: 30.7 },
]

type PaperCurve = { title: string; colour: number; points: readonly { minutes: number; success: number }[] }

/** Points of its learning curves, mean over the tasks: minutes and share of successes. */
export const PAPER_CURVES: Readonly<Record<string, PaperCurve>> = {
  single: {
    title: 'single actor',
    colour: 1,
    points: [
      { minutes: 20, success: 0.3 },
      { minutes: 128, success: 0.867 },
    ],
  },
  dual: {
    title: 'dual actor',
    colour: 0,
    points: [
      { minutes: 20, success: 0.6 },
      { minutes: 101, success: 1 },
    ],
  },
}

/** Long horizon: share of 10 chains completed, by the number of operations. */
export const PAPER_CHAINS: Readonly<Record<number, number>> = { 3: 0.9, 6: 0.6, 9: 0.6, 12: 0.5 }
