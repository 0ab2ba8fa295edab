/** @file Reverse-mode differentiation: gradients of a scalar as new nodes of the same graph. */

import { InputError, ShapeError } from '../errors.ts'
import { constant, filled } from './leaves.ts'
import { shaping } from './ops/shape.ts'
import { add, concat, pad } from './ops.ts'
import { sameShape } from './shapes.ts'
import type { Tensor } from './tensor.ts'
import { topologicalOrder } from './topology.ts'

/**
 * The gradient of `loss` (f32, shape []) to each tensor of `wrt`, of that tensor's shape; zeros where the loss does not
 * depend on it.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.rank !== 0)
    throw new ShapeError('gradients: loss', loss.shape, ['a scalar'], 'reduce it with mean() or sum() first')
  if (loss.dtype !== 'f32') throw new InputError('gradients: loss', `has dtype ${loss.dtype}`, "Make it 'f32'.")
  const order = topologicalOrder([loss])
  const active = new Set<Tensor>(wrt)
  for (const node of order)
    if (node.operation.vjp && node.inputs.some((operand) => active.has(operand))) active.add(node)

  const contributions = new Map<Tensor, Tensor[]>([[loss, [constant(1)]]])
  const result = new Map<Tensor, Tensor>()
  for (const node of order.reverse()) {
    const parts = contributions.get(node)
    if (!parts || !active.has(node)) continue
    contributions.delete(node)
    const gradient = accumulate(parts)
    result.set(node, gradient)
    const products = node.operation.vjp?.(node, gradient) ?? []
    for (const [index, product] of products.entries()) {
      const operand = node.inputs[index]
      if (!product || operand!.dtype !== 'f32' || !active.has(operand!)) continue
      if (!sameShape(product.shape, operand!.shape))
        throw new ShapeError(`gradients: ${node.operation.name} to operand ${index}`, product.shape, operand!.shape)
      const list = contributions.get(operand!)
      if (list) list.push(product)
      else contributions.set(operand!, [product])
    }
  }
  return wrt.map((tensor) => result.get(tensor) ?? filled(tensor.shape, 0))
}

/** Sums what several users send back; gradients of slices that do not overlap are joined, not padded and added. */
function accumulate(parts: readonly Tensor[]): Tensor {
  return joinSlices(parts) ?? parts.reduce((sum, part) => add(sum, part))
}

function joinSlices(parts: readonly Tensor[]): Tensor | undefined {
  if (parts.length < 2 || parts.some(({ operation }) => operation !== shaping.pad)) return undefined
  const padded = parts.map((part) => ({ part: part.inputs[0], widths: part.attributes.widths as [number, number][] }))
  const axes = padded.map(({ widths }) => widths.flatMap(([before, after], axis) => (before || after ? [axis] : [])))
  const axis = axes[0]![0]!
  if (axes.some((list) => list.length !== 1 || list[0] !== axis)) return undefined
  padded.sort((a, b) => a.widths[axis]![0] - b.widths[axis]![0]!)
  const pieces: Tensor[] = []
  let end = 0
  for (const { part, widths } of padded) {
    const start = widths[axis]![0]!
    if (start < end) return undefined
    const zeros = part.shape.map((_, i) => (i === axis ? [start - end, 0] : [0, 0]))
    pieces.push(pad(part, zeros))
    end = start + part.shape[axis]!
  }
  const last = parts[0]!.shape[axis]! - end
  if (last)
    pieces[pieces.length - 1] = pad(
      pieces.at(-1)!,
      pieces[0]!.shape.map((_, i) => (i === axis ? [0, last] : [0, 0])),
    )
  return concat(pieces, axis)
}
