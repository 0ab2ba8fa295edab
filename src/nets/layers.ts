/** @file The layers that all networks share: dense, layer norm, and the block (dense, norm, tanh). */
import { add, concat, expand, layerNorm, matmul, reshape, slice, type Tensor, tanh, unsqueeze } from '../graph/index.ts'
import { type Parameters, parameter } from './parameters.ts'

/** Paper.md §12. */
export const NORM_EPSILON = 1e-6

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/**
 * y = [part, part, ...] kernel + bias. kernel [...owners, in, out], bias [...owners, out].
 * A part is [...owners, ...rows, width]; an owner axis may be 1, which shares the part between owners. All parts have
 * the same rows, except that a part may lack the last row axis: it belongs to the state of several sampled actions.
 * Such a part is multiplied once, by its own rows of the kernel, and the product is broadcast over the samples.
 */
export function dense(parameters: Parameters, name: string, parts: Tensor | readonly Tensor[]): Tensor {
  const kernel = parameter(parameters, `${name}.kernel`)
  const bias = parameter(parameters, `${name}.bias`)
  const joined = joinEqualRanks('shape' in parts ? [parts] : parts)
  const rank = Math.max(...joined.map((part) => part.shape.length))
  let row = 0
  const products = joined.map((part) => {
    const width = part.shape.at(-1)!
    const rows = joined.length === 1 ? kernel : slice(kernel, kernel.shape.length - 2, row, (row += width))
    const y = multiplyRows(part, rows)
    return part.shape.length < rank ? unsqueeze(y, y.shape.length - 1) : y
  })
  return add(products.reduce(add), acrossRows(bias, kernel.shape.length - 2, rank))
}

/** tanh(norm(dense)); the norm has population variance over the last axis. */
export function block(
  parameters: Parameters,
  name: string,
  parts: Tensor | readonly Tensor[],
  epsilon = NORM_EPSILON,
): Tensor {
  const y = dense(parameters, `${name}.dense`, parts)
  const scale = parameter(parameters, `${name}.norm.scale`)
  const bias = parameter(parameters, `${name}.norm.bias`)
  const owners = scale.shape.length - 1
  const rank = y.shape.length
  return tanh(layerNorm(y, acrossRows(scale, owners, rank), acrossRows(bias, owners, rank), epsilon))
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
  const rank = parts[0]!.shape.length
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
    if (last && last[0]!.shape.length === part.shape.length) last.push(part)
    else groups.push([part])
  }
  return groups.map(join)
}

/** x [...owners, ...rows, in] times kernel [...owners, in, out]: all row axes are one for the product. */
function multiplyRows(x: Tensor, kernel: Tensor): Tensor {
  const owners = kernel.shape.length - 2
  const rows = x.shape.slice(owners, -1)
  if (rows.length === 1) return matmul(x, kernel)
  const y = matmul(reshape(x, [...x.shape.slice(0, owners), product(rows), x.shape.at(-1)!]), kernel)
  return reshape(y, [...y.shape.slice(0, owners), ...rows, y.shape.at(-1)!])
}

/** [...owners, width] → [...owners, 1, ..., width] of the given rank, to broadcast over rows. */
function acrossRows(vector: Tensor, owners: number, rank: number): Tensor {
  if (owners === 0) return vector
  const ones = new Array<number>(rank - owners - 1).fill(1)
  return reshape(vector, [...vector.shape.slice(0, owners), ...ones, vector.shape.at(-1)!])
}
