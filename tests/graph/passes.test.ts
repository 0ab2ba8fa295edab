/** @file The passes keep values and remove what they should; the verifier catches what is unsound. */

import ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import * as g from '../../src/graph/index.ts'
import { mergeEqual } from '../../src/graph/passes/merge.ts'
import { optimise } from '../../src/graph/passes/optimise.ts'
import { simplify } from '../../src/graph/passes/simplify.ts'
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
