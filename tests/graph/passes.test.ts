/** @file The passes keep values and remove what they should; the verifier catches what is unsound. */

import ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import * as g from '../../src/graph/index.ts'
import { mergeEqual } from '../../src/graph/passes/merge.ts'
import { narrowProducts } from '../../src/graph/passes/narrow.ts'
import { optimise, prepare } from '../../src/graph/passes/optimise.ts'
import { shareProducts } from '../../src/graph/passes/share.ts'
import { simplify } from '../../src/graph/passes/simplify.ts'
import { withoutIdleStops } from '../../src/graph/passes/stops.ts'
import { encode } from '../../src/graph/program.ts'
import { type Operands, Tensor } from '../../src/graph/tensor.ts'
import { topologicalOrder } from '../../src/graph/topology.ts'
import { verify } from '../../src/graph/verify.ts'
import { ragged } from './reference.ts'

const names = (outputs: Tensor[]) => topologicalOrder(outputs).map(({ operation }) => operation.name)
const tally = (outputs: Tensor[], name: string) => names(outputs).filter((other) => other === name).length

/** Values of the outputs by onnxruntime, from a model as given, with no pass of ours and none of onnxruntime's. */
async function evaluate(outputs: Tensor[], feeds: Record<string, Float32Array>): Promise<Float32Array[]> {
  const { onnx, fed } = encode('plain', Object.fromEntries(outputs.map((output, i) => [`out${i}`, output])))
  const session = await ort.InferenceSession.create(onnx, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 })
  const tensors = Array.from(
    fed,
    ([name, { shape }]) => [name, new ort.Tensor('float32', feeds[name]!, shape)] as const,
  )
  const results = await session.run(Object.fromEntries(tensors))
  await session.release()
  return outputs.map((_, i) => results[`out${i}`]!.data as Float32Array)
}

describe('simplifying', () => {
  const x = g.input('x', [2, 3])
  const b = g.input('b', [3])
  test.each<[string, Tensor, Tensor | string[]]>([
    ['x * 1', g.mul(x, 1), x],
    ['1 * x', g.mul(1, x), x],
    ['x + 0', g.add(x, 0), x],
    ['0 + x', g.add(0, x), x],
    ['x - 0', g.sub(x, 0), x],
    ['x / 1', g.div(x, 1), x],
    ['x * ones', g.mul(x, g.constant([1, 1, 1])), x],
    ['-(-x)', g.neg(g.neg(x)), x],
    ['two transposes', g.swapLast(g.swapLast(x)), x],
    ['two reshapes', g.reshape(g.reshape(x, [6]), [2, 3]), x],
    ['two reshapes to a third shape', g.reshape(g.reshape(x, [6]), [3, 2]), ['input', 'reshape']],
    ['a transpose of a row', g.swapLast(g.reshape(x, [1, 6])), ['input', 'reshape']],
    ['stopGradient', g.stopGradient(x), x],
    ['a sum over one element', g.reshape(g.sum(g.reshape(x, [2, 1, 3]), 1), [2, 3]), x],
    ['(x * 2) * 3', g.mul(g.mul(x, 2), 3), ['input', 'constant', 'mul']],
    ['an expand that broadcasting does', g.add(x, g.expand(b, [2, 3])), ['input', 'input', 'add']],
    ['1 - x stays', g.sub(1, x), ['constant', 'input', 'sub']],
    ['0 - x stays', g.sub(0, x), ['constant', 'input', 'sub']],
    ['1 / x stays', g.div(1, x), ['constant', 'input', 'div']],
    ['1 that widens stays', g.mul(b, g.constant([1, 1], [2, 1])), ['input', 'constant', 'mul']],
    ['an expand that widens stays', g.mul(g.expand(b, [2, 3]), g.expand(b, [2, 3])), ['input', 'expand', 'mul']],
  ])('%s', (_, traced, want) => {
    const [result] = simplify(mergeEqual([traced]))
    if (want instanceof Tensor) expect(result).toBe(want)
    else expect(names([result!])).toEqual(want)
    expect(result!.shape).toEqual(traced.shape)
  })

  test('joins factors into their product', async () => {
    const joined = simplify([g.mul(g.mul(x, 2), 3)])
    const feeds = { x: Float32Array.of(1, 2, 3, 4, 5, 6) }
    expect([...(await evaluate(joined, feeds))[0]!]).toEqual([6, 12, 18, 24, 30, 36])
  })

  test('folds scalars', async () => {
    const [result] = simplify([g.mul(g.add(g.constant(2), 3), g.div(g.constant(8), 4))])
    expect(names([result!])).toEqual(['constant'])
    expect([...(await evaluate([result!], {}))[0]!]).toEqual([10])
  })
})

