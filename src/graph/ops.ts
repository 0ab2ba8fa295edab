/** @file The operation table: one entry an operation, with shape rule, ONNX emission and vector-Jacobian product. */

import { activations } from './ops/activation.ts'
import { attention } from './ops/attention.ts'
import { control } from './ops/control.ts'
import { convolutions } from './ops/convolution.ts'
import { elementwise } from './ops/elementwise.ts'
import { half } from './ops/half.ts'
import { indexing } from './ops/indexing.ts'
import { linear } from './ops/linear.ts'
import { normalisation } from './ops/normalise.ts'
import { quantised } from './ops/quantised.ts'
import { reductions } from './ops/reduce.ts'
import { shaping } from './ops/shape.ts'
import type { TensorOperation } from './tensor.ts'

export const operations: Readonly<Record<string, TensorOperation>> = {
  ...elementwise,
  ...activations,
  ...linear,
  ...shaping,
  ...indexing,
  ...reductions,
  ...normalisation,
  ...convolutions,
  ...quantised,
  ...half,
  ...attention,
  ...control,
}

export * from './ops/activation.ts'
export { multiHeadAttention } from './ops/attention.ts'
export * from './ops/control.ts'
export { convolution } from './ops/convolution.ts'
export * from './ops/elementwise.ts'
export * from './ops/indexing.ts'
export * from './ops/linear.ts'
export * from './ops/normalise.ts'
export { int8Matmul } from './ops/quantised.ts'
export * from './ops/reduce.ts'
export * from './ops/shape.ts'
