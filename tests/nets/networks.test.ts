/** @file What batching, sharing and several samples a state must not change; the golden cases hold the numbers themselves. */
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { constant, mul, slice, squeeze, stack, type Tensor } from '../../src/graph/index.ts'
import {
  block,
  CONRFT_SCHEDULE,
  conditioning,
  consistencySchedule,
  critic,
  criticLayout,
  denoiser,
  headLayout,
  type Layout,
  noiseActorLayout,
  type Parameters,
  policyOf,
  pooledFeatures,
  poolPrefix,
  refinementLayout,
  refinementMean,
  shapesOf,
  spatialEmbedding,
  spatialLayout,
} from '../../src/nets/index.ts'
import { loadSet, loadTensors } from '../learn/golden/set.ts'
import { distance, evaluate, normal, randomParameters, valuesOf } from './evaluate.ts'

const critics = { tasks: 2, members: 3, features: 6, proprio: 4, actions: 7, projection: 5, width: 8, depth: 2 }
const head = { embedding: 6, proprio: 4, projection: 3, actions: 7, timeWidth: 16, timeHidden: 32, width: 8, depth: 2 }

/** Index i of axis 0, which disappears. */
const at = (x: Tensor, i: number) => squeeze(slice(x, 0, i, i + 1), 0)

/** The parameters of one task, its axis kept. */
const ofTask = (parameters: Parameters, task: number): Parameters =>
  Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, slice(tensor, 0, task, task + 1)]))

describe('critics', () => {
  const parameters = randomParameters(criticLayout(critics), 1)
  const state = { features: normal(2, 2, 5, 6), proprio: normal(3, 2, 5, 4) }
  const stateOf = (task: number) => ({
    features: slice(state.features, 0, task, task + 1),
    proprio: slice(state.proprio, 0, task, task + 1),
  })

  it('judge a batch of all tasks as each task on its own', async () => {
    const actions = normal(4, 2, 5, 7)
    const own = (task: number) => critic(ofTask(parameters, task), stateOf(task), slice(actions, 0, task, task + 1))
    const { together, first, second } = await evaluate({
      together: critic(parameters, state, actions),
      first: own(0),
      second: own(1),
    })
    expect(together).toHaveLength(2 * 3 * 5)
    expect(distance(together, [...first, ...second])).toBeLessThan(1e-6)
  })

  it('judge several actions a state as one action at a time', async () => {
    const actions = normal(5, 2, 5, 4, 7)
    const sample = (n: number) => squeeze(slice(actions, 2, n, n + 1), 2)
    const single = [0, 1, 2, 3].map((n) => critic(parameters, state, sample(n)))
    const { many, stacked } = await evaluate({ many: critic(parameters, state, actions), stacked: stack(single, 3) })
    expect(many).toHaveLength(2 * 3 * 5 * 4)
    expect(distance(many, stacked)).toBeLessThan(2e-6)
  })

  it('judge one batch with the critics of every task when its task axis is 1', async () => {
    const [one, actions] = [stateOf(0), normal(6, 1, 5, 7)]
    const { shared, second } = await evaluate({
      shared: critic(parameters, one, actions),
      second: critic(ofTask(parameters, 1), one, actions),
    })
    expect(shared).toHaveLength(2 * 3 * 5)
    expect(distance(shared.slice(15), second)).toBeLessThan(1e-6)
  })
})

describe('consistency head', () => {
  it('maps several noises a state as one noise at a time', async () => {
    const parameters = randomParameters(headLayout(head), 10)
    const policy = policyOf(denoiser(parameters), consistencySchedule(CONRFT_SCHEDULE))
    const h = conditioning(parameters, normal(11, 5, 6), normal(12, 5, 4))
    const w = normal(13, 5, 3, 7)
    const single = [0, 1, 2].map((n) => policy(squeeze(slice(w, 1, n, n + 1), 1), h))
    const { many, stacked } = await evaluate({ many: policy(w, h), stacked: stack(single, 1) })
    expect(many).toHaveLength(5 * 3 * 7)
    expect(distance(many, stacked)).toBeLessThan(2e-6)
  })

  it('refuses a schedule whose scales are out of order', () => {
    expect(() => consistencySchedule({ ...CONRFT_SCHEDULE, sigmaMax: 0.001 })).toThrow('0 < sigmaMin < sigmaMax')
  })
})

