/** @file A graph whose products are in half precision: for devices that multiply halves several times as fast as floats. */

import { half } from './ops/half.ts'
import { operations } from './ops.ts'
import { apply, type Tensor } from './tensor.ts'
import { rebuild, withOperands } from './topology.ts'

const HALVED = new Map([
  [operations.matmul, half.halfMatmul],
  [operations.convolution, half.halfConvolution],
])

/** The same outputs with all matrix products and convolutions in halves; what lies between them stays in f32. For frozen networks. */
export const halfProducts = (outputs: readonly Tensor[]): Tensor[] =>
  rebuild(outputs, (node, inputs) => {
    const halved = HALVED.get(node.operation)
    return halved ? apply(halved, inputs, node.attributes) : withOperands(node, inputs)
  })
