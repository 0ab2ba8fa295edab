/** @file Shape arithmetic that the operations share: broadcasting, axes, permutations. */

import { InputError, ShapeError } from '../errors.ts'
import { type Shape, sizeOf } from './tensor.ts'

/** The numpy broadcast of several shapes; throws a ShapeError in the name of `operation`. */
export function broadcastShapes(operation: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  const result = new Array<number>(rank).fill(1)
  for (const [index, shape] of shapes.entries())
    for (let i = 0; i < shape.length; i++) {
      const at = rank - shape.length + i
      if (shape[i] === 1 || shape[i] === result[at]) continue
      if (result[at] !== 1)
        throw new ShapeError(
          `${operation}: operand ${index}`,
          shape,
          [`something that broadcasts with ${shapes.map((other) => `[${other}]`).join(' and ')}`],
          'axes are aligned from the right; reshape or unsqueeze one operand',
        )
      result[at] = shape[i]!
    }
  return result
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i])

/** A non-negative axis of a tensor of this rank; negative ones count from the end. */
export function normaliseAxis(operation: string, axis: number, shape: Shape): number {
  const result = axis < 0 ? axis + shape.length : axis
  if (!Number.isInteger(axis) || result < 0 || result >= shape.length)
    throw new InputError(
      `${operation} of [${shape}]`,
      `has no axis ${axis}`,
      `Give -${shape.length}..${shape.length - 1}.`,
    )
  return result
}

/** Sorted unique axes; all of them by default. */
export function normaliseAxes(operation: string, axes: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axes === undefined) return shape.map((_, i) => i)
  const list = typeof axes === 'number' ? [axes] : axes
  return [...new Set(list.map((axis) => normaliseAxis(operation, axis, shape)))].sort((a, b) => a - b)
}

/** The shape left after reducing `axes`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((extent, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [extent]))
}

/** Replaces one -1 in `shape` by what `size` leaves for it. */
export function resolveShape(from: Shape, shape: Shape): number[] {
  const size = sizeOf(from)
  const open = shape.indexOf(-1)
  const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1)
  const result = [...shape]
  if (open >= 0) result[open] = size / known
  if (sizeOf(result) !== size || result.some((extent) => !Number.isInteger(extent) || extent < 0))
    throw new ShapeError(
      'reshape: operand',
      from,
      [`${known} elements, to become [${shape}]`],
      'keep the number of elements',
    )
  return result
}

/** The permutation that undoes `perm`. */
export function inversePermutation(perm: readonly number[]): number[] {
  const inverse = new Array<number>(perm.length)
  perm.forEach((from, to) => {
    inverse[from] = to
  })
  return inverse
}