describe('merging', () => {
  test('shares equal subexpressions and tells others apart', () => {
    const x = g.input('x', [4])
    const both = g.add(g.mul(g.exp(x), 2), g.mul(g.exp(x), 2))
    expect(tally(mergeEqual([both]), 'exp')).toBe(1)
    expect(tally(mergeEqual([g.add(g.clip(x, 0, 1), g.clip(x, 0, 2))]), 'clip')).toBe(2)
    expect(tally(mergeEqual([g.add(g.clip(x, 0, 1), g.clip(x, 0, Number.POSITIVE_INFINITY))]), 'clip')).toBe(2)
    expect(tally(mergeEqual([g.add(g.sum(x, 0, true), g.sum(x, 0, false))]), 'sum')).toBe(2)
    expect(tally(mergeEqual([g.add(g.mul(x, 2), g.mul(x, g.constant([2])))]), 'mul')).toBe(2)
  })

  test('keeps value and target of one parameter apart', () => {
    const store = new g.ParameterStore({ net: { tensors: { w: [3], v: [3] }, target: true } })
    const { w, v } = store.tensors('net')
    const sum = g.add(g.add(w!, v!), store.tensors('net', 'target').w!)
    expect(tally(mergeEqual([sum]), 'parameter')).toBe(3)
  })
})

/** Inputs of these shapes, by name, with values for them. */
function fed(shapes: Record<string, number[]>) {
  const entries = Object.entries(shapes).map(([name, shape], i) => {
    const size = shape.reduce((product, extent) => product * extent, 1)
    return [name, g.input(name, shape), Float32Array.from(ragged(size, i))] as const
  })
  return {
    tensors: Object.fromEntries(entries.map(([name, tensor]) => [name, tensor])),
    feeds: Object.fromEntries(entries.map(([name, , values]) => [name, values])),
  }
}

async function expectSameValues(got: Tensor[], want: Tensor[], feeds: Record<string, Float32Array>): Promise<void> {
  const [left, right] = [await evaluate(got, feeds), await evaluate(want, feeds)]
  for (const [i, values] of right.entries()) {
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1e-4)
    for (const [j, value] of values.entries()) expect(left[i]![j]!).toBeCloseTo(value, 5)
  }
}

const products = (outputs: Tensor[]) =>
  topologicalOrder(outputs)
    .filter(({ operation }) => operation.name === 'matmul')
    .map(({ inputs: [left, right] }) => `[${left.shape}] [${right.shape}]`)

describe('sharing products', () => {
  const { tensors, feeds } = fed({ x: [2, 3, 1], y: [2, 3, 1], h: [2, 3, 2], p: [2, 3, 2], w: [2, 5, 4] })
  const { x, y, h, p, w } = tensors as Record<'x' | 'y' | 'h' | 'p' | 'w', Tensor>

  test('multiplies common parts once, and sends their gradients back at once', async () => {
    const [of, other] = [g.matmul(g.concat([x, g.concat([h, p], 2)], 2), w), g.matmul(g.concat([y, h, p], 2), w)]
    const loss = g.mean(g.mul(g.tanh(of), g.tanh(other)))
    const shared = prepare([loss])
    expect(products(shared)).toEqual(['[2,3,1] [2,1,4]', '[2,3,4] [2,4,4]', '[2,3,1] [2,1,4]'])
    const wrt = [x, y, h, p, w]
    expect(products(optimise(g.gradients(shared[0]!, wrt))).length).toBe(3 + 3 + 3)
    await expectSameValues([...shared, ...g.gradients(shared[0]!, wrt)], [loss, ...g.gradients(loss, wrt)], feeds)
  })

  test('knows rows of a kernel that were taken from it before', () => {
    const apart = g.matmul(g.concat([h, p], 2), g.slice(w, 1, 1, 5))
    const [result] = mergeEqual(shareProducts([g.add(apart, g.matmul(g.concat([x, h, p], 2), w))]))
    expect(products([result!])).toEqual(['[2,3,4] [2,4,4]', '[2,3,1] [2,1,4]'])
    const elsewhere = g.matmul(g.concat([h, p], 2), g.slice(w, 1, 0, 4)) // the same parts, other weights
    const both = g.add(elsewhere, g.matmul(g.concat([x, h, p], 2), w))
    expect(products(shareProducts([both]))).toEqual(products([both]))
  })

  test('leaves products alone that have little in common, or all', () => {
    const little = g.add(g.matmul(g.concat([x, h, p], 2), w), g.matmul(g.concat([y, h, g.neg(p)], 2), w))
    expect(products(shareProducts([little]))).toEqual(products([little]))
    const twice = g.concat([x, h, p], 2)
    const all = g.add(g.matmul(twice, w), g.matmul(g.concat([x, h, p], 2), w))
    expect(products(shareProducts(mergeEqual([all])))).toEqual(['[2,3,5] [2,5,4]'])
    const v = g.input('v', [2, 2])
    const across = [x, y].map((z) => g.matmul(g.concat([h, g.add(p, z)], 1), v)) // rows, not parts of rows
    expect(products(shareProducts(across))).toEqual(products(across))
  })
})

