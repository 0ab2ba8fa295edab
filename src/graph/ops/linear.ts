/** @file Matrix products and transposes. */

import { InputError, ShapeError } from '../../errors.ts'
import { broadcastShapes, inversePermutation } from '../shapes.ts'
import { apply, requireDType, sizeOf, type Tensor, type TensorOperation } from '../tensor.ts'
import { sumTo } from './reduce.ts'
import { reshape, squeeze, unsqueeze } from './shape.ts'

export const linear = {
  matmul: {
    name: 'matmul',
    infer: ([a, b]) => {
      requireDType('matmul', [a, b], 'f32')
      if (a.rank < 2 || b.rank < 2) throw new ShapeError('matmul: operands', [a.rank, b.rank], ['ranks of 2 or more'])
      if (a.shape.at(-1) !== b.shape.at(-2))
        throw new ShapeError(
          'matmul: operand 1',
          b.shape,
          ['...', a.shape.at(-1)!, b.shape.at(-1)!],
          `its second-last axis must equal the last of operand 0, [${a.shape}]`,
        )
      const batch = broadcastShapes('matmul (leading axes)', a.shape.slice(0, -2), b.shape.slice(0, -2))
      return { shape: [...batch, a.shape.at(-2)!, b.shape.at(-1)!], dtype: 'f32' }
    },
    emit: (writer, inputs) => writer.add('MatMul', inputs),
    vjp: ({ inputs: [a, b] }, g) => {
      // A shared weight: one large product over all rows, in place of one small product a batch entry and a sum.
      if (b.rank === 2 && a.rank > 2)
        return [
          matmul(g, swapLast(b)),
          matmul(swapLast(reshape(a, [-1, a.shape.at(-1)!])), reshape(g, [-1, b.shape[1]!])),
        ]
      return [sumTo(matmul(g, swapLast(b)), a.shape), sumTo(matmul(swapLast(a), g), b.shape)]
    },
  } satisfies TensorOperation,

  transpose: {
    name: 'transpose',
    infer: ([x], attributes) => {
      const perm = attributes.perm as readonly number[]
      if (perm.length !== x.rank || [...perm].sort((a, b) => a - b).some((axis, i) => axis !== i))
        throw new InputError(`transpose of [${x.shape}]`, `has perm [${perm}]`, `Give each of 0..${x.rank - 1} once.`)
      return { shape: perm.map((axis) => x.shape[axis]!), dtype: x.dtype }
    },
    emit: (writer, inputs, { attributes }) => writer.add('Transpose', inputs, { perm: attributes.perm as number[] }),
    vjp: ({ attributes }, g) => [transpose(g, inversePermutation(attributes.perm as number[]))],
  } satisfies TensorOperation,
}

/**
 * Matrix product with numpy semantics: [..., M, K] @ [..., K, N]; leading axes broadcast, a vector counts as a row on
 * the left and as a column on the right.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (b.rank === 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1)
  if (a.rank === 1) return squeeze(matmul(unsqueeze(a, 0), b), -2)
  return mergeSharedRows(a, b) ?? apply(linear.matmul, [a, b])
}

/**
 * Where b is the same for the innermost leading axes of a, these axes are rows like any other: [C, B, M, K] @
 * [C, 1, K, N] is [C, B M, K] @ [C, K, N]. The result and, above all, the gradient to b then need no sum
 * over a batch of products.
 */
function mergeSharedRows(a: Tensor, b: Tensor): Tensor | undefined {
  const batchA = a.shape.slice(0, -2)
  const batchB = b.shape.slice(0, -2)
  if (batchB.length === 0 || batchB.length > batchA.length || a.operation === linear.transpose) return undefined
  const padded = [...batchA.slice(batchB.length).map(() => 1), ...batchB]
  let kept = padded.length
  while (kept > 0 && padded[kept - 1] === 1) kept--
  if (sizeOf(batchA.slice(kept)) === 1) return undefined
  const rows = reshape(a, [...batchA.slice(0, kept), -1, a.shape.at(-1)!])
  const weights = reshape(b, [...padded.slice(0, kept), ...b.shape.slice(-2)])
  const product = apply(linear.matmul, [rows, weights])
  return reshape(product, [...product.shape.slice(0, -2), ...batchA.slice(kept), a.shape.at(-2)!, b.shape.at(-1)!])
}

/** Reorders axes: axis i of the result is axis perm[i] of x. */
export const transpose = (x: Tensor, perm: readonly number[]): Tensor =>
  apply(linear.transpose, [x], { perm: [...perm] })

/** Swaps the last two axes; directly before a matmul onnxruntime takes it for free. */
export function swapLast(x: Tensor): Tensor {
  if (x.rank < 2) throw new ShapeError('swapLast: operand', x.shape, ['rank of 2 or more'])
  const perm = x.shape.map((_, i) => i)
  perm.splice(-2, 2, x.rank - 1, x.rank - 2)
  return transpose(x, perm)
}
