/** @file Stops of gradients where none would flow: of what depends on no parameter. So equal values are found to be equal. */

import { leaves } from '../leaves.ts'
import { operations } from '../ops.ts'
import type { Tensor } from '../tensor.ts'
import { rebuild, topologicalOrder, withOperands } from '../topology.ts'

/** The same outputs and the same gradients to parameters, without these stops. Before differentiation. */
export function withoutIdleStops(outputs: readonly Tensor[]): Tensor[] {
  const dependent = new Set<Tensor>()
  for (const node of topologicalOrder(outputs))
    if (node.operation === leaves.parameter || node.inputs.some((operand) => dependent.has(operand)))
      dependent.add(node)
  return rebuild(outputs, (node, inputs) =>
    node.operation === operations.stopGradient && !dependent.has(node) ? inputs[0]! : withOperands(node, inputs),
  )
}
