/** @file Every method on the same small problem: what it trains, what it leaves alone, and that it goes on as it stopped. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import { actorLayouts, METHODS, type MethodName } from '../../src/learn/actors.ts'
import { LEARNER_FILE, readGroup, readPolicy } from '../../src/learn/checkpoint.ts'
import { LearnerConfig } from '../../src/learn/config.ts'
import { CriticJudge } from '../../src/learn/judge.ts'
import { Learner, type LearnerOptions, methodGroups } from '../../src/learn/learner.ts'
import { methods } from '../../src/learn/methods.ts'
import type { Phase, UpdateFigures } from '../../src/learn/phase.ts'
import { Policy } from '../../src/learn/policy.ts'
import { each, figureCharts } from '../../src/metrics/figure.ts'
import type { Layout } from '../../src/nets/index.ts'
import { takeModelsAsWritten } from './as-written.ts'
import { aReplay, commands, network, options, sizes, tasks } from './problem.ts'

takeModelsAsWritten()

const folder = () => mkdtempSync(join(tmpdir(), 'duet-methods-'))

/** Settings in which everything that the methods share is at work. */
const shared = LearnerConfig.parse({
  batch: 32,
  learningRate: 3e-3,
  conservativeSamples: 2,
  noiseGain: 0.2,
  cloningSteps: 1,
  inputNoise: 0.1,
  interventionShare: 0.5,
  actorAverage: 0.1,
  refinement: { batch: 8, startAfter: 1, obedience: 1 },
})

const of = (method: MethodName, changes: Partial<LearnerOptions> = {}) =>
  options({ method, learner: shared, ...changes })

async function learn(learner: Learner, ...phases: Phase[]): Promise<UpdateFigures[]> {
  const figures: UpdateFigures[] = []
  for (const phase of phases) figures.push(await learner.update(phase))
  return figures
}

const MIXED: Phase[] = ['warm-up', 'warm-up', 'online', 'online']

type Trained = { learner: Learner; figures: UpdateFigures[]; directory: string }

/** Trained from the same seed, and saved. */
async function train(method: MethodName, changes: Partial<LearnerOptions> = {}, replay = aReplay()): Promise<Trained> {
  const learner = await Learner.create(of(method, changes), replay)
  const figures = await learn(learner, ...MIXED)
  const directory = folder()
  await learner.save(directory)
  return { learner, figures, directory }
}

const known = new Map<MethodName, Promise<Trained>>()

/** The method's run on the common settings, trained once for all tests; one of them trains its learner on. */
function trained(method: MethodName): Promise<Trained> {
  if (!known.has(method)) known.set(method, train(method))
  return known.get(method)!
}

const criticLayoutOf = (method: MethodName) =>
  methodGroups(method, { sizes, tasks: tasks.length, batchPerTask: 16, learner: shared }).critic!.layout

const criticOf = (directory: string, method: MethodName) => readGroup(directory, 'critic', criticLayoutOf(method))

/** The head that acts, from the checkpoint. */
const headOf = async ({ directory }: Trained) => (await readPolicy(directory, actorLayouts(sizes, 'single'))).head

const seen = {
  h: new Float32Array(6).fill(0.3),
  features: [new Float32Array(24).fill(0.1)],
  proprio: new Float32Array(4),
}

/** Q of one sample in plain arithmetic, mean of the members; the layout names every tensor. */
function plainQ(
  values: Float32Array,
  layout: Layout,
  task: number,
  { features, proprio }: typeof seen,
  action: number[],
) {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>()
  let at = 0
  for (const [name, { shape }] of Object.entries(layout)) {
    const size = shape.reduce((a, b) => a * b, 1)
    tensors.set(name, { shape, data: values.subarray(at, (at += size)) })
  }
  /** The part of a tensor that belongs to the owners. */
  const own = (name: string, owners: number[]) => {
    const { shape, data } = tensors.get(name)!
    const size = shape.slice(owners.length).reduce((a, b) => a * b, 1)
    const index = owners.reduce((sum, owner, axis) => sum * shape[axis]! + owner, 0)
    return data.subarray(index * size, (index + 1) * size)
  }
  const dense = (name: string, x: number[], owners: number[]) => {
    const [kernel, bias] = [own(`${name}.kernel`, owners), own(`${name}.bias`, owners)]
    return Array.from(bias, (b, j) => x.reduce((sum, value, i) => sum + value * kernel[i * bias.length + j]!, b))
  }
  const block = (name: string, x: number[], owners: number[]) => {
    const y = dense(`${name}.dense`, x, owners)
    const mean = y.reduce((a, b) => a + b) / y.length
    const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length
    const [scale, bias] = [own(`${name}.norm.scale`, owners), own(`${name}.norm.bias`, owners)]
    return y.map((value, i) => Math.tanh(((value - mean) / Math.sqrt(variance + 1e-6)) * scale[i]! + bias[i]!))
  }
  const { cameras, channels, space, network } = sizes
  const kernel = own('spatial.kernel', [task])
  const pooled: number[] = []
  for (let camera = 0; camera < cameras; camera++)
    for (let channel = 0; channel < channels; channel++)
      for (let k = 0; k < network.spatialEmbeddings; k++) {
        let sum = 0
        for (let s = 0; s < space; s++)
          sum +=
            features[0]![(camera * space + s) * channels + channel]! *
            kernel[((camera * channels + channel) * space + s) * network.spatialEmbeddings + k]!
        pooled.push(sum)
      }
  const image = block('spatial.bottleneck', pooled, [task])
  const members = Array.from({ length: network.members }, (_, member) => {
    const owners = [task, member]
    const joined = [...image, ...block('proprio', [...proprio], owners), ...block('action', action, owners)]
    return dense('out', block('trunk.1', block('trunk.0', joined, owners), owners), owners)[0]!
  })
  return members.reduce((a, b) => a + b) / members.length
}

