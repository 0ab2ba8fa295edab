/** @file Small double-precision arrays for tests: what an operation should give, written out index by index. */

export interface Grid {
  shape: readonly number[]
  values: number[]
}

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** All indices of a shape, row-major. */
export function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (list, extent) => list.flatMap((index) => Array.from({ length: extent }, (_, i) => [...index, i])),
    [[]],
  )
}

export const at = ({ shape, values }: Grid, index: readonly number[]): number =>
  values[shape.reduce((flat, extent, i) => flat * extent + index[i]!, 0)]!

/** A grid whose element at each index is `f(index)`. */
export const build = (shape: readonly number[], f: (index: number[]) => number): Grid => ({
  shape,
  values: indicesOf(shape).map(f),
})

/** Element of a grid under numpy broadcasting: missing leading axes and axes of extent 1 repeat. */
export function broadcastAt(grid: Grid, index: readonly number[]): number {
  const tail = index.slice(index.length - grid.shape.length)
  return at(
    grid,
    tail.map((i, axis) => (grid.shape[axis] === 1 ? 0 : i)),
  )
}

/** Gathers, for each index left after removing `axes`, the reduced elements into `f`. */
export function reduceOver(grid: Grid, axes: readonly number[], keep: boolean, f: (values: number[]) => number): Grid {
  const shape = grid.shape.flatMap((extent, i) => (axes.includes(i) ? (keep ? [1] : []) : [extent]))
  const full = grid.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))
  const values = indicesOf(full).map((base) =>
    f(
      indicesOf(grid.shape.map((extent, i) => (axes.includes(i) ? extent : 1))).map((offset) =>
        at(
          grid,
          base.map((i, axis) => i + offset[axis]!),
        ),
      ),
    ),
  )
  return { shape, values }
}

/** Error function by its Taylor series, good for |x| < 4 in double precision. */
export function erf(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

/** Values of about unit size without pattern, the same at each call. */
export function ragged(length: number, phase = 0): number[] {
  return Array.from({ length }, (_, i) => 1.7 * Math.sin(2.3 * i + 1.1 * phase + 0.4) * Math.cos(0.9 * i * i + phase))
}
