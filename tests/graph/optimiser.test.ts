/** @file The optimiser kernel and its plain twin: against golden numbers, and against each other. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ParameterStore } from '../../src/graph/index.ts'
import type { Optimiser } from '../../src/graph/optimiser.ts'
import { plainOptimiser } from '../../src/graph/optimiser-plain.ts'
import { ragged } from './reference.ts'

type Golden = Record<string, { shape: number[]; values: Float32Array }>

function golden(name: string): Golden {
  const folder = ['../../../shared/fixtures/losses', '../fixtures/losses']
    .map((path) => new URL(`${path}/${name}.safetensors`, import.meta.url))
    .find((url) => existsSync(url))
  if (!folder) throw new Error(`fixture ${name}.safetensors is missing from tests/fixtures/losses`)
  const bytes = readFileSync(folder)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >
  return Object.fromEntries(
    Object.entries(header)
      .filter(([key]) => key !== '__metadata__')
      .map(
        ([
          key,
          {
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const copy = Uint8Array.from(bytes.subarray(8 + length + from, 8 + length + to))
          return [key, { shape, values: new Float32Array(copy.buffer) }]
        },
      ),
  )
}

/** Entries below a prefix, keyed by the rest of their name. */
const below = (all: Golden, prefix: string): Golden =>
  Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
  )

/** The fixtures' rule, at the fifth of the tolerance that plain float32 code should need. */
function expectGolden(got: Float32Array, want: Float32Array, what: string) {
  const tolerance = (1e-4 * Math.max(...want.map(Math.abs)) + 1e-7) / 5
  expect(got.length).toBe(want.length)
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `${what}[${i}]`).toBeLessThanOrEqual(tolerance)
}

function storeOf(tensors: Golden, optimiser?: Optimiser): ParameterStore {
  const shapes = Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))
  const store = new ParameterStore({ net: { tensors: shapes, trained: true, target: true } }, optimiser)
  for (const [name, { values }] of Object.entries(tensors)) store.view('net', name).set(values)
  return store
}

for (const [kind, optimiser] of Object.entries({ kernel: undefined, plain: plainOptimiser }))
  describe(`${kind} optimiser`, () => {
    for (const [file, maxNorm] of [
      ['adam', undefined],
      ['adam-clipped', 1],
    ] as const)
      test(`golden ${file}`, () => {
        const all = golden(file)
        const store = storeOf(below(all, 'param/'), optimiser)
        for (let step = 0; step < 3; step++) {
          for (const [name, { values }] of Object.entries(below(all, `in/step${step}/`)))
            store.view('net', name, 'gradient').set(values)
          const { gradientNorm } = store.adam('net', { learningRate: 3e-4, maxNorm })
          for (const [run, prefix] of [
            ['value', `out/step${step}/param/`],
            ['moment1', `mid/step${step}/m/`],
            ['moment2', `mid/step${step}/v/`],
          ] as const)
            for (const [name, { values }] of Object.entries(below(all, prefix)))
              expectGolden(store.view('net', name, run), values, `step ${step} ${run} ${name}`)
          const norm = all[`mid/step${step}/norm`]
          if (norm) expect(gradientNorm).toBeCloseTo(norm.values[0]!, 5)
        }
        expect(store.steps.net).toBe(3)
      })

    test('golden clip-global-norm, seen through the first moment', () => {
      const all = golden('clip-global-norm')
      for (const which of ['above', 'below', 'zero']) {
        const inputs = below(all, `in/${which}/`)
        const store = storeOf(inputs, optimiser)
        for (const [name, { values }] of Object.entries(inputs)) store.view('net', name, 'gradient').set(values)
        const { gradientNorm } = store.adam('net', { learningRate: 1, beta1: 0, maxNorm: 1 })
        expect(gradientNorm).toBeCloseTo(all[`out/${which}/norm`]!.values[0]!, 4)
        for (const name of Object.keys(inputs))
          expectGolden(store.view('net', name, 'moment1'), all[`out/${which}/${name}`]!.values, `${which} ${name}`)
      }
    })

    test('golden polyak', () => {
      const all = golden('polyak')
      const store = storeOf(below(all, 'param/online.'), optimiser)
      for (const [name, { values }] of Object.entries(below(all, 'param/target.')))
        store.view('net', name, 'target').set(values)
      for (let update = 0; update < 3; update++) {
        store.polyak('net', 0.005)
        for (const [name, { values }] of Object.entries(below(all, `out/update${update}/`)))
          expectGolden(store.view('net', name, 'target'), values, `update ${update} ${name}`)
      }
      store.polyak('net', 1)
      expect(store.flat('net', 'target')).toEqual(store.flat('net', 'value'))
    })
  })

