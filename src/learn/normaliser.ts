/** @file Centres and scales the policy's low-dimensional inputs by the statistics of the demonstrations; fixed for the rest of the run. */
import { ShapeError } from '../errors.ts'

const FLOOR = 1e-3 // an entry that never moved in the demonstrations keeps its unit instead of being blown up
export const NORMALISER_LIMIT = 6 // standard deviations; beyond it the entry is clipped, so that one odd sensor value cannot dominate

export type NormaliserState = { mean: number[]; deviation: number[] }

export class Normaliser {
  private readonly mean: readonly number[]
  private readonly deviation: readonly number[]

  constructor(state: NormaliserState) {
    this.mean = state.mean
    this.deviation = state.deviation
  }

  /** Population mean and deviation per entry. @throws ShapeError on an empty set or ragged rows */
  static fit(rows: readonly Float32Array[]): Normaliser {
    const width = rows[0]?.length ?? 0
    if (width === 0) throw new ShapeError('Normaliser.fit rows', [rows.length, 0], ['at least 1', 'at least 1'])
    const mean = new Array<number>(width).fill(0)
    const square = new Array<number>(width).fill(0)
    for (const row of rows) {
      if (row.length !== width) throw new ShapeError('Normaliser.fit row', [row.length], [width])
      for (let i = 0; i < width; i++) {
        mean[i]! += row[i]! / rows.length
        square[i]! += row[i]! ** 2 / rows.length
      }
    }
    const deviation = mean.map((m, i) => {
      const spread = Math.sqrt(Math.max(0, square[i]! - m * m))
      return spread < FLOOR ? 1 : spread
    })
    return new Normaliser({ mean, deviation })
  }

  /** A new array (x - mean) / deviation, clipped. @throws ShapeError */
  apply(row: Float32Array): Float32Array {
    if (row.length !== this.mean.length) throw new ShapeError('Normaliser.apply row', [row.length], [this.mean.length])
    return row.map((x, i) =>
      Math.max(-NORMALISER_LIMIT, Math.min(NORMALISER_LIMIT, (x - this.mean[i]!) / this.deviation[i]!)),
    )
  }

  save(): NormaliserState {
    return { mean: [...this.mean], deviation: [...this.deviation] }
  }
}
