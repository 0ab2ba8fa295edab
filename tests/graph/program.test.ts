/** @file Compiled programs: outputs land in place, runs repeat exactly, and mistakes are told apart. */

import ort from 'onnxruntime-node'
import { describe, expect, test, vi } from 'vitest'
import * as g from '../../src/graph/index.ts'
import { ragged } from './reference.ts'

describe('errors of tracing name operation and shapes', () => {
  const x = g.input('x', [2, 3])
  const cases: [string, () => unknown, string][] = [
    [
      'add',
      () => g.add(x, g.input('y', [4])),
      'add: operand 1 is [4], expected [something that broadcasts with [2,3] and [4]]',
    ],
    ['matmul', () => g.matmul(x, g.input('y', [4, 5])), 'matmul: operand 1 is [4,5], expected [...,3,5]'],
    ['reshape', () => g.reshape(x, [4, -1]), 'reshape: operand is [2,3], expected [4 elements, to become [4,-1]]'],
    ['concat', () => g.concat([x, g.input('y', [3, 3])], 1), 'concat: operand 1 is [3,3], expected [2,any]'],
    ['slice', () => g.slice(x, 1, 2, 5), 'slice of [2,3]: takes 2..5 of axis 1'],
    ['sum', () => g.sum(x, 2), 'sum of [2,3]: has no axis 2. Give -2..1.'],
    ['transpose', () => g.transpose(x, [0, 0]), 'transpose of [2,3]: has perm [0,0]'],
    [
      'layerNorm',
      () => g.layerNorm(x, g.constant([1, 1]), g.constant([0, 0, 0])),
      'layerNorm: scale is [2], expected [...,3]',
    ],
    ['gather', () => g.gather(x, x), 'gather (indices): operand 0 of shape [2,3]: has dtype f32, expected i32'],
    ['where', () => g.where(x, x, x), 'where: operand 0 of shape [2,3]: has dtype f32, expected bool'],
    ['mul', () => g.mul(x, g.input('i', [3], 'i32')), 'mul: operand 1: has dtype i32, operand 0 has f32'],
    ['constant', () => g.constant([1, 2, 3], [2]), 'constant: shape is [2], expected [3 elements]'],
    ['input', () => g.input('y', [0, 2]), 'input y: shape is [0,2]'],
    ['gradients', () => g.gradients(x, [x]), 'gradients: loss is [2,3], expected [a scalar]'],
    ['patches', () => g.patches(g.input('y', [1, 5, 4, 3]), 2), 'patches: image is [1,5,4,3]'],
    ['expand', () => g.expand(x, [3, 3]), 'expand: operand 1 is [3,3]'],
    ['clip', () => g.clip(x, 1, 0), 'clip: has limits 1 and 0'],
    ['straightThrough', () => g.straightThrough(x, g.constant(1)), 'straightThrough: value is [2,3], expected []'],
  ]
  test.each(cases)('%s', (_, trace, message) => {
    expect(trace).toThrow(message)
  })
})

function network() {
  const store = new g.ParameterStore({
    net: { tensors: { 'dense.kernel': [3, 4], 'dense.bias': [4], unused: [2] }, trained: true, target: true },
  })
  store.flat('net').set(ragged(18))
  store.flat('net', 'target').set(ragged(18, 3))
  const dense = (kind: 'value' | 'target') => {
    const parameters = store.tensors('net', kind)
    return g.add(g.matmul(g.input('x', [5, 3]), parameters['dense.kernel']!), parameters['dense.bias']!)
  }
  return { store, dense }
}

