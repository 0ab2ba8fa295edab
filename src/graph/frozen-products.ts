/** @file Products with frozen weights: which of them a graph has, and the same graph with something else in their place. */
import { createHash } from 'node:crypto'
import { constantValues, leaves, storageOf } from './leaves.ts'
import { operations } from './ops.ts'
import type { Tensor } from './tensor.ts'
import { rebuild, topologicalOrder, withOperands } from './topology.ts'

/** `product` = x `weights` for weights [K, N] that are made of stored values and constants alone. */
export type FrozenProduct = { product: Tensor; x: Tensor; weights: Tensor }

/** Those of at least so many weights, each of which meets at least `rows` rows; operands before their users. */
export function frozenProducts(
  outputs: readonly Tensor[],
  { weights: least, rows }: { weights: number; rows: number },
): FrozenProduct[] {
  const frozen = new Set<Tensor>()
  const fromFiles = new Set<Tensor>()
  const found: FrozenProduct[] = []
  for (const node of topologicalOrder(outputs)) {
    const { operation, inputs } = node
    if (operation === leaves.constant || operation === leaves.stored) frozen.add(node)
    else if (inputs.length > 0 && inputs.every((operand) => frozen.has(operand))) frozen.add(node)
    if (operation === leaves.stored || inputs.some((operand) => fromFiles.has(operand))) fromFiles.add(node)
    if (operation !== operations.matmul || frozen.has(node)) continue
    const [x, weights] = inputs
    const isWorth = weights.rank === 2 && weights.size >= least && node.size / node.shape.at(-1)! >= rows
    if (isWorth && frozen.has(weights) && fromFiles.has(weights)) found.push({ product: node, x, weights })
  }
  return found
}

/** What stands for a product: of its left operand, and of the bias that is added to it where nothing else reads it. */
export type Substitute = (x: Tensor, bias?: Tensor) => Tensor

/** The same outputs with substitutes for some products. */
export function replaceProducts(
  outputs: readonly Tensor[],
  substitutes: ReadonlyMap<Tensor, Substitute>, // by product
): Tensor[] {
  const users = new Map<Tensor, number>()
  for (const node of [...topologicalOrder(outputs).flatMap(({ inputs }) => [...inputs]), ...outputs])
    users.set(node, (users.get(node) ?? 0) + 1)
  const left = new Map<Tensor, Tensor>() // by product: its new left operand
  return rebuild(outputs, (node, inputs) => {
    const substitute = substitutes.get(node)
    if (substitute) {
      left.set(node, inputs[0]!)
      return substitute(inputs[0]!)
    }
    if (node.operation === operations.add)
      for (const [which, product] of node.inputs.entries()) {
        const withBias = substitutes.get(product)
        const bias = inputs[1 - which]!
        if (withBias && users.get(product) === 1 && bias.shape.join() === String(product.shape.at(-1)))
          return withBias(left.get(product)!, bias)
      }
    return withOperands(node, inputs)
  })
}

/** sha256 of all that a graph computes but the contents of its files, and where these are. */
export function fingerprint(outputs: readonly Tensor[]): string {
  const hash = createHash('sha256')
  const numbers = new Map<Tensor, number>()
  for (const node of topologicalOrder(outputs)) {
    const { operation, attributes, shape, dtype, inputs } = node
    const own = operation === leaves.stored ? { ...storageOf(node), path: '' } : attributes
    const operands = inputs.map((operand) => numbers.get(operand))
    if (operation === leaves.constant) {
      const { buffer, byteOffset, byteLength } = constantValues(node)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    }
    const shown = operation === leaves.constant ? {} : own
    hash.update(`${JSON.stringify([operation.name, shape, dtype, operands, shown])}\n`)
    numbers.set(node, numbers.size)
  }
  hash.update(JSON.stringify(outputs.map((output) => numbers.get(output))))
  return hash.digest('hex')
}