describe.each(METHODS)('%s', (method) => {
  it('trains, goes on from a checkpoint as if it had never stopped, and acts as it was published', async () => {
    const { learner: unbroken, directory, figures } = await trained(method)
    for (const update of figures)
      for (const norm of Object.values(each(update.figures, 'gradientNorm'))) expect(norm).toBeGreaterThan(0)
    const resumed = await Learner.create(of(method, { seed: 77 }), aReplay())
    await resumed.load(directory)
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
    expect(await learn(resumed, 'online', 'online')).toEqual(await learn(unbroken, 'online', 'online'))
    expect(resumed.actorParameters()).toEqual(unbroken.actorParameters())
    const later = folder()
    await resumed.save(later)

    const policy = await Policy.create(sizes, commands, method)
    policy.setParameters(resumed.actorParameters())
    const xi = new Float32Array(7).fill(0.5)
    const action = await policy.primary(seen, xi)
    policy.setParameters(await readPolicy(later, actorLayouts(sizes, method)))
    expect(await policy.primary(seen, xi)).toEqual(action)
    expect(action.every((a) => Math.abs(a) <= 1)).toBe(true)
    expect(await policy.primary(seen, new Float32Array(7))).not.toEqual(action)
    if (method === 'dual') expect(policy.followsCommands).toBe(true)
    else await expect(policy.refined(seen, 'move left', xi)).rejects.toThrow('has no refinement actor')
  })
})

describe('the figures of a method', () => {
  it.each(METHODS)('of %s are declared, each with a chart, and all of them are measured', async (method) => {
    const declared = methods[method].figures
    const moved = { sizes: { ...sizes, network: { ...network, criticsMove: 'noise' as const } } } // of ours, the other half
    const ranked = { learner: { ...options().learner, ranking: { weight: 1, slope: 0.1 } } }
    const runs = [await trained(method), await train(method, ranked)]
    if (['dual', 'single'].includes(method)) runs.push(await train(method, { ...moved, ...ranked }))
    const measured = runs.flatMap((run) => run.figures.map(({ figures }) => figures))
    const charts = figureCharts(declared, measured)
    const drawn = charts.flatMap(({ lines }) => lines.map(({ key }) => key))
    expect(new Set(drawn)).toEqual(new Set(measured.flatMap((figures) => Object.keys(figures))))
    const titles = new Set(declared.map(({ chart }) => chart))
    expect(charts.filter(({ title }) => !titles.has(title))).toEqual([]) // a chart of no declaration holds what nothing declares
    const silent = declared.filter(({ name }) => !drawn.some((key) => key === name || key.startsWith(`${name}.`)))
    const later = ['critic.rank', 'critic.rankElsewhere', 'refine.response'] // measured with every 50th update alone
    const off = 'refine.obedience' // in these settings
    expect(silent.map(({ name }) => name).filter((name) => name !== off && !later.includes(name))).toEqual([])
  })
})

describe('single', () => {
  it('is ours to the last bit, but for the refinement actor', async () => {
    const ours = await trained('dual')
    const single = await trained('single')
    const ofRefinement = (name: string) => /refine|meanMu/.test(name)
    const withoutRefinement = ours.figures.map(({ figures, ...rest }) => ({
      ...rest,
      figures: Object.fromEntries(Object.entries(figures).filter(([name]) => !ofRefinement(name))),
    }))
    expect(ours.figures.every(({ figures }) => Object.keys(figures).some(ofRefinement))).toBe(true)
    expect(single.figures).toEqual(withoutRefinement)
    expect(await headOf(single)).toEqual(await headOf(ours))
    expect(await criticOf(single.directory, 'single')).toEqual(await criticOf(ours.directory, 'dual'))
  })
})

