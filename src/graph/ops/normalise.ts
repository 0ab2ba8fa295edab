/** @file Layer normalisation as one operation, forward and backward. */

import { ShapeError } from '../../errors.ts'
import { apply, type Operation, requireDType, type Tensor } from '../tensor.ts'
import { mul, sub } from './elementwise.ts'
import { matmul } from './linear.ts'
import { sumTo } from './reduce.ts'
import { reshape } from './shape.ts'

const statistics = ['mean', 'inverseDeviation']

export const normalisation = {
  layerNorm: {
    name: 'layerNorm',
    infer: ([x, scale, bias]) => {
      requireDType('layerNorm', [x, scale, bias], 'f32')
      const width = x.shape.at(-1)
      for (const [name, { shape }] of Object.entries({ scale, bias }))
        if (width === undefined || shape.length !== 1 || shape[0] !== width)
          throw new ShapeError(
            `layerNorm: ${name}`,
            shape,
            [width ?? 'width'],
            `one value an entry of the last axis of [${x.shape}]`,
          )
      return { shape: x.shape, dtype: 'f32' }
    },
    emit: (writer, inputs, node) => {
      const attributes = { axis: -1, epsilon: writer.float(node.attributes.epsilon as number) }
      const outputs = writer.hasConsumer(node, 'layerNormStatistic') ? 3 : 1
      return writer.add('LayerNormalization', inputs, attributes, outputs)
    },
    vjp: (node, g) => {
      const [x, scale, bias] = node.inputs
      const inverse = layerNormStatistic(node, 'inverseDeviation')
      const normalised = mul(sub(x, layerNormStatistic(node, 'mean')), inverse)
      const product = mul(g, normalised)
      // The means over the last axis of g * scale and of product * scale, without forming either of them.
      const weights = mul(reshape(scale, [-1, 1]), 1 / scale.size)
      const along = sub(mul(g, scale), matmul(g, weights))
      return [
        mul(inverse, sub(along, mul(normalised, matmul(product, weights)))),
        sumTo(product, scale.shape),
        sumTo(g, bias.shape),
      ]
    },
  } satisfies Operation,

  /** A by-product of layerNorm over the last axis: 'mean', or 'inverseDeviation' 1 / sqrt(variance + epsilon). */
  layerNormStatistic: {
    name: 'layerNormStatistic',
    infer: ([node]) => ({ shape: [...node.shape.slice(0, -1), 1], dtype: 'f32' }),
    emit: (writer, inputs, { attributes }) =>
      writer.sibling(inputs[0], 1 + statistics.indexOf(attributes.which as string)),
    vjp: null,
  } satisfies Operation,
}

/** (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axis; population variance. */
export const layerNorm = (x: Tensor, scale: Tensor, bias: Tensor, epsilon = 1e-6): Tensor =>
  apply(normalisation.layerNorm, [x, scale, bias], { epsilon })

/** A by-product of a layerNorm node as a tensor of its own: [..., 1]. */
export const layerNormStatistic = (node: Tensor, which: 'mean' | 'inverseDeviation'): Tensor =>
  apply(normalisation.layerNormStatistic, [node], { which })
