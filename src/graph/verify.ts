/** @file Checks that a graph is sound. Run between passes, so that a faulty pass is caught where it went wrong. */

import { isLeaf } from './leaves.ts'
import { operations } from './ops.ts'
import { sameShape } from './shapes.ts'
import type { Tensor } from './tensor.ts'

/** A graph that breaks a rule; `stage` says after which pass. A fault of this compiler, not of its caller. */
export class GraphError extends Error {
  override name = 'GraphError'
  constructor(stage: string, node: Tensor, what: string) {
    super(`graph after ${stage}: ${node.operation.name} of shape [${node.shape}] ${what}`)
  }
}

/** Throws a GraphError unless the graph is acyclic, complete, and of the shapes and dtypes that its operations give. */
export function verify(outputs: readonly Tensor[], stage: string) {
  const open = new Set<Tensor>()
  const closed = new Set<Tensor>()
  const stack = [...outputs]
  while (stack.length) {
    const node = stack[stack.length - 1]
    if (closed.has(node!)) stack.pop()
    else if (open.has(node!)) {
      open.delete(node!)
      closed.add(node!)
      stack.pop()
      verifyNode(node!, stage)
    } else {
      open.add(node!)
      for (const operand of node!.inputs) {
        if (!operand) throw new GraphError(stage, node!, 'has a dangling operand')
        if (open.has(operand))
          throw new GraphError(stage, node!, `is part of a cycle through ${operand.operation.name}`)
        if (!closed.has(operand)) stack.push(operand)
      }
    }
  }
}

function verifyNode(node: Tensor, stage: string) {
  if (!isLeaf(node) && operations[node.operation.name] !== node.operation)
    throw new GraphError(stage, node, 'is not in the operation table')
  const { shape, dtype } = node.operation.infer(node.inputs, node.attributes)
  if (!sameShape(shape, node.shape)) throw new GraphError(stage, node, `should have shape [${shape}]`)
  if (dtype !== node.dtype) throw new GraphError(stage, node, `has dtype ${node.dtype}, should have ${dtype}`)
}
