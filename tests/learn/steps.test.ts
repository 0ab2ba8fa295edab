/**
 * @file One update of every method in both phases, as compiled, against the same update written in plain loops with a
 * gradient, an Adam and a Polyak average of its own: what the programs are made of, and in which order they run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParameterStore } from '../../src/graph/index.ts'
import { type ActorSizes, METHODS, type MethodName } from '../../src/learn/actors.ts'
import { drawNoise } from '../../src/learn/batch.ts'
import { LearnerConfig, NetworkConfig } from '../../src/learn/config.ts'
import { createStore, methodGroups } from '../../src/learn/learner.ts'
import { GRADIENT_NORM, type UpdateReadings } from '../../src/learn/measure.ts'
import type { Training } from '../../src/learn/method.ts'
import { methods } from '../../src/learn/methods.ts'
import type { Phase } from '../../src/learn/phase.ts'
import { Steps } from '../../src/learn/steps.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { ReplayBuffer } from '../../src/replay/buffer.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { allCommands, NULL_COMMAND } from '../../src/talk/vocabulary.ts'
import { takeModelsAsWritten } from './as-written.ts'
import type { Given } from './reference/losses.ts'
import { Group, type Run } from './reference/optimiser.ts'
import { clone, type Losses, type Model, updates } from './reference/update.ts'

const TASKS = ['push', 'turn', 'lift']
const ROWS = 3 // of each task in a batch
const SEED = 4
const commands = builtInCommandEncoder(4)
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.015 })
const warmUp = { updates: 4, heads: 2, cloningSteps: 6 }
const lambda = { 'warm-up': { bc: 0.9, q: 0.3 }, online: { bc: 0.4, q: 0.7 } }

/** As in the paper, but for figures that no default has. */
const paper = {
  batch: TASKS.length * ROWS + 1,
  discount: 0.93,
  targetRate: 0.03,
  learningRate: 0.01,
  maxGradientNorm: 2,
  conservativeSamples: 2,
  refinement: { batch: 6, startAfter: 1 },
}

/** Everything at work that the paper does not have. */
const beyond = {
  ...paper,
  criticStepsPerActorStep: 3,
  returnSteps: 2,
  boundedTargets: true,
  cloningSteps: 2,
  interventionShare: 1,
  actorAverage: 0.2,
  renewal: { every: 2, over: 1, cloningSteps: 3 },
  inputNoise: 0.1,
  noiseGain: 0.2,
  taskWeight: { c: 0.2, min: 0.2, max: 3 },
  refinement: { batch: 7, startAfter: 1, bcWeight: 0.7, qWeight: 0.4, nullWeight: 0.3, obedience: 0.6, shift: 0.25 },
}

type Variant = { learner: LearnerConfig; network: NetworkConfig }
const network = { hidden: 6, proprioWidth: 4, spatialEmbeddings: 2, bottleneck: 5 }
const VARIANTS: Record<string, Variant> = {
  'as in the paper': { learner: LearnerConfig.parse(paper), network: NetworkConfig.parse(network) },
  'with all that goes beyond it': {
    learner: LearnerConfig.parse(beyond),
    network: NetworkConfig.parse({ ...network, members: 3, pastHeads: 2, gripperGain: 3 }),
  },
  'with critics that move the noise': {
    learner: LearnerConfig.parse({ ...beyond, interventionShare: 0.5 }),
    network: NetworkConfig.parse({ ...network, members: 3, pastHeads: 2, gripperGain: 3, criticsMove: 'noise' }),
  },
  'in the other forms of its terms, on h': {
    learner: LearnerConfig.parse({ ...paper, bcTerm: 'direct', conservativeForm: 'plain', maxGradientNorm: 0.01 }),
    network: NetworkConfig.parse({ ...network, sees: 'h' }),
  },
}

const sizesOf = (network: NetworkConfig): ActorSizes => ({
  network,
  embedding: 4,
  proprio: 3,
  command: commands.width,
  cameras: 2,
  space: 3,
  channels: 2,
})

const KIND = { demonstration: -1, rollout: 0, intervention: 1 }
const codeOfTask = (task: number) => task - 1