describe('kernel against its twin', () => {
  // Lengths with and without a remainder after groups of four.
  test.each([1, 3, 4, 7, 64, 1001])('%i values, ten steps with clip and target', (length) => {
    const spec = { net: { tensors: { w: [length] }, trained: true, target: true } }
    const stores = [new ParameterStore(spec), new ParameterStore(spec, plainOptimiser)]
    for (let step = 0; step < 10; step++) {
      const [kernel, plain] = stores.map((store) => {
        if (step === 0) store.view('net', 'w').set(ragged(length))
        store.view('net', 'w', 'gradient').set(ragged(length, step + 1))
        return store.adam('net', { learningRate: 1e-2, maxNorm: step % 2 ? 0.5 : undefined, targetRate: 0.1 })
      })
      expect(kernel!.gradientNorm / plain!.gradientNorm).toBeCloseTo(1, 6)
    }
    for (const kind of ['value', 'moment1', 'moment2', 'target'] as const) {
      const [kernel, plain] = stores.map((store) => store.flat('net', kind))
      for (let i = 0; i < length; i++) expect(Math.abs(kernel![i]! - plain![i]!), `${kind}[${i}]`).toBeLessThan(2e-6)
    }
    expect(stores[0]!.flat('net', 'target')).not.toEqual(new Float32Array(length))
  })

  test('the target rests where no rate is given, and neighbours in memory are left alone', () => {
    const store = new ParameterStore({
      before: { tensors: { w: [5] } },
      net: { tensors: { w: [5] }, trained: true, target: true },
      after: { tensors: { w: [5] } },
    })
    for (const group of store.names) store.view(group, 'w').fill(2)
    store.view('net', 'w', 'gradient').fill(1)
    store.adam('net', { learningRate: 0.1 })
    expect(store.flat('net', 'target')).toEqual(new Float32Array(5))
    expect(store.flat('before')).toEqual(new Float32Array(5).fill(2))
    expect(store.flat('after')).toEqual(new Float32Array(5).fill(2))
    for (const value of store.flat('net')) expect(value).toBeCloseTo(1.9, 6)
  })
})

describe('parameter store', () => {
  const store = new ParameterStore({
    net: { tensors: { w: [2, 3], b: [3] }, trained: true },
    frozen: { tensors: { e: [4] } },
  })

  test('views of one run are contiguous, in order, and all of one memory', () => {
    store.view('net', 'w').fill(1)
    store.view('net', 'b').fill(2)
    expect([...store.flat('net')]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2])
    for (const kind of ['value', 'gradient', 'moment1', 'moment2'] as const)
      expect(store.flat('net', kind).buffer).toBe(store.memory.buffer)
    expect(store.shapes('net')).toEqual({ w: [2, 3], b: [3] })
    expect(store.kinds('net')).toEqual(['value', 'gradient', 'moment1', 'moment2'])
    expect(store.kinds('frozen')).toEqual(['value'])
  })

  test('says what is missing', () => {
    expect(() => store.view('net', 'x')).toThrow('group net: has no tensor x. It has w, b.')
    expect(() => store.flat('other')).toThrow('has no group other. It has net, frozen.')
    expect(() => store.adam('frozen', { learningRate: 1 })).toThrow(
      'group frozen: has no gradient. Declare it with trained: true.',
    )
    expect(() => store.tensors('net', 'target')).toThrow('Declare it with target: true.')
  })

  test('gives the same leaves at each call', () => {
    expect(store.tensors('net').w).toBe(store.tensors('net').w)
  })
})
