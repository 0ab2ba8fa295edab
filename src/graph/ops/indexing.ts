/** @file Look-ups by index, and images cut to patches. */

import { InputError, ShapeError } from '../../errors.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'
import { transpose } from './linear.ts'
import { concat, pad, reshape, slice } from './shape.ts'

export const indexing = {
  gather: {
    name: 'gather',
    infer: ([table, indices]) => {
      requireDType('gather (indices)', [indices], 'i32')
      if (table.rank < 1) throw new ShapeError('gather: table', table.shape, ['rows', '...'])
      return { shape: [...indices.shape, ...table.shape.slice(1)], dtype: table.dtype }
    },
    emit: (writer, inputs) => writer.add('Gather', inputs, { axis: 0 }),
    vjp: ({ inputs: [table, indices] }, g) => {
      const width = table.size / table.shape[0]!
      const rows = scatterAdd(reshape(indices, [-1]), reshape(g, [-1, width]), table.shape[0]!)
      return [reshape(rows, table.shape), undefined]
    },
  } satisfies TensorOperation,

  scatterAdd: {
    name: 'scatterAdd',
    infer: ([indices, updates], attributes) => {
      requireDType('scatterAdd (indices)', [indices], 'i32')
      requireDType('scatterAdd (updates)', [updates], 'f32')
      if (indices.rank !== 1 || updates.rank !== 2 || indices.shape[0] !== updates.shape[0])
        throw new ShapeError('scatterAdd: updates', updates.shape, [indices.size, 'width'], 'one row an index')
      return { shape: [attributes.rows as number, updates.shape[1]!], dtype: 'f32' }
    },
    emit: (writer, [indices, updates], node) => {
      const rows = node.shape[0]
      // As a product with the one-hot matrix: parallel, and the order of additions is fixed.
      const oneHot = writer.add('OneHot', [indices, writer.integer32(rows!), writer.floats([0, 1])], { axis: 0 })
      return writer.add('MatMul', [oneHot, updates])
    },
    vjp: ({ inputs: [indices] }, g) => [undefined, gather(g, indices)],
  } satisfies TensorOperation,
}

/** Rows of `table` [R, ...]: [...indices, ...]. The gradient adds up over repeated indices. */
export const gather = (table: Tensor, indices: Tensor): Tensor => apply(indexing.gather, [table, indices])

/** [rows, W]: row r is the sum of the updates [N, W] whose index [N] is r. */
export const scatterAdd = (indices: Tensor, updates: Tensor, rows: number): Tensor =>
  apply(indexing.scatterAdd, [indices, updates], { rows })

/** Non-overlapping patches of images [B, H, W, C]: [B, H/size, W/size, size * size * C], row-major inside a patch. */
export function patches(x: Tensor, size: number): Tensor {
  const [batch, height, width, channels] = imageShape('patches', x)
  if (height! % size || width! % size)
    throw new ShapeError('patches: image', x.shape, ['B', `H: multiple of ${size}`, `W: multiple of ${size}`, 'C'])
  const cells = reshape(x, [batch!, height! / size, size, width! / size, size, channels!])
  return reshape(transpose(cells, [0, 1, 3, 2, 4, 5]), [batch!, height! / size, width! / size, -1])
}

/**
 * The window under a square kernel at each position of images [B, H, W, C], zero-padded on all sides:
 * [B, H', W', kernel * kernel * C] with H' = floor((H + 2 padding - kernel) / stride) + 1. A convolution is this and a
 * matmul.
 */
export function im2col(x: Tensor, kernel: number, stride: number, padding: number): Tensor {
  const [, height, width] = imageShape('im2col', x)
  const rows = Math.floor((height! + 2 * padding - kernel) / stride) + 1
  const columns = Math.floor((width! + 2 * padding - kernel) / stride) + 1
  if (!(rows >= 1 && columns >= 1))
    throw new InputError(`im2col of [${x.shape}]`, `has kernel ${kernel}, padding ${padding}`, 'Take a smaller kernel.')
  const padded = pad(x, [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0],
  ])
  const taps: Tensor[] = []
  for (let dy = 0; dy < kernel; dy++) {
    const band = slice(padded, 1, dy, dy + (rows - 1) * stride + 1, stride)
    for (let dx = 0; dx < kernel; dx++) taps.push(slice(band, 2, dx, dx + (columns - 1) * stride + 1, stride))
  }
  return concat(taps, 3)
}

function imageShape(operation: string, x: Tensor): readonly number[] {
  if (x.rank !== 4) throw new ShapeError(`${operation}: image`, x.shape, ['B', 'H', 'W', 'C'])
  return x.shape
}