/** Each task has two demonstrations and two episodes with an intervention. Proprio tells task and kind of every row. */
function aReplay({ returnSteps }: LearnerConfig): ReplayBuffer {
  const replay = new ReplayBuffer({
    ...{ tasks: TASKS, embeddingWidth: 4, proprioWidth: 3, featureShape: [2, 1, 3, 2], copies: 0 },
    ...{ discount: 0.93, returnSteps, clones: 'interventions' as const },
    ...{ translator, commands },
    ...{ demonstrationCapacity: 100, onlineCapacity: 100 },
  })
  const random = new RandomStream(SEED, 'a replay')
  const normal = (width: number) => random.fillNormal(new Float32Array(width))
  let id = 0
  for (let episode = 0; episode < 4 * TASKS.length; episode++) {
    const task = episode % TASKS.length
    const source = episode < 2 * TASKS.length ? 'demonstration' : 'online'
    const length = source === 'demonstration' ? 2 : 4
    const kindAt = (step: number) =>
      source === 'demonstration' ? KIND.demonstration : step < 2 ? KIND.rollout : KIND.intervention
    const observe = (step: number) => {
      const proprio = Float32Array.of(codeOfTask(task), kindAt(step), random.normal())
      return { h: normal(4), features: [normal(12)], proprio }
    }
    replay.begin({ episode, task: TASKS[task]!, source, seed: null }, observe(0))
    for (let step = 0; step < length; step++) {
      const actor = kindAt(step) === KIND.rollout ? ('primary' as const) : ('operator' as const)
      const terminated = step === length - 1 && episode % 2 === 0
      const action = random.fillUniform(new Float32Array(7), -0.9, 0.9)
      const reward = random.uniform()
      const happened = { action, reward, terminated, truncated: false, by: 'robot' as const, actor, command: null }
      replay.step(episode, { id: id++, step, ...happened }, observe(step + 1))
    }
    replay.end(episode, { ending: episode % 2 === 0 ? 'success' : 'timeout' })
  }
  return replay
}

/** Parameters away from where they begin, targets away from them, moments as after some steps: nothing is 0 by chance. */
function stir(store: ParameterStore): void {
  const random = new RandomStream(SEED, 'stirred parameters')
  for (const [index, group] of store.names.entries()) {
    const value = store.flat(group, 'value').map((x) => x + 0.2 * random.normal())
    store.flat(group, 'value').set(value)
    if (/critic/i.test(group)) store.view(group, 'out.bias').fill(0.8)
    const kinds = store.kinds(group)
    if (kinds.includes('target'))
      store.flat(group, 'target').set(store.flat(group).map((x) => x + 0.1 * random.normal()))
    if (group === 'successor' || !kinds.includes('moment1')) continue
    random.fillNormal(store.flat(group, 'moment1'), 0.1)
    random.fillUniform(store.flat(group, 'moment2'), 0.01, 0.1)
    store.steps[group] = 3 + index
  }
}

/** In the order in which they come about: the first that differs is nearest to the cause. */
const RUNS: readonly Run[] = ['gradient', 'moment1', 'moment2', 'value', 'target']

/** A method with its programs, which write down what each run is given, and the reference beside it. */
class Trial {
  readonly given: Given[] = []
  readonly model: Model
  private before: Record<string, Partial<Record<Run, Float32Array>>> = {}

  private constructor(
    readonly method: MethodName,
    readonly variant: Variant,
    readonly store: ParameterStore,
    readonly training: Training,
    readonly steps: Steps,
  ) {
    const { targetRate, actorAverage } = variant.learner
    const rates: Record<string, number> = { critic: targetRate }
    for (const averaged of ['head', 'noiseActor', 'successor']) rates[averaged] = actorAverage
    this.model = Object.fromEntries(
      store.names.map((name) => {
        const runs = Object.fromEntries(
          store.kinds(name).map((kind) => [kind, Float64Array.from(store.flat(name, kind))]),
        )
        const group = new Group(store.shapes(name), runs, rates[name])
        group.steps = store.steps[name]!
        return [name, group]
      }),
    )
    for (const program of [...training.programs, ...(training.renewal ? [training.renewal.program] : [])]) {
      const run = program.run.bind(program)
      program.run = () => {
        this.given.push(Object.fromEntries(Object.entries(program.inputs).map(([name, data]) => [name, data.slice()])))
        return run()
      }
    }
  }

