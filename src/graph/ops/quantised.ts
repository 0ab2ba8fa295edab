/** @file Products with weights of eight bits: the activations are quantised when they are there, in one pass over them. */

import { ShapeError } from '../../errors.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'

export const quantised = {
  int8Matmul: {
    name: 'int8Matmul',
    infer: ([x, codes, scales, bias]: readonly Tensor[]) => {
      requireDType('int8Matmul', [x!, scales!, ...(bias ? [bias] : [])], 'f32')
      requireDType('int8Matmul: codes', [codes!], 'i8')
      if (codes!.rank !== 2 || codes!.shape[0] !== x!.shape.at(-1))
        throw new ShapeError('int8Matmul: codes', codes!.shape, [x!.shape.at(-1)!, 'columns'])
      const columns = codes!.shape[1]!
      for (const [name, tensor] of Object.entries({ scales, bias }))
        if (tensor && tensor.shape.join() !== String(columns))
          throw new ShapeError(`int8Matmul: ${name}`, tensor.shape, [columns], 'one value a column of the codes')
      return { shape: [...x!.shape.slice(0, -1), columns], dtype: 'f32' }
    },
    emit: (writer, [x, codes, scales, bias]: readonly string[]) =>
      writer.addContributed('DynamicQuantizeMatMul', [x!, codes!, scales!, ...(bias ? ['', bias] : [])]),
    vjp: null,
  } satisfies TensorOperation,
}

/**
 * x W + bias for W ≈ codes · scales, a scale a column: x [..., K] f32, codes [K, N] i8, scales [N], bias [N] or none. x is
 * rounded to 256 steps between its least and its largest value, 0 among them; the sums are those of integers, so they do
 * not depend on threads. Without a derivative.
 */
export const int8Matmul = (x: Tensor, codes: Tensor, scales: Tensor, bias?: Tensor): Tensor =>
  apply(quantised.int8Matmul, [x, codes, scales, ...(bias ? [bias] : [])])