describe('HG-DAgger', () => {
  it('does not look at rewards, where ours does', async () => {
    const unrewarded = (method: MethodName) => train(method, {}, aReplay({ reward: 0 }))
    expect(await headOf(await unrewarded('hg-dagger'))).toEqual(await headOf(await trained('hg-dagger')))
    expect(await headOf(await unrewarded('single'))).not.toEqual(await headOf(await trained('single')))
  })

  it('takes as many steps of the head as ours in one update', async () => {
    const steps = async (method: MethodName) => {
      const { metadata } = await readSafetensors(join((await trained(method)).directory, LEARNER_FILE))
      return JSON.parse(metadata.state!).steps.head
    }
    expect(await steps('hg-dagger')).toBe(8) // 4 updates, each of a cloning step and a joint step
    expect(await steps('dual')).toBe(8)
  })
})

const samples = [0, 1].map((k) => ({
  seen: {
    h: seen.h,
    features: [seen.features[0]!.map((x, i) => x * Math.sin(i + k))],
    proprio: seen.proprio.map((_, i) => 0.1 * i - k),
  },
  action: Float32Array.from({ length: 7 }, (_, i) => Math.cos(3 * i + k)),
}))

describe('the judge', () => {
  it("tells each sample's Q by its own task's critics", async () => {
    const { directory } = await trained('dual')
    const judge = await CriticJudge.load(directory, of('dual'))
    const values = await criticOf(directory, 'dual')
    const layout = criticLayoutOf('dual')
    const asked = Array.from({ length: 70 }, (_, i) => ({ ...samples[i % 2]!, task: tasks[i % 3 === 0 ? 1 : 0]! }))
    const q = await judge.q(asked)
    expect(q.length).toBe(70)
    for (const [i, { seen, action, task }] of asked.entries())
      expect(q[i]).toBeCloseTo(plainQ(values, layout, tasks.indexOf(task), seen, [...action]), 4)
  })

  it('has nobody to ask where no critic was trained', async () => {
    const { directory } = await trained('hg-dagger')
    await expect(CriticJudge.load(directory, of('hg-dagger'))).rejects.toThrow('trains no critic')
  })
})

describe('HIL-ConRFT', () => {
  it('has one critic, of the size of each of ours, that judges every task alike', async () => {
    const { directory, figures } = await trained('hil-conrft')
    const judge = await CriticJudge.load(directory, of('hil-conrft'))
    const [sample] = samples
    const [push, turn] = await judge.q(tasks.map((task) => ({ ...sample!, task })))
    expect(push).toBe(turn)
    const values = await criticOf(directory, 'hil-conrft')
    expect(push).toBeCloseTo(plainQ(values, criticLayoutOf('hil-conrft'), 0, sample!.seen, [...sample!.action]), 4)
    expect(2 * values.length).toBe((await criticOf((await trained('dual')).directory, 'dual')).length)
    for (const { figures: one } of figures) expect([each(one, 'meanQ'), each(one, 'weight')]).toEqual([{}, {}])
  })

  it('is the single actor where there is one task, of weight 1', async () => {
    const names = ['push']
    const learner = LearnerConfig.parse({ ...shared, taskWeight: { min: 1, max: 1 } })
    const head = async (method: MethodName) =>
      headOf(await train(method, { tasks: names, learner }, aReplay({ names })))
    expect(await head('hil-conrft')).toEqual(await head('single'))
  })
})

describe('DSRL', () => {
  it('clones the head in the warm-up, freezes it online, and learns what noise it likes', async () => {
    const learner = await Learner.create(of('dsrl'), aReplay())
    const start = learner.actorParameters()
    await learn(learner, ...Array<Phase>(20).fill('warm-up'))
    const cloned = learner.actorParameters()
    expect(cloned.head).not.toEqual(start.head)
    expect(cloned.noiseActor).toEqual(start.noiseActor)
    await learn(learner, ...Array<Phase>(100).fill('online'))
    const steered = learner.actorParameters()
    expect(steered.head).toEqual(cloned.head)
    const directory = folder()
    await learner.save(directory)
    const judge = await CriticJudge.load(directory, of('dsrl'))
    const policy = await Policy.create(sizes, commands, 'dsrl')
    /** Summed Q of the modes, as the trained critics see them. */
    const value = async (noiseActor: Float32Array) => {
      policy.setParameters({ ...steered, noiseActor })
      const asked = []
      for (const task of tasks)
        for (const { seen } of samples)
          asked.push({ seen, task, action: await policy.primary(seen, new Float32Array(7)) })
      return (await judge.q(asked)).reduce((sum, q) => sum + q)
    }
    expect(await value(steered.noiseActor!)).toBeGreaterThan(await value(start.noiseActor!))
  })
})