describe('narrowing products', () => {
  const { tensors, feeds } = fed({ a: [2, 3, 4], b: [2, 4, 8], c: [2, 8, 4] })
  const { a, b, c } = tensors as Record<'a' | 'b' | 'c', Tensor>

  test('computes the columns that are read', async () => {
    for (const product of [g.matmul(a, b), g.matmul(a, g.swapLast(c))]) {
      const read = [g.slice(product, 2, 1, 3), g.slice(product, 2, 5, 7)]
      const narrowed = narrowProducts(read)
      expect(products(narrowed)).toEqual(['[2,3,4] [2,4,2]', '[2,3,4] [2,4,2]'])
      await expectSameValues(narrowed, read, feeds)
    }
  })

  test('takes rows of what is transposed afterwards', () => {
    const order = (right: Tensor) => names(narrowProducts([g.slice(g.matmul(a, right), 2, 1, 3)])).slice(-3)
    expect(order(g.swapLast(c))).toEqual(['slice', 'transpose', 'matmul'])
    const moved = g.transpose(g.reshape(c, [8, 2, 4]), [1, 2, 0])
    expect(order(moved)).toEqual(['transpose', 'slice', 'matmul'])
  })

  test('computes a product whole that is read whole, nearly whole, or by rows', () => {
    const product = g.matmul(a, b)
    const part = g.slice(product, 2, 0, 2)
    for (const outputs of [
      [part, product],
      [part, g.exp(product)],
      [part, g.slice(product, 2, 1, 7)],
      [part, g.slice(product, 1, 0, 1)],
      [g.slice(product, 2, 1, 7, 2)],
    ])
      expect(products(narrowProducts(outputs))).toEqual(products(outputs))
  })
})

test('stops are dropped where no gradient would flow, and only there', () => {
  const { w } = new g.ParameterStore({ net: { tensors: { w: [3] } } }).tensors('net')
  const x = g.input('x', [3])
  const idle = g.stopGradient(g.exp(x))
  const stop = g.stopGradient(g.mul(w!, x))
  expect(names(withoutIdleStops([g.mul(idle, w!)]))).not.toContain('stopGradient')
  expect(tally(withoutIdleStops([g.mul(g.add(stop, idle), w!)]), 'stopGradient')).toBe(1)
  const [gradient] = g.gradients(withoutIdleStops([g.sum(g.mul(stop, w!))])[0]!, [w!])
  expect(names([gradient!])).toContain('stopGradient')
})

