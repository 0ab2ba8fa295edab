/** @file Series with times of their own, put into the one table of columns that uPlot draws. */

export type CurvePoint = { x: number; y: number; low?: number; high?: number }

/** One curve: a line, a dashed line, or dots; with `low` and `high` also a band (lines) or bars (dots). */
export type Curve = {
  label: string
  colour: number // of the palette --c0 ... --c5
  look: 'line' | 'dashed' | 'dots'
  points: readonly CurvePoint[]
}

export type Column = (number | null)[]

/** Distinct times in rising order, then y, low and high of each curve; null where a curve has no point at a time. */
export type AlignedTable = { x: number[]; columns: { y: Column; low: Column; high: Column }[] }

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null)

/** Of several points of one curve at the same time the last one counts. */
export function align(curves: readonly Pick<Curve, 'points'>[]): AlignedTable {
  const x = [...new Set(curves.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b)
  const rowOf = new Map(x.map((value, row) => [value, row]))
  const columns = curves.map(({ points }) => {
    const empty = (): Column => x.map(() => null)
    const column = { y: empty(), low: empty(), high: empty() }
    for (const point of points) {
      const row = rowOf.get(point.x)!
      column.y[row] = finite(point.y)
      column.low[row] = finite(point.low)
      column.high[row] = finite(point.high)
    }
    return column
  })
  return { x, columns }
}

/** The value of a column at `row`, or the nearest one before it: what the curve shows there. */
export function valueAt(column: Column, row: number): number | null {
  for (let i = Math.min(row, column.length - 1); i >= 0; i--) if (column[i] !== null) return column[i]!
  return null
}
