/** @file Attention as one operation of the runtime, which never writes down what it multiplies the values by. For frozen networks. */

import { ShapeError } from '../../errors.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'

export const attention = {
  multiHeadAttention: {
    name: 'multiHeadAttention',
    infer: ([q, k, v, bias]: readonly Tensor[], { heads }) => {
      requireDType('multiHeadAttention', [q!, k!, v!, ...(bias ? [bias] : [])], 'f32')
      const [batch, queries, width] = q!.shape
      if (q!.rank !== 3 || width! % (heads as number))
        throw new ShapeError('multiHeadAttention: q', q!.shape, ['B', 'T', `a multiple of ${heads} heads`])
      const keys = k!.shape[1]!
      for (const [name, { shape }] of Object.entries({ k: k!, v: v! }))
        if (shape.join() !== [batch, keys, width].join())
          throw new ShapeError(`multiHeadAttention: ${name}`, shape, [batch!, keys, width!])
      if (bias && bias.shape.join() !== [1, 1, queries, keys].join())
        throw new ShapeError('multiHeadAttention: bias', bias.shape, [1, 1, queries!, keys])
      return { shape: q!.shape, dtype: 'f32' }
    },
    emit: (writer, [q, k, v, bias]: readonly string[], { attributes }) =>
      writer.addContributed('MultiHeadAttention', [q!, k!, v!, ...(bias ? ['', '', bias] : [])], {
        num_heads: attributes.heads as number,
      }),
    vjp: null,
  } satisfies TensorOperation,
}

/**
 * softmax(q kᵀ / sqrt(size) + bias) v, head by head: q [B, T, heads · size], k and v [B, S, heads · size], bias
 * [1, 1, T, S] or none. Returns [B, T, heads · size]. Without a derivative.
 */
export const multiHeadAttention = (q: Tensor, k: Tensor, v: Tensor, heads: number, bias?: Tensor): Tensor =>
  apply(attention.multiHeadAttention, [q, k, v, ...(bias ? [bias] : [])], { heads })
