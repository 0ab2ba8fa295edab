/** @file The layers that all networks share: dense, layer norm, and the block (dense, norm, tanh). */
import { add, concat, expand, layerNorm, matmul, reshape, slice, Tensor, tanh, unsqueeze } from '../graph/index.ts'
import { type Parameters, parameterNamed } from './parameters.ts'

/** Source: docs/method.md §12. */
export const NORM_EPSILON = 1e-6

/**
 * y = [part, part, ...] kernel + bias. kernel [...owners, in, out], bias [...owners, out].
 * A part is [...owners, ...rows, width]; an owner axis may be 1, which shares the part between owners. All parts have
 * the same rows, except that a part may lack the last row axis: it belongs to the state of several sampled actions.
 * Such a part is multiplied once, by its own rows of the kernel, and the product is broadcast over the samples.
 */
export function dense(parameters: Parameters, name: string, parts: Tensor | readonly Tensor[]): Tensor {
  const kernel = parameterNamed(parameters, `${name}.kernel`)
  const bias = parameterNamed(parameters, `${name}.bias`)
  const joined = joinEqualRanks(parts instanceof Tensor ? [parts] : parts)
  const owners = kernel.rank - 2
  const rank = Math.max(...joined.map((part) => part.rank))
  let row = 0
  const products = joined.map((part) => {
    const width = part.shape.at(-1)!
    const rows = joined.length === 1 ? kernel : slice(kernel, owners, row, (row += width))
    const y = matmul(part, acrossRows(rows, owners, part.rank))
    return part.rank < rank ? unsqueeze(y, part.rank - 1) : y
  })
  // smallest first: the bias joins the product of the state before that is spread over the samples
  return products.sort((a, b) => a.size - b.size).reduce(add, acrossRows(bias, owners, rank))
}

/** tanh(norm(dense)); the norm has population variance over the last axis. */
export function block(
  parameters: Parameters,
  name: string,
  parts: Tensor | readonly Tensor[],
  epsilon = NORM_EPSILON,
): Tensor {
  const y = dense(parameters, `${name}.dense`, parts)
  const scale = parameterNamed(parameters, `${name}.norm.scale`)
  const bias = parameterNamed(parameters, `${name}.norm.bias`)
  const owners = scale.rank - 1
  return tanh(layerNorm(y, acrossRows(scale, owners, y.rank), acrossRows(bias, owners, y.rank), epsilon))
}

/** Blocks 'trunk.0', 'trunk.1', ..., as many as there are. */
export function trunk(parameters: Parameters, parts: readonly Tensor[]): Tensor {
  let y = block(parameters, 'trunk.0', parts)
  for (let i = 1; `trunk.${i}.dense.kernel` in parameters; i++) y = block(parameters, `trunk.${i}`, y)
  return y
}

/** Concatenates along the last axis; the other axes broadcast. */
export function join(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!
  const { rank } = parts[0]!
  const leading = Array.from({ length: rank - 1 }, (_, axis) => Math.max(...parts.map((part) => part.shape[axis]!)))
  const full = parts.map((part) => {
    const fits = leading.every((size, axis) => part.shape[axis] === size)
    return fits ? part : expand(part, [...leading, part.shape[rank - 1]!])
  })
  return concat(full, rank - 1)
}

/** Neighbours of equal rank become one part, so that one product serves them all. */
function joinEqualRanks(parts: readonly Tensor[]): Tensor[] {
  const groups: Tensor[][] = []
  for (const part of parts) {
    const last = groups.at(-1)
    if (last && last[0]!.rank === part.rank) last.push(part)
    else groups.push([part])
  }
  return groups.map(join)
}

/** kernel [...owners, in, out] or vector [...owners, width], with axes of 1 after the owners up to `rank`. */
function acrossRows(tensor: Tensor, owners: number, rank: number): Tensor {
  if (owners === 0) return tensor
  const ones = new Array<number>(rank - tensor.rank).fill(1)
  return reshape(tensor, [...tensor.shape.slice(0, owners), ...ones, ...tensor.shape.slice(owners)])
}
