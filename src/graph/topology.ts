/** @file Order of a graph's nodes. */

import { apply, type Tensor } from './tensor.ts'

/** Every node that `outputs` depend on, operands before their users. Without recursion, as graphs are deep. */
export function topologicalOrder(outputs: Iterable<Tensor>): Tensor[] {
  const order: Tensor[] = []
  const seen = new Set<Tensor>()
  for (const output of outputs) {
    const stack: [Tensor, number][] = [[output, 0]]
    if (!seen.has(output)) seen.add(output)
    else continue
    while (stack.length) {
      const top = stack[stack.length - 1]
      const [node, next] = top!
      if (next === node.inputs.length) {
        order.push(node)
        stack.pop()
        continue
      }
      top![1]++
      const operand = node.inputs[next]
      if (seen.has(operand!)) continue
      seen.add(operand!)
      stack.push([operand!, 0])
    }
  }
  return order
}

/** Rebuilds a graph from its leaves up: `rule` gets each node with its new operands and returns what stands for it. */
export function rebuild(
  outputs: readonly Tensor[],
  rule: (node: Tensor, inputs: readonly Tensor[]) => Tensor,
): Tensor[] {
  const replacement = new Map<Tensor, Tensor>()
  for (const node of topologicalOrder(outputs))
    replacement.set(
      node,
      rule(
        node,
        node.inputs.map((operand) => replacement.get(operand)!),
      ),
    )
  return outputs.map((output) => replacement.get(output)!)
}

/** The same operation on other operands; the node itself where they are its own. */
export const withOperands = (node: Tensor, inputs: readonly Tensor[]): Tensor =>
  inputs.every((operand, i) => operand === node.inputs[i]) ? node : apply(node.operation, inputs, node.attributes)
