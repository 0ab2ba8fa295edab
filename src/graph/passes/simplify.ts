/** @file Algebra that never changes a value: x * 1, x + 0, doubled reshapes and transposes, folding of scalars. */

import { constant, uniformValue } from '../leaves.ts'
import { operations } from '../ops.ts'
import { broadcastShapes, sameShape } from '../shapes.ts'
import { apply, type Tensor } from '../tensor.ts'
import { rebuild, withOperands } from '../topology.ts'

type Rule = (node: Tensor) => Tensor | undefined

const isOperation = (node: Tensor, name: string): boolean => node.operation === operations[name]

const reshaped = (x: Tensor, shape: readonly number[]): Tensor =>
  sameShape(x.shape, shape) ? x : apply(operations.reshape!, [x], { shape })

/** The operand that is left when the other one, at `index`, is the neutral element of the operation. */
const withoutNeutral =
  (neutral: number, ...indices: number[]): Rule =>
  (node) => {
    for (const index of indices) {
      const rest = node.inputs[1 - index]
      if (uniformValue(node.inputs[index]!) === neutral && sameShape(rest!.shape, node.shape)) return rest
    }
    return undefined
  }

/** Operands that only repeat what broadcasting would repeat anyway. */
const withoutExpand: Rule = (node) => {
  for (const [index, operand] of node.inputs.entries()) {
    if (!isOperation(operand, 'expand')) continue
    const inputs = node.inputs.with(index, operand.inputs[0])
    if (sameShape(broadcastShapes(node.operation.name, ...inputs.map(({ shape }) => shape)), node.shape))
      return apply(node.operation, inputs, node.attributes)
  }
  return undefined
}

const scalarArithmetic: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
}

/** Arithmetic between two scalar constants. */
const foldScalars: Rule = (node) => {
  const [a, b] = node.inputs.map(uniformValue)
  const compute = scalarArithmetic[node.operation.name]
  if (!compute || a === undefined || b === undefined || node.rank > 0 || node.dtype !== 'f32') return undefined
  return constant(compute(a, b))
}

/** (x * a) * b = x * (a b), for scalar constants. */
const joinFactors: Rule = (node) => {
  const factor = (tensor: Tensor) => {
    for (const index of [0, 1]) {
      const value = tensor.inputs[index]!.rank === 0 ? uniformValue(tensor.inputs[index]!) : undefined
      if (value !== undefined) return { value, rest: tensor.inputs[1 - index]! }
    }
    return undefined
  }
  const outer = node.dtype === 'f32' ? factor(node) : undefined
  if (!outer || !isOperation(outer.rest, 'mul')) return undefined
  const inner = factor(outer.rest)
  return inner && apply(node.operation, [inner.rest, constant(outer.value * inner.value)])
}

/** Two transposes are one; one that moves only axes of extent 1 is a reshape, which is free. */
const transposeRule: Rule = (node) => {
  const perm = node.attributes.perm as readonly number[]
  const [x] = node.inputs
  if (isOperation(x, 'transpose')) {
    const first = x.attributes.perm as readonly number[]
    return apply(node.operation, x.inputs, { perm: perm.map((axis) => first[axis]) })
  }
  const moved = perm.filter((axis) => x.shape[axis] !== 1)
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!) ? reshaped(x, node.shape) : undefined
}

const reshapeRule: Rule = (node) => {
  const [x] = node.inputs
  if (isOperation(x, 'reshape')) return reshaped(x.inputs[0], node.shape)
  return sameShape(x.shape, node.shape) ? x : undefined
}

/** A reduction over axes of extent 1 computes nothing. */
const reduceRule: Rule = (node) => {
  const [x] = node.inputs
  return x.size === node.size ? reshaped(x, node.shape) : undefined
}

const rules: Record<string, readonly Rule[]> = {
  add: [withoutNeutral(0, 0, 1), foldScalars, withoutExpand],
  sub: [withoutNeutral(0, 1), foldScalars, withoutExpand],
  mul: [withoutNeutral(1, 0, 1), foldScalars, joinFactors, withoutExpand],
  div: [withoutNeutral(1, 1), foldScalars, withoutExpand],
  maximum: [withoutExpand],
  minimum: [withoutExpand],
  where: [withoutExpand],
  greater: [withoutExpand],
  less: [withoutExpand],
  equal: [withoutExpand],
  neg: [(node) => (isOperation(node.inputs[0], 'neg') ? node.inputs[0].inputs[0] : undefined)],
  transpose: [transposeRule],
  reshape: [reshapeRule],
  expand: [(node) => (sameShape(node.inputs[0].shape, node.shape) ? node.inputs[0] : undefined)],
  sum: [reduceRule],
  mean: [reduceRule],
  max: [reduceRule],
  min: [reduceRule],
  cast: [(node) => (node.inputs[0].dtype === node.dtype ? node.inputs[0] : undefined)],
  stopGradient: [(node) => node.inputs[0]],
  straightThrough: [(node) => node.inputs[0]],
}

/** The same outputs with the rules applied until none fits. Gradients must have been taken before. */
export function simplify(outputs: readonly Tensor[]): Tensor[] {
  return rebuild(outputs, (node, inputs) => {
    let current = withOperands(node, inputs)
    for (let next: Tensor | undefined = current; next; ) {
      current = next
      next = firstMatch(current)
    }
    return current
  })
}

function firstMatch(node: Tensor): Tensor | undefined {
  for (const rule of rules[node.operation.name] ?? []) {
    const result = rule(node)
    if (result) return result
  }
  return undefined
}