describe('spatial embeddings', () => {
  const sizes = { cameras: 2, channels: 3, space: 4, embeddings: 5, bottleneck: 6 }

  it('weigh each camera, channel and place by its own number', async () => {
    const parameters = randomParameters(spatialLayout(sizes, [2]), 20)
    const maps = normal(21, 2, 3, 2, 3, 4)
    const { map, kernel, embedding } = await evaluate({
      map: mul(maps, 1),
      kernel: mul(parameters['spatial.kernel']!, 1),
      embedding: spatialEmbedding(parameters, maps),
    })
    const expected: number[] = []
    for (let task = 0; task < 2; task++)
      for (let sample = 0; sample < 3; sample++)
        for (let camera = 0; camera < 2; camera++)
          for (let channel = 0; channel < 3; channel++)
            for (let k = 0; k < 5; k++) {
              let total = 0
              for (let place = 0; place < 4; place++) {
                const feature = map[(((task * 3 + sample) * 2 + camera) * 3 + channel) * 4 + place]!
                total += feature * kernel[(((task * 2 + camera) * 3 + channel) * 4 + place) * 5 + k]!
              }
              expected.push(total)
            }
    expect(distance(embedding, expected)).toBeLessThan(1e-5)
  })

  it('pool one batch for every task when its task axis is 1', async () => {
    const parameters = randomParameters(spatialLayout(sizes, [2]), 22)
    const maps = normal(23, 1, 3, 2, 3, 4)
    const { all, second } = await evaluate({
      all: pooledFeatures(parameters, maps),
      second: pooledFeatures(ofTask(parameters, 1), maps),
    })
    expect(distance(all.slice(3 * 6), second)).toBeLessThan(1e-5)
  })

  it('pool without a task axis for the refinement actor', async () => {
    const tasks = randomParameters(spatialLayout(sizes, [1]), 24)
    const alone = Object.fromEntries(Object.entries(tasks).map(([name, tensor]) => [name, at(tensor, 0)]))
    const maps = normal(25, 3, 2, 3, 4)
    const { own, reference } = await evaluate({
      own: pooledFeatures(alone, maps),
      reference: pooledFeatures(tasks, stack([maps], 0)),
    })
    expect(distance(own, reference)).toBeLessThan(1e-6)
  })
})

describe('prefix pooling', () => {
  it('refuses a row without a valid step', () => {
    const ones = new Float32Array(8).fill(1)
    expect(() => poolPrefix(ones, ones, [1, 0, 0, 0], 2)).toThrow('prefix mask row 1: has no valid step')
  })
})

describe('layouts', () => {
  const golden = loadSet(resolve(import.meta.dirname, '../fixtures/losses'))
  const shapesIn = (id: string, net: string) => {
    const tensors = loadTensors(golden, golden.cases.find((one) => one.id === id)!)
    const own = Object.entries(tensors).filter(([name]) => name.startsWith(`param/${net}.`))
    return Object.fromEntries(own.map(([name, { shape }]) => [name.slice(`param/${net}.`.length), shape]))
  }
  const without = (layout: Layout, prefix: string) =>
    Object.fromEntries(Object.entries(shapesOf(layout)).filter(([name]) => !name.startsWith(prefix)))
  const common = { features: 24, proprio: 9, actions: 7, projection: 16, width: 32, depth: 2 }

  it('name and shape the parameters as the golden files do', () => {
    const alone = criticLayout({ ...common, tasks: 1, members: 1 })
    const ownerless = Object.fromEntries(Object.entries(shapesOf(alone)).map(([name, shape]) => [name, shape.slice(2)]))
    expect(ownerless).toEqual(shapesIn('critic-forward', 'critic.m0'))
    const whole = headLayout({ ...common, embedding: 8, timeWidth: 16, timeHidden: 32 }) // [8, 16 projected] = h of 24
    expect(without(whole, 'proprio')).toEqual(shapesIn('head-one-step', 'head'))
    expect(shapesOf(refinementLayout({ ...common, text: 20 }))).toEqual(shapesIn('refine-forward', 'refine'))
    expect(shapesOf(noiseActorLayout(common))).toEqual(shapesIn('baseline-dsrl-actor', 'noise_actor'))
  })

  it('start kernels with variance 1 / inputs, scales at 1 and biases at 0', () => {
    const values = valuesOf(criticLayout({ ...critics, width: 64 }), 30)
    const kernel = values['trunk.1.dense.kernel']!
    const variance = kernel.reduce((total, value) => total + value ** 2, 0) / kernel.length
    expect(variance * 64).toBeGreaterThan(0.97)
    expect(variance * 64).toBeLessThan(1.03)
    expect(new Set(values['trunk.1.norm.scale'])).toEqual(new Set([1]))
    expect(new Set(values['out.bias'])).toEqual(new Set([0]))
  })

  it('give members different values, and one seed the same ones', () => {
    const [first, again] = [valuesOf(criticLayout(critics), 31), valuesOf(criticLayout(critics), 31)]
    const kernel = first['out.kernel']! // [2, 3, 8, 1]
    expect(kernel).toEqual(again['out.kernel'])
    expect(kernel.slice(0, 8)).not.toEqual(kernel.slice(8, 16))
  })

  it('start the refinement actor near "do nothing"', async () => {
    const layout = refinementLayout({ ...common, text: 20 })
    const values = valuesOf(layout, 32)
    const started = Object.fromEntries(
      Object.entries(layout).map(([name, { shape }]) => [name, constant(values[name]!, shape)]),
    )
    const { m } = await evaluate({ m: refinementMean(started, normal(33, 16, 24), normal(34, 16, 20), 3) })
    expect(Math.max(...m.map(Math.abs))).toBeLessThan(0.1)
  })

  it('are missed by name when a parameter is absent', () => {
    expect(() => block({}, 'trunk.0', normal(0, 2, 3))).toThrow('parameter trunk.0.dense.kernel: is not in this group')
  })
})