test('a network with its gradients has the same values after all passes', async () => {
  const shapes = { x: [2, 5, 6], w: [6, 6], s: [6], b: [6] }
  const { x, w, s, b } = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, g.input(name, shape)]))
  const h = g.layerNorm(g.add(g.matmul(x!, w!), b!), s!, b!)
  const heads = g.transpose(g.reshape(h, [2, 5, 2, 3]), [0, 2, 1, 3])
  const attention = g.softmax(g.mul(g.matmul(heads, g.swapLast(heads)), 1 / Math.sqrt(3)))
  const mixed = g.reshape(g.transpose(g.matmul(attention, heads), [0, 2, 1, 3]), [2, 5, 6])
  const [left, right] = [g.slice(mixed, 2, 0, 3), g.slice(mixed, 2, 3, 6)]
  const loss = g.add(g.mean(g.square(g.gelu(g.mul(g.tanh(left), right)))), g.mul(g.mean(g.logSumExp(mixed, 2)), 1))
  const before = [loss, ...g.gradients(loss, [x!, w!, s!, b!])]
  const after = optimise(before)
  expect(names(after).length).toBeLessThan(names(before).length)
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      Float32Array.from(
        ragged(
          shape.reduce((p, n) => p * n, 1),
          i,
        ),
      ),
    ]),
  )
  const [want, got] = [await evaluate(before, feeds), await evaluate(after, feeds)]
  for (const [i, values] of want.entries()) {
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(1e-4)
    for (const [j, value] of values.entries()) expect(got[i]![j]!).toBeCloseTo(value, 5)
  }
})

test('the gradient of an attention has no sum over its large matrices', () => {
  const [q, k, v] = ['q', 'k', 'v'].map((name) => g.input(name, [2, 50, 4]))
  const weights = g.softmax(g.matmul(q!, g.swapLast(k!)))
  const all = optimise(g.gradients(g.sum(g.square(g.matmul(weights, v!))), [q!, k!, v!]))
  const sums = topologicalOrder(all).filter(({ operation }) => operation.name === 'sum')
  expect(sums.map(({ inputs }) => inputs[0].shape)).toEqual([[2, 50, 4]])
})

test('a product with another transpose is not taken for an attention', async () => {
  const [x, w] = [g.input('x', [2, 2, 2]), g.input('w', [2, 2, 2])]
  const loss = g.sum(g.square(g.matmul(g.softmax(x), g.transpose(w, [1, 2, 0]))))
  const hidden = g.sum(g.square(g.matmul(g.softmax(x), g.add(g.transpose(w, [1, 2, 0]), g.input('zero', [1])))))
  const feeds = { x: Float32Array.from(ragged(8)), w: Float32Array.from(ragged(8, 1)), zero: new Float32Array(1) }
  const [got] = await evaluate(g.gradients(loss, [x]), feeds)
  const [want] = await evaluate(g.gradients(hidden, [x]), feeds)
  for (const [i, value] of want!.entries()) expect(got![i]).toBeCloseTo(value, 5)
})

test('gradients of parts are joined, not padded and added', () => {
  const x = g.input('x', [4, 9])
  const parts = [0, 3, 6].map((start) => g.slice(x, 1, start, start + 3))
  const [gradient] = optimise(g.gradients(g.sum(g.mul(g.mul(parts[0]!, parts[1]!), parts[2]!)), [x]))
  expect(names([gradient!])).not.toContain('pad')
  expect(tally([gradient!], 'concat')).toBe(1)
})

describe('verifying', () => {
  const x = g.input('x', [2, 3])
  const forged = (node: Tensor, shape: number[], inputs: readonly Tensor[] = node.inputs) =>
    new Tensor(node.operation, inputs as Operands<Tensor>, node.attributes, shape, node.dtype)

  test('names the operation, its shapes and the pass at fault', () => {
    expect(() => verify([forged(g.exp(x), [3, 2])], 'merging')).toThrow(
      'graph after merging: exp of shape [3,2] should have shape [2,3]',
    )
    expect(() => verify([forged(g.exp(x), [2, 3], [undefined as unknown as Tensor])], 'merging')).toThrow('dangling')
    expect(() => verify([new Tensor(x.operation, x.inputs, x.attributes, [2, 3], 'i32')], 'tracing')).toThrow(
      'has dtype i32, should have f32',
    )
  })

  test('finds a cycle', () => {
    const inputs: Tensor[] = [x, x]
    const node = forged(g.add(x, x), [2, 3], inputs)
    inputs[1] = g.exp(node)
    expect(() => verify([node], 'merging')).toThrow('cycle')
  })

  test('finds an operation that is not in the table', () => {
    const node = g.exp(x)
    expect(() => verify([new Tensor({ ...node.operation }, node.inputs, {}, node.shape, 'f32')], 'tracing')).toThrow(
      'table',
    )
  })
})
