/** @file Convolution of images [B, C, H, W] and its adjoint; each is the other's gradient. */

import { InputError, ShapeError } from '../../errors.ts'
import { apply, requireDType, type Tensor, type TensorOperation } from '../tensor.ts'
import { transpose } from './linear.ts'
import { slice } from './shape.ts'

type Pair = readonly [vertical: number, horizontal: number]
type Edges = readonly [top: number, left: number, bottom: number, right: number]

type Attributes = { stride: Pair; dilation: Pair; padding: Edges }
type AdjointAttributes = Attributes & { size: Pair }

/** Cells that a kernel of `extent` covers. */
const reach = (extent: number, dilation: number) => (extent - 1) * dilation + 1

/** Positions of the kernel along one axis. */
const positions = (size: number, extent: number, { stride, dilation, padding }: Attributes, axis: 0 | 1) =>
  Math.floor((size + padding[axis] + padding[axis + 2]! - reach(extent, dilation[axis])) / stride[axis]) + 1

export const convolutions = {
  convolution: {
    name: 'convolution',
    infer: ([x, kernel], attributes) => {
      requireDType('convolution', [x, kernel], 'f32')
      if (x.rank !== 4) throw new ShapeError('convolution: images', x.shape, ['B', 'C', 'H', 'W'])
      if (kernel.rank !== 4 || kernel.shape[1] !== x.shape[1])
        throw new ShapeError('convolution: kernel', kernel.shape, ['C out', x.shape[1]!, 'height', 'width'])
      const [rows, columns] = ([0, 1] as const).map((axis) =>
        positions(x.shape[axis + 2]!, kernel.shape[axis + 2]!, attributes as Attributes, axis),
      ) as [number, number]
      if (!(rows >= 1 && columns >= 1))
        throw new InputError(
          `convolution of [${x.shape}]`,
          `has a kernel of [${kernel.shape}]`,
          'Take a smaller kernel or more padding.',
        )
      return { shape: [x.shape[0]!, kernel.shape[0]!, rows, columns], dtype: 'f32' }
    },
    emit: (writer, inputs, { attributes }) => writer.add('Conv', inputs, onnxAttributes(attributes as Attributes)),
    vjp: ({ inputs: [x, kernel], attributes }, g): readonly Tensor[] => {
      const { stride, dilation, padding } = attributes as Attributes
      const size: Pair = [x.shape[2]!, x.shape[3]!]
      return [
        apply(convolutions.convolutionAdjoint, [g, kernel], { stride, dilation, padding, size }),
        kernelGradient(x, g, kernel, attributes as Attributes),
      ]
    },
  } satisfies TensorOperation,

  /** What the convolution of images of `size` does to a gradient: x of its result's shape, the same kernel. */
  convolutionAdjoint: {
    name: 'convolutionAdjoint',
    infer: ([x, kernel], attributes) => {
      requireDType('convolutionAdjoint', [x, kernel], 'f32')
      const { size } = attributes as AdjointAttributes
      const expected = ([0, 1] as const).map((axis) =>
        positions(size[axis], kernel.shape[axis + 2]!, attributes as Attributes, axis),
      )
      if (x.rank !== 4 || x.shape[1] !== kernel.shape[0] || expected.some((extent, i) => extent !== x.shape[i + 2]))
        throw new ShapeError('convolutionAdjoint: x', x.shape, ['B', kernel.shape[0]!, ...expected])
      return { shape: [x.shape[0]!, kernel.shape[1]!, ...size], dtype: 'f32' }
    },
    emit: (writer, inputs, node) => {
      const { size, ...rest } = node.attributes as AdjointAttributes
      const [x, kernel] = node.inputs
      // cells at the end that no position of the kernel reached
      const left = ([0, 1] as const).map((axis) => {
        const { stride, dilation, padding } = rest
        const reached = stride[axis] * (x.shape[axis + 2]! - 1) + reach(kernel.shape[axis + 2]!, dilation[axis])
        return size[axis] - (reached - padding[axis] - padding[axis + 2]!)
      })
      return writer.add('ConvTranspose', inputs, { ...onnxAttributes(rest), output_padding: left })
    },
    vjp: ({ inputs: [x, kernel], attributes }, g): readonly Tensor[] => {
      const { stride, dilation, padding } = attributes as AdjointAttributes
      const same = { stride, dilation, padding }
      return [apply(convolutions.convolution, [g, kernel], same), kernelGradient(g, x, kernel, same)]
    },
  } satisfies TensorOperation,
}

const onnxAttributes = ({ stride, dilation, padding }: Attributes) => ({
  strides: stride,
  dilations: dilation,
  pads: padding,
})

/**
 * Σ_{b,i} small[b, o, i] large[b, c, i stride + k dilation - padding]: again a convolution, over batch entries as
 * channels, in which stride and dilation change places.
 */
function kernelGradient(large: Tensor, small: Tensor, kernel: Tensor, { stride, dilation, padding }: Attributes) {
  const swapped = { stride: dilation, dilation: stride, padding }
  const sums = apply(
    convolutions.convolution,
    [transpose(large, [1, 0, 2, 3]), transpose(small, [1, 0, 2, 3])],
    swapped,
  )
  const [, , height, width] = kernel.shape as [number, number, number, number]
  return transpose(slice(slice(sums, 2, 0, height), 3, 0, width), [1, 0, 2, 3])
}

export type ConvolutionOptions = {
  stride?: number
  dilation?: number
  /** Zeros around the images: on every side, or [top, left, bottom, right]. */
  padding?: number | Edges
}

/**
 * y[b, o, i, j] = Σ_{c,k,l} x[b, c, i stride + k dilation - top, j stride + l dilation - left] kernel[o, c, k, l], with x
 * zero outside. x [B, C, H, W], kernel [C out, C, height, width].
 */
export function convolution(
  x: Tensor,
  kernel: Tensor,
  { stride = 1, dilation = 1, padding = 0 }: ConvolutionOptions = {},
): Tensor {
  const edges: Edges = typeof padding === 'number' ? [padding, padding, padding, padding] : padding
  const counts = [stride, dilation, ...edges.map((edge) => edge + 1)]
  if (counts.some((count) => !Number.isInteger(count) || count < 1))
    throw new InputError(
      `convolution of [${x.shape}]`,
      `has stride ${stride}, dilation ${dilation}, padding ${padding}`,
      'Give whole numbers, stride and dilation from 1 up, padding from 0 up.',
    )
  const attributes = { stride: [stride, stride], dilation: [dilation, dilation], padding: edges }
  return apply(convolutions.convolution, [x, kernel], attributes)
}
