/** @file Products in half precision with f32 around them: operands are rounded, and what comes out is widened again. */

import { dataType } from '../onnx/schema.ts'
import type { Operands, TensorOperation } from '../tensor.ts'
import { convolutions } from './convolution.ts'
import { linear } from './linear.ts'

/**
 * The same operation on halves, whose range ends at ±65504. No dtype of the graph: a cast of frozen weights is done when a
 * session opens, and one of an operand that several products share is merged there. Without a derivative.
 */
const inHalves = (name: string, { infer, emit }: TensorOperation): TensorOperation => ({
  name,
  infer,
  emit(writer, operands, node) {
    const halves = operands.map((operand) => writer.add('Cast', [operand], { to: dataType.f16 }))
    const product = emit(writer, halves as unknown as Operands<string>, node)
    return writer.add('Cast', [product], { to: dataType.f32 })
  },
  vjp: null,
})

export const half = {
  halfMatmul: inHalves('halfMatmul', linear.matmul),
  halfConvolution: inHalves('halfConvolution', convolutions.convolution),
}