test('gradients land in the memory of the store, zeros where unconnected, with no detour', async () => {
  const { store, dense } = network()
  const y = dense('value')
  const program = await g.compile({
    name: 'step',
    outputs: { y },
    gradients: [{ store, group: 'net', loss: g.sum(y) }],
  })
  store.flat('net', 'gradient').fill(99)
  program.set('x', ragged(15))
  await program.run()
  const columns = [0, 1, 2].map((k) => [0, 1, 2, 3, 4].reduce((sum, row) => sum + ragged(15)[row * 3 + k]!, 0))
  const want = [...columns.flatMap((value) => [value, value, value, value]), 5, 5, 5, 5, 0, 0]
  for (const [i, value] of store.flat('net', 'gradient').entries()) expect(value).toBeCloseTo(want[i]!, 5)

  // A changed parameter is seen without anything being handed over.
  const before = program.outputs.y![0]
  store.view('net', 'dense.bias')[0]! += 1
  await program.run()
  expect(program.outputs.y![0]).toBeCloseTo(before! + 1, 5)
  await program.release()
})

test('the runtime writes into preallocated views, even of a WebAssembly memory', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const view = new Float32Array(memory.buffer as ArrayBuffer, 68, 3)
  const program = await g.compile({ name: 'double', outputs: { y: g.mul(g.input('x', [3]), 2) } })
  const session = await ort.InferenceSession.create(program.onnx)
  const fetch = new ort.Tensor('float32', view, [3])
  await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2, 3), [3]) }, { y: fetch })
  expect([...new Float32Array(memory.buffer, 64, 5)]).toEqual([0, 2, 4, 6, 0])
  await session.release()

  const { inputs, outputs } = program
  const { y } = outputs
  inputs.x!.set([4, 5, 6])
  await program.run()
  expect(program.outputs.y).toBe(y)
  expect([...y!]).toEqual([8, 10, 12])
  await program.release()
})

test('a run that gives gradients leaves the runtime no result to copy, and its mistakes are still heard', async () => {
  const store = new g.ParameterStore({ net: { tensors: { w: [4] }, trained: true } })
  store.flat('net').set([1, 2, 3, 4])
  const row = g.gather(store.tensors('net').w!, g.input('row', [1], 'i32'))
  const loss = g.sum(g.square(row))
  const program = await g.compile({ name: 'picks', outputs: { loss }, gradients: [{ store, group: 'net', loss }] })
  const run = vi.spyOn((ort.InferenceSession as unknown as { prototype: ort.InferenceSession }).prototype, 'run')
  program.set('row', [2])
  await program.run()
  expect([program.outputs.loss![0], ...store.flat('net', 'gradient')]).toEqual([9, 0, 0, 6, 0])
  await expect(run.mock.results[0]!.value).rejects.toThrow('Non tensor type')
  run.mockRestore()
  program.set('row', [7])
  await expect(program.run()).rejects.toThrow('indices element out of data bounds')
  await program.release()
})

test('value and target of the same network are two parameters', async () => {
  const { dense } = network()
  const [value, target] = await Promise.all(
    (['value', 'target'] as const).map((kind) => g.compile({ name: kind, outputs: { y: dense(kind) } })),
  )
  for (const [program, phase] of [
    [value!, 0],
    [target!, 3],
  ] as const) {
    program.set('x', [1, 0, 0, ...new Array<number>(12).fill(0)])
    await program.run()
    const flat = ragged(18, phase)
    for (let i = 0; i < 4; i++) expect(program.outputs.y![i]).toBeCloseTo(flat[i]! + flat[12 + i]!, 5)
    await program.release()
  }
})