  static async of(method: MethodName, variant: Variant): Promise<Trial> {
    const { learner, network } = variant
    const settings = {
      sizes: sizesOf(network),
      tasks: TASKS.length,
      batchPerTask: ROWS,
      learner,
      threads: 1,
      lambda,
      warmUp,
      commands,
      translator,
    }
    const groups = methodGroups(method, settings)
    const store = createStore(groups, SEED)
    stir(store)
    const training = await methods[method].compile(store, settings)
    const steps = new Steps(aReplay(learner), store, groups, ROWS, learner, SEED)
    return new Trial(method, variant, store, training, steps)
  }

  /** What the steps are given, one by one; more than there were is an error. */
  private next = (): Given => {
    const given = this.given.shift()
    if (!given) throw new Error('the reference takes a step that the learner did not take')
    return given
  }

  private get setting() {
    return {
      learner: this.variant.learner,
      tasks: TASKS.length,
      batch: ROWS,
      members: this.variant.network.members,
      gripperGain: this.variant.network.gripperGain,
    }
  }

  /** Both do the same. Returns the figures of both. */
  async update(phase: Phase) {
    this.remember()
    const figures = await this.training.update(phase, this.steps)
    const losses = updates[this.method](
      { ...this, lambda, setting: this.setting, next: this.next, talk: talkOf },
      phase,
    )
    expect(this.given.length, 'steps that the reference does not take').toBe(0)
    return { figures, losses }
  }

  /** The change of heads after the second update. */
  async renew(): Promise<void> {
    this.remember()
    await this.training.renewal!.after(2, this.steps)
    const { head, past1, past2, successor } = this.model as Record<'head' | 'past1' | 'past2' | 'successor', Group>
    const random = new RandomStream(SEED, 'initialisation/successor/2')
    const layout = methodGroups(this.method, {
      ...this.setting,
      sizes: sizesOf(this.variant.network),
      batchPerTask: ROWS,
    }).successor!.layout
    const fresh = Object.values(layout).flatMap(({ shape, mean, standardDeviation }) =>
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        Math.fround(standardDeviation === 0 ? mean : mean + standardDeviation * random.normal()),
      ),
    )
    successor.runs.value!.set(fresh)
    successor.runs.target!.set(fresh)
    for (const moment of ['moment1', 'moment2'] as const) successor.runs[moment]!.fill(0)
    clone({ setting: this.setting, next: this.next }, successor, this.variant.learner.renewal.cloningSteps)
    expect(this.given.length, 'steps that the reference does not take').toBe(0)
    past2.runs.value!.set(past1.value)
    past1.runs.value!.set(head.runs.target!)
    for (const kind of ['value', 'target', 'moment1', 'moment2'] as const) head.runs[kind]!.set(successor.runs[kind]!)
    head.steps = successor.steps
    past1.steps = past2.steps = -1 // theirs say only that the places are taken
    successor.steps = 0
  }

  private remember(): void {
    this.before = Object.fromEntries(
      this.store.names.map((name) => [
        name,
        Object.fromEntries(this.store.kinds(name).map((kind) => [kind, this.store.flat(name, kind).slice()])),
      ]),
    )
  }

  /**
   * Every run of every group moved as the reference's did, each tensor to a thousandth of how far it moved at most.
   * Where the reference leaves a group alone, so does the learner.
   */
  expectAlike(): void {
    for (const [name, group] of Object.entries(this.model)) {
      if (group.steps >= 0) expect(this.store.steps[name], `steps of ${name}`).toBe(group.steps)
      expect(this.store.kinds(name).includes('target'), `a target of ${name}`).toBe(group.targetRate !== undefined)
      for (const kind of RUNS.filter((run) => run in group.runs)) this.expectRunAlike(name, group, kind)
    }
  }

  private expectRunAlike(name: string, group: Group, kind: Run): void {
    const before = kind === 'gradient' ? undefined : this.before[name]![kind]!
    const moved = (run: ArrayLike<number>) => Float64Array.from(run, (x, i) => x - (before?.[i] ?? 0))
    const [got, want] = [moved(this.store.flat(name, kind)), moved(group.runs[kind]!)]
    const furthest = want.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    let from = 0
    for (const [tensor, shape] of Object.entries(group.shapes)) {
      const to = from + shape.reduce((a, b) => a * b, 1)
      const own = want.subarray(from, to)
      const most = own.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      const worst = own.reduce((worst, x, i) => Math.max(worst, Math.abs(x - got[from + i]!)), 0)
      expect(worst, `${kind} of ${name}/${tensor}, at most ${most}`).toBeLessThanOrEqual(
        1e-3 * most + 1e-5 * furthest + 3e-7,
      )
      from = to
    }
  }

  async release(): Promise<void> {
    const { programs, renewal } = this.training
    for (const program of [...programs, ...(renewal ? [renewal.program] : [])]) await program.release()
  }
}

