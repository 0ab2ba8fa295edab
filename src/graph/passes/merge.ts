/** @file Common-subexpression elimination: nodes that compute the same become one. */

import { bindingOf, constantValues, leaves } from '../leaves.ts'
import type { Tensor } from '../tensor.ts'
import { rebuild, withOperands } from '../topology.ts'

/** Above this many elements constants are told apart by identity; comparing them would cost more than it saves. */
const largestComparedConstant = 4096

/** The same outputs with equal subexpressions shared. Inputs and parameters are equal if they are the same leaf. */
export function mergeEqual(outputs: readonly Tensor[]): Tensor[] {
  const known = new Map<string, Tensor>()
  const number = new Map<object, number>()
  const numberOf = (item: object) => {
    if (!number.has(item)) number.set(item, number.size)
    return number.get(item)!
  }
  return rebuild(outputs, (node, inputs) => {
    const key = `${node.operation.name}(${inputs.map(numberOf)})${detail(node, numberOf)}`
    const same = known.get(key)
    if (same) return same
    const kept = withOperands(node, inputs)
    known.set(key, kept)
    return kept
  })
}

function detail(node: Tensor, numberOf: (item: object) => number): string {
  if (node.operation === leaves.parameter) {
    const { store, group, name, view } = bindingOf(node)
    return `${numberOf(store)}/${group}/${name}@${view.byteOffset}`
  }
  if (node.operation !== leaves.constant) return JSON.stringify(node.attributes)
  const values = constantValues(node)
  if (values.length > largestComparedConstant) return `${node.dtype}[${node.shape}]#${numberOf(values)}`
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return `${node.dtype}[${node.shape}]${bytes.toString('base64')}`
}