test('repeated runs, and a second compilation, give the same bits', async () => {
  const trace = async () => {
    const store = new g.ParameterStore({ net: { tensors: { w: [64, 64], table: [9, 64] }, trained: true } })
    store.flat('net').set(ragged(73 * 64))
    const { w, table } = store.tensors('net')
    const x = g.add(g.input('x', [8, 16, 64]), g.gather(table!, g.input('tokens', [8, 16], 'i32')))
    const h = g.softmax(g.matmul(x, w!))
    const program = await g.compile({
      name: 'step',
      outputs: { h },
      gradients: [{ store, group: 'net', loss: g.mean(g.square(g.matmul(h, g.swapLast(x)))) }],
      threads: 2,
    })
    program.set('x', ragged(8 * 16 * 64, 1))
    program.set(
      'tokens',
      Array.from({ length: 128 }, (_, i) => (i * 7) % 9),
    )
    return { program, gradient: store.flat('net', 'gradient') }
  }
  const first = await trace()
  const second = await trace()
  expect(Buffer.compare(first.program.onnx, second.program.onnx)).toBe(0)
  await first.program.run()
  const bits = first.gradient.slice()
  expect(bits.some((value) => value !== 0)).toBe(true)
  for (let i = 0; i < 5; i++) {
    await first.program.run()
    expect(first.gradient).toEqual(bits)
  }
  await second.program.run()
  expect(second.gradient).toEqual(bits)
  await Promise.all([first.program.release(), second.program.release()])
})

test('inputs without influence can still be written', async () => {
  const x = g.input('x', [2])
  const ignored = g.input('ignored', [3])
  const spare = g.input('spare', [4], 'i32')
  // The gradient of a sum does not depend on `ignored`, and no output on `spare`.
  const [y] = g.gradients(g.sum(g.concat([g.mul(x, 2), ignored], 0)), [x])
  const program = await g.compile({ name: 'partial', outputs: { y: y!, passed: x }, inputs: [ignored, spare] })
  program.set('x', [7, 8])
  program.set('ignored', [1, 2, 3])
  program.set('spare', [1, 2, 3, 4])
  await program.run()
  expect([...program.outputs.y!]).toEqual([2, 2])
  expect([...program.outputs.passed!]).toEqual([7, 8])
  await program.release()
})

test('one tensor under two names, a constant and a parameter are valid outputs', async () => {
  const store = new g.ParameterStore({ net: { tensors: { w: [2] } } })
  store.view('net', 'w').set([3, 4])
  const y = g.exp(g.input('x', [1]))
  const outputs = { a: y, b: y, c: g.constant([1, 2]), w: store.tensors('net').w! }
  const program = await g.compile({ name: 'outputs', outputs })
  program.set('x', [0])
  await program.run()
  expect(Object.values(program.outputs).map((values) => [...values])).toEqual([[1], [1], [1, 2], [3, 4]])
  await program.release()
})

describe('mistakes in compiling and feeding', () => {
  const x = g.input('x', [2, 3])
  test('are named', async () => {
    await expect(g.compile({ name: 'p', outputs: { y: g.greater(x, 0) } })).rejects.toThrow(
      'p: output y: has dtype bool',
    )
    await expect(g.compile({ name: 'p', outputs: { y: g.add(x, g.input('x', [2, 3])) } })).rejects.toThrow(
      'p: input x: exists twice',
    )
    await expect(g.compile({ name: 'p', outputs: { x: g.exp(x) } })).rejects.toThrow(
      'p: output x: has the name of an input',
    )
    const program = await g.compile({ name: 'p', outputs: { y: g.exp(x) } })
    expect(() => program.set('z', [1])).toThrow('p: has no input z. It has x.')
    expect(() => program.set('x', [1, 2])).toThrow('p: data for input x is [2], expected [6 values, for [2,3]]')
    await program.release()
  })

  test('a group without gradients, or asked twice', async () => {
    const store = new g.ParameterStore({ net: { tensors: { w: [2] }, trained: true }, frozen: { tensors: { v: [2] } } })
    const loss = g.sum(store.tensors('net').w!)
    const compile = (...groups: string[]) =>
      g.compile({ name: 'p', outputs: {}, gradients: groups.map((group) => ({ store, group, loss })) })
    await expect(compile('frozen')).rejects.toThrow('group frozen: has no gradient')
    await expect(compile('net', 'net')).rejects.toThrow('p: gradients of net: are asked for twice')
  })
})