/** Whose the refinement actor's samples are, by their own proprio. */
const talkOf = ({ proprio }: Given) => ({
  taskOf: Array.from({ length: proprio!.length / 3 }, (_, sample) => proprio![3 * sample]! + 1),
  silence: commands.embed(NULL_COMMAND),
})

/** What the learner reports is what the reference computed; norms are those before the clip. */
function expectFigures(figures: UpdateReadings, losses: Losses, model: Model): void {
  const near = (name: string, got: number, want: number, tolerance: number) =>
    expect(Math.abs(got - want), `${name}: ${got}, not ${want}`).toBeLessThanOrEqual(tolerance)
  for (const [kind, parts] of Object.entries(losses))
    for (const [part, want] of Object.entries(parts)) {
      const byTask = figures[kind] as ArrayLike<number> | undefined
      const got = byTask?.[Number(part)] ?? (figures[`${kind}.${part}`] as number)
      near(`${kind}.${part}`, got, want, 1e-4 * Math.abs(want) + 1e-5)
    }
  const norms = Object.entries(figures).filter(([name]) => name.startsWith(`${GRADIENT_NORM.name}.`))
  expect(norms.length).toBeGreaterThan(0)
  for (const [name, norm] of norms) {
    const want = model[name.slice(GRADIENT_NORM.name.length + 1)]!.norm
    near(name, norm as number, want, 1e-3 * want)
  }
}

describe.each(Object.entries(VARIANTS))('one update %s', (_, variant) => {
  describe.each(METHODS)('of %s', (method) => {
    let trial: Trial
    beforeAll(async () => {
      trial = await Trial.of(method, variant)
    })
    afterAll(() => trial.release())

    it.each(['warm-up', 'online'] as const)('in the %s takes the steps of the paper, in their order', async (phase) => {
      const { figures, losses } = await trial.update(phase)
      trial.expectAlike()
      expectFigures(figures, losses, trial.model)
    })

    if (variant.learner.renewal.every > 0 && method !== 'dsrl')
      // whose head is frozen
      it('hands the head over to a fresh one that was cloned beside it', async () => {
        await trial.renew()
        trial.expectAlike()
      })
  })
})

/** Words for the positive and the negative way along x, y, z of the base frame. */
const DIRECTIONS = [
  ['forward', 'backward'],
  ['left', 'right'],
  ['up', 'down'],
] as const

/** Kinds of the rows of each task, from their proprio. */
function kindsOf({ proprio }: Given): number[][] {
  const at = (row: number, entry: number) => proprio![3 * row + entry]!
  return TASKS.map((_, task) =>
    Array.from({ length: ROWS }, (_, i) => {
      expect(at(task * ROWS + i, 0), 'the task of a row').toBe(codeOfTask(task))
      return at(task * ROWS + i, 1)
    }),
  )
}

