/**
 * @file Products of which only some columns are read: the others are not computed. Where a row is made of parts, this
 * leaves out the gradient to those that nobody trains, such as what was observed. After differentiation.
 */

import { operations, slice, swapLast } from '../ops.ts'
import { apply, type Tensor } from '../tensor.ts'
import { rebuild, topologicalOrder, withOperands } from '../topology.ts'

/** From a larger share of its columns on a product is computed whole: each narrow one reads the left operand anew. */
const LARGEST_SHARE = 0.75

/** The same outputs, where products are no wider than what slices take from them. */
export function narrowProducts(outputs: readonly Tensor[]): Tensor[] {
  const narrow = slicedOnly(outputs)
  return rebuild(outputs, (node, inputs) => {
    if (!narrow.has(node.inputs[0])) return withOperands(node, inputs)
    const [left, right] = inputs[0]!.inputs
    const { start, stop } = node.attributes as { start: number; stop: number }
    return apply(operations.matmul!, [left, columnsOf(right, start, stop)])
  })
}

/** Products whose users are all slices of columns, few enough together. */
function slicedOnly(outputs: readonly Tensor[]): Set<Tensor> {
  const read = new Map<Tensor, number>() // columns; all of them where anything else uses the product
  for (const output of outputs) read.set(output, Number.POSITIVE_INFINITY)
  for (const user of topologicalOrder(outputs))
    for (const operand of user.inputs)
      if (operand.operation === operations.matmul)
        read.set(
          operand,
          (read.get(operand) ?? 0) + (takesColumns(user) ? user.shape.at(-1)! : Number.POSITIVE_INFINITY),
        )
  const narrow = [...read].filter(
    ([{ operation, shape }, columns]) => operation === operations.matmul && columns <= LARGEST_SHARE * shape.at(-1)!,
  )
  return new Set(narrow.map(([product]) => product))
}

const takesColumns = ({ operation, attributes, rank }: Tensor): boolean =>
  operation === operations.slice && attributes.axis === rank - 1 && attributes.step === 1

/** Columns of a product's right operand; of a transposed one rows, which lie together in memory. */
function columnsOf(right: Tensor, start: number, stop: number): Tensor {
  const { operation, inputs, rank } = right
  if (operation !== operations.transpose || !swapsLast(right)) return slice(right, rank - 1, start, stop)
  return swapLast(slice(inputs[0], rank - 2, start, stop))
}

const swapsLast = ({ attributes, rank }: Tensor): boolean =>
  (attributes.perm as readonly number[]).every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i))
