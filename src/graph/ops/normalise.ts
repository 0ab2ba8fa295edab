/** @file Layer normalisation as one operation, forward and backward; and centring and scaling by fixed numbers. */

import { ShapeError } from '../../errors.ts'
import { dataType } from '../onnx/schema.ts'
import { broadcastShapes, sameShape } from '../shapes.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'
import { mul, sub } from './elementwise.ts'
import { matmul } from './linear.ts'
import { mean, sumTo } from './reduce.ts'
import { reshape } from './shape.ts'

/** By-products of the runtime's operator, in the order of its outputs. */
const statistics = ['normalised', 'mean', 'inverseDeviation'] as const
type Statistic = 'normalised' | 'inverseDeviation'

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
    // With scales of several owners the runtime's operator takes 3 times as long as with one scale for all rows; a product
    // and a sum of their own are cheaper, and the gradient asks for what lies between.
    emit: (writer, [x, scale, bias], node) => {
      const attributes = { axis: -1, epsilon: writer.float(node.attributes.epsilon as number) }
      const differentiated = writer.hasConsumer(node, 'layerNormStatistic')
      if (!differentiated && node.inputs[1].rank === 1)
        return writer.add('LayerNormalization', [x, scale, bias], attributes)
      const ones = writer.filled([node.shape.at(-1)!], 1)
      const normalised = writer.add('LayerNormalization', [x, ones], attributes, differentiated ? 3 : 1)
      const result = writer.add('Add', [writer.add('Mul', [normalised, scale]), bias])
      writer.accompany(result, normalised)
      return result
    },
    vjp: (node, g) => {
      const [, scale, bias] = node.inputs
      const inverse = layerNormStatistic(node, 'inverseDeviation')
      const normalised = layerNormStatistic(node, 'normalised')
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

  /** A by-product of layerNorm: 'normalised' x before scale and bias, or 'inverseDeviation' 1 / sqrt(variance + epsilon). */
  layerNormStatistic: {
    name: 'layerNormStatistic',
    infer: ([node], { which }) => ({
      shape: which === 'normalised' ? node.shape : [...node.shape.slice(0, -1), 1],
      dtype: 'f32',
    }),
    emit: (writer, inputs, { attributes }) =>
      writer.sibling(inputs[0], statistics.indexOf(attributes.which as Statistic)),
    vjp: null,
  } satisfies TensorOperation,

  rescale: {
    name: 'rescale',
    infer: ([x], attributes) => {
      const { shift, gain, scale } = attributes as Rescaling
      requireDType('rescale', [x], 'f32')
      for (const [name, values] of Object.entries({ shift, gain, scale }))
        if (values.length !== x.shape.at(-1))
          throw new ShapeError(`rescale: ${name}`, [values.length], [x.shape.at(-1) ?? 'width'], 'one value an entry')
      return { shape: x.shape, dtype: 'f32' }
    },
    emit: (writer, [x], { attributes }) => {
      const { shift, gain, scale, limit } = attributes as Rescaling
      let y = writer.add('Cast', [x], { to: dataType.f64 })
      const by = (operator: string, values: readonly number[], neutral: number) => {
        if (values.some((value) => value !== neutral))
          y = writer.add(operator, [y, writer.doubles(values, [values.length])])
      }
      by('Sub', shift, 0)
      by('Mul', gain, 1)
      by('Div', scale, 1)
      if (limit !== null) y = writer.add('Clip', [y, writer.doubles([-limit]), writer.doubles([limit])])
      return writer.add('Cast', [y], { to: dataType.f32 })
    },
    vjp: null,
  } satisfies TensorOperation,
}

/** One value an entry of the last axis. */
type Rescaling = { shift: readonly number[]; gain: readonly number[]; scale: readonly number[]; limit: number | null }

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

/** A by-product of a layerNorm node as a tensor of its own: of its shape, or [..., 1]. */
export const layerNormStatistic = (node: Tensor, which: Statistic): Tensor =>
  apply(normalisation.layerNormStatistic, [node], { which })

/**
 * (x - shift) * gain / scale, clipped to ±limit, in double precision in between: to the last bit what this program does to
 * the numbers themselves. Without a derivative.
 */
export function rescale(x: Tensor, { shift, gain, scale, limit = null }: Partial<Rescaling>): Tensor {
  const width = x.shape.at(-1) ?? 1
  const all = (value: number) => new Array<number>(width).fill(value)
  return apply(normalisation.rescale, [x], {
    shift: shift ?? all(0),
    gain: gain ?? all(1),
    scale: scale ?? all(1),
    limit,
  } satisfies Rescaling)
}