describe('what the steps are given', () => {
  takeModelsAsWritten()
  const cloned = (interventionShare?: number) =>
    Trial.of('hg-dagger', {
      ...VARIANTS['as in the paper']!,
      learner: LearnerConfig.parse({ ...paper, interventionShare }),
    })
  const kindsOver = async (trial: Trial, updates: number) => {
    for (let i = 0; i < updates; i++) await trial.training.update('online', trial.steps)
    await trial.release()
    return trial.given.flatMap((given) => kindsOf(given).flat())
  }

  it.each([
    [1, [KIND.intervention]],
    [0, [KIND.demonstration]],
    [undefined, [KIND.demonstration, KIND.intervention]],
  ])('clones interventions with the share that is asked for, %s, and no rollout', async (share, kinds) => {
    expect(new Set(await kindsOver(await cloned(share), 4))).toEqual(new Set(kinds))
  })

  it('is as many rows of each task; of a critic step, the larger half is cloned and the rest are rollouts', async () => {
    const trial = await Trial.of('single', VARIANTS['with all that goes beyond it']!)
    await trial.training.update('online', trial.steps)
    await trial.release()
    const { given } = trial
    const only = [KIND.intervention, KIND.intervention, KIND.intervention]
    const mixed = [KIND.intervention, KIND.intervention, KIND.rollout]
    const ofStep = [only, only, mixed, mixed, mixed] // two cloning steps, two critic steps, the joint one
    expect(given.map(kindsOf)).toEqual(ofStep.map((kinds) => TASKS.map(() => kinds)))
    for (const [step, { bcMask }] of given.entries())
      if (bcMask) expect(Array.from(bcMask)).toEqual(TASKS.flatMap(() => ofStep[step]!.map((kind) => Math.abs(kind))))
  })
  it('asks the refinement actor for a shift along the axes of the command that it hears, and no other', async () => {
    const trial = await Trial.of('dual', VARIANTS['with all that goes beyond it']!)
    for (let i = 0; i < 4; i++) await trial.training.update('online', trial.steps)
    await trial.release()
    const heard = new Set<string>()
    for (const given of trial.given.filter((step) => 'said/command' in step))
      for (let row = 0; row < 6; row++) {
        const vector = Array.from(given['said/command']!).slice(row * commands.width, (row + 1) * commands.width)
        const command = allCommands().find((command) => commands.embed(command).join() === vector.join())!
        const axes = DIRECTIONS.map((pair) => pair.map((word) => command.includes(word)))
        const shift = axes.map(([positive, negative]) => (positive ? 0.25 : negative ? -0.25 : 0))
        expect(Array.from(given['said/shift']!).slice(row * 7, (row + 1) * 7), command).toEqual([...shift, 0, 0, 0, 0])
        heard.add(command)
      }
    expect(heard.size).toBeGreaterThan(8) // of 18
    expect(heard).not.toContain(NULL_COMMAND)
  })
  it('leaves the refinement actor alone while there are too few corrections', async () => {
    const { learner, network } = VARIANTS['as in the paper']!
    const late = { ...learner, refinement: { ...learner.refinement, startAfter: 19 } } // there are 6 times 2
    const trial = await Trial.of('dual', { learner: late, network })
    const before = trial.store.flat('refine').slice()
    const figures = await trial.training.update('online', trial.steps)
    await trial.release()
    expect(figures.refine).toBeUndefined()
    expect(trial.given.some((given) => 'command' in given)).toBe(false)
    expect(trial.store.flat('refine')).toEqual(before)
  })

  it.each(['dual', 'hil-conrft', 'dsrl'] as const)('%s stops where a critic has diverged', async (method) => {
    const trial = await Trial.of(method, VARIANTS['as in the paper']!)
    for (const group of trial.store.names.filter((name) => /critic/i.test(name)))
      trial.store.flat(group).fill(Number.NaN)
    await expect(trial.training.update('online', trial.steps)).rejects.toThrow('The critic diverged')
    await trial.release()
  })

  it('is noise of the right kind: standard normal, uniform over the actions, every level but the least', () => {
    const [xi, uniform, index] = [new Float32Array(20_000), new Float32Array(20_000), new Int32Array(4000)]
    drawNoise({ 'xi/actor': xi, 'uniform/actions': uniform, 'index/sigma': index }, new RandomStream(SEED, 'noise'))
    const moments = (values: Float32Array) =>
      [1, 2, 4].map((power) => values.reduce((sum, x) => sum + x ** power, 0) / values.length)
    for (const [i, want] of [0, 1, 3].entries()) expect(Math.abs(moments(xi)[i]! - want)).toBeLessThan(0.3)
    for (const [i, want] of [0, 1 / 3, 1 / 5].entries())
      expect(Math.abs(moments(uniform)[i]! - want)).toBeLessThan(0.02)
    expect([...new Set(index)].sort((a, b) => a - b)).toEqual(Array.from({ length: 39 }, (_, i) => i))
  })
})
