/** @file Layer normalisation as one operation, forward and backward. */

import { ShapeError } from '../../errors.ts'
import { broadcastShapes, sameShape } from '../shapes.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'
import { mul, sub } from './elementwise.ts'
import { matmul } from './linear.ts'
import { mean, sumTo } from './reduce.ts'
import { reshape } from './shape.ts'

const statistics = ['mean', 'inverseDeviation']

export const normalisation = {
  layerNorm: {
    name: 'layerNorm',
    infer: ([x, scale, bias]) => {
      requireDType('layerNorm', [x, scale, bias], 'f32')
      for (const [name, { shape }] of Object.entries({ scale, bias }))
        if (
          shape.at(-1) !== x.shape.at(-1) ||
          !sameShape(broadcastShapes(`layerNorm: ${name}`, x.shape, shape), x.shape)
        )
          throw new ShapeError(
            `layerNorm: ${name}`,
            shape,
            ['...', x.shape.at(-1) ?? 'width'],
            `one value an entry of the last axis; leading axes broadcast to [${x.shape}]`,
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
      const meanScaled = (of: Tensor) => meanOfProduct(of, scale)
      const along = sub(mul(g, scale), meanScaled(g))
      return [
        mul(inverse, sub(along, mul(normalised, meanScaled(product)))),
        sumTo(product, scale.shape),
        sumTo(g, bias.shape),
      ]
    },
  } satisfies TensorOperation,

  /** A by-product of layerNorm over the last axis: 'mean', or 'inverseDeviation' 1 / sqrt(variance + epsilon). */
  layerNormStatistic: {
    name: 'layerNormStatistic',
    infer: ([node]) => ({ shape: [...node.shape.slice(0, -1), 1], dtype: 'f32' }),
    emit: (writer, inputs, { attributes }) =>
      writer.sibling(inputs[0], 1 + statistics.indexOf(attributes.which as string)),
    vjp: null,
  } satisfies TensorOperation,
}

/** mean(a * scale) over the last axis, kept; as a product with a column where scale is the same for all rows. */
function meanOfProduct(a: Tensor, scale: Tensor): Tensor {
  const width = scale.shape.at(-1)!
  if (scale.rank > 1 && scale.shape.at(-2) !== 1) return mean(mul(a, scale), -1, true)
  return matmul(a, mul(reshape(scale, [...scale.shape.slice(0, -2), width, 1]), 1 / width))
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axis; population variance. Scale and bias
 * are [width], or have leading axes that broadcast to those of x: [members, 1, width] for x [members, B, width].
 */
export const layerNorm = (x: Tensor, scale: Tensor, bias: Tensor, epsilon = 1e-6): Tensor =>
  apply(normalisation.layerNorm, [x, scale, bias], { epsilon })

/** A by-product of a layerNorm node as a tensor of its own: [..., 1]. */
export const layerNormStatistic = (node: Tensor, which: 'mean' | 'inverseDeviation'): Tensor =>
  apply(normalisation.layerNormStatistic, [node], { which })
