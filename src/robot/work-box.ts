/** @file Where the tool of a robot may be. */
import type { TurnBox } from './turn-box.ts'

export type WorkBox = {
  low: readonly number[] // m, base frame
  high: readonly number[]
  turn?: TurnBox | undefined // how it may be turned there; left out: as it likes
}

/** m from a place to the box; 0 within, and where there is none. */
export const beyond = (place: readonly number[], box: WorkBox | null): number =>
  box ? Math.hypot(...place.map((value, i) => Math.max(0, box.low[i]! - value, value - box.high[i]!))) : 0
