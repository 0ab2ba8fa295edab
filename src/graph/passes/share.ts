/**
 * @file Products of one kernel with rows that have parts in common: [x, h] W and [y, h] W become x Wx + h Wh and
 * y Wx + h Wh. So h Wh is one product, and so is each of its gradients: the pass comes before differentiation.
 */

import { add, concat, matmul, operations, slice } from '../ops.ts'
import type { Tensor } from '../tensor.ts'
import { rebuild, topologicalOrder, withOperands } from '../topology.ts'

/** A smaller share of the kernel's rows in common is not worth the copies of the kernel and of its gradient. */
const LEAST_SHARE = 0.5

/** Neighbours among the parts of a product's rows: indices of the first, and after the last. */
type Run = { first: number; end: number }

/** The same outputs, with products split where at least half of their rows meets the same weights elsewhere, too. */
export function shareProducts(outputs: readonly Tensor[]): Tensor[] {
  const products = topologicalOrder(outputs).filter(({ operation }) => operation === operations.matmul)
  const isShared = sharedParts(products)
  const plan = new Map(products.map((product) => [product, runsOf(product, isShared)]))
  return rebuild(outputs, (node, inputs) => {
    const runs = plan.get(node) ?? []
    return runs.length > 1 ? split(inputs[0]!, inputs[1]!, runs) : withOperands(node, inputs)
  })
}

/** What a row consists of: the operands of a concatenation along it, nested ones as well. */
function partsOf(rows: Tensor): readonly Tensor[] {
  const along = rows.operation === operations.concat && rows.attributes.axis === rows.rank - 1
  return along ? rows.inputs.flatMap(partsOf) : [rows]
}

/** The kernel that a product's weights are rows of, and the first of these rows. */
function kernelOf({ inputs: [, weights] }: Tensor): { kernel: Tensor; row: number } {
  const { axis, start, step } = weights.attributes
  const ofRows = weights.operation === operations.slice && axis === weights.rank - 2 && step === 1
  return ofRows ? { kernel: weights.inputs[0], row: start as number } : { kernel: weights, row: 0 }
}

/** Tells of each part of a product whether another product multiplies it by the same weights. */
function sharedParts(products: readonly Tensor[]): (product: Tensor, part: Tensor, offset: number) => boolean {
  const numbers = new Map<Tensor, number>()
  const numberOf = (tensor: Tensor) => {
    if (!numbers.has(tensor)) numbers.set(tensor, numbers.size)
    return numbers.get(tensor)
  }
  const keyOf = (product: Tensor, part: Tensor, offset: number) => {
    const { kernel, row } = kernelOf(product)
    return `${numberOf(kernel)}/${row + offset}/${numberOf(part)}`
  }
  const uses = new Map<string, number>()
  for (const product of products)
    forEachPart(product, (part, offset) => {
      const key = keyOf(product, part, offset)
      uses.set(key, (uses.get(key) ?? 0) + 1)
    })
  return (product, part, offset) => uses.get(keyOf(product, part, offset))! > 1
}

function forEachPart(product: Tensor, visit: (part: Tensor, offset: number) => void): void {
  let offset = 0
  for (const part of partsOf(product.inputs[0])) {
    visit(part, offset)
    offset += part.shape.at(-1)!
  }
}

/** Shared parts and others by turns; one run of all where too little is shared. */
function runsOf(product: Tensor, isShared: ReturnType<typeof sharedParts>): Run[] {
  const runs: (Run & { shared: boolean })[] = []
  let [width, count] = [0, 0]
  forEachPart(product, (part, offset) => {
    const shared = isShared(product, part, offset)
    if (shared) width += part.shape.at(-1)!
    const last = runs.at(-1)
    if (last?.shared === shared) last.end++
    else runs.push({ first: count, end: count + 1, shared })
    count++
  })
  return width < LEAST_SHARE * product.inputs[0].shape.at(-1)! ? [] : runs
}

function split(rows: Tensor, weights: Tensor, runs: readonly Run[]): Tensor {
  const parts = partsOf(rows)
  let row = 0
  const products = runs.map(({ first, end }) => {
    const run = concat(parts.slice(first, end), rows.rank - 1)
    return matmul(run, rowsOf(weights, row, (row += run.shape.at(-1)!)))
  })
  return products.reduce((sum, product) => add(sum, product))
}

/** Rows of a kernel; of rows of a kernel the same rows, so that equal ones are found to be equal. */
function rowsOf(weights: Tensor, start: number, end: number): Tensor {
  const axis = weights.rank - 2
  const { axis: sliced, start: from, step } = weights.attributes
  if (weights.operation !== operations.slice || sliced !== axis || step !== 1) return slice(weights, axis, start, end)
  return slice(weights.inputs[0], axis, (from as number) + start, (from as number) + end)
}
