/** @file The learner: parameters and programs of a method over the replay; updates, publishes, saves and resumes. */
import { InputError } from '../errors.ts'
import { ParameterStore } from '../graph/index.ts'
import type { Figures } from '../metrics/figure.ts'
import { initialise, shapesOf } from '../nets/index.ts'
import { RandomStream } from '../random/stream.ts'
import type { ReplayBuffer } from '../replay/buffer.ts'
import { type ActorSizes, actorLayouts, headsOf, type MethodName } from './actors.ts'
import { loadLearner, readPolicy, saveLearner } from './checkpoint.ts'
import type { LearnerConfig } from './config.ts'
import { Generations } from './generation.ts'
import type { ActorWeights } from './losses/index.ts'
import type { UpdateReadings } from './measure.ts'
import { actingKind, type ParameterGroup, type StepSettings, type Training, type WarmUp } from './method.ts'
import { methods } from './methods.ts'
import type { Phase, UpdateFigures } from './phase.ts'
import type { ActorParameters } from './policy.ts'
import { fillPlaces } from './renewal.ts'
import { Steps } from './steps.ts'

export type LearnerOptions = {
  method: MethodName
  tasks: readonly string[]
  sizes: ActorSizes
  learner: LearnerConfig
  lambda: Record<Phase, ActorWeights>
  warmUp: WarmUp
  onlineAfter: number // online transitions before the first online update
  seed: number
  threads?: number
}

const MEASURED_EVERY = 50 // online updates; some seconds of a robot

const AVERAGED = ['head', 'noiseActor'] // the refinement actor acts as it learns

/** All groups of a method. */
export function methodGroups(method: MethodName, settings: StepSettings): Record<string, ParameterGroup> {
  const { sizes, learner } = settings
  const [, ...past]: readonly string[] = headsOf(sizes)
  const actors = Object.entries(actorLayouts(sizes, method)).map(([group, layout]): [string, ParameterGroup] => [
    group,
    { layout, trained: !past.includes(group), targetRate: AVERAGED.includes(group) ? learner.actorAverage : undefined },
  ])
  return { ...Object.fromEntries(actors), ...methods[method].besides(settings) }
}

/** The store that all steps share, initialised. Targets start equal to what they follow. */
export function createStore(groups: Record<string, ParameterGroup>, seed: number): ParameterStore {
  const store = new ParameterStore(
    Object.fromEntries(
      Object.entries(groups).map(([name, { layout, trained = true, targetRate }]) => [
        name,
        { tensors: shapesOf(layout), trained, target: targetRate !== undefined },
      ]),
    ),
  )
  for (const [group, { layout, targetRate }] of Object.entries(groups)) {
    initialise(layout, (name) => store.view(group, name), new RandomStream(seed, `initialisation/${group}`))
    if (targetRate !== undefined) store.flat(group, 'target').set(store.flat(group, 'value'))
  }
  return store
}

export class Learner {
  updates = 0
  private readonly generations: Generations
  /** Of the policy that acts while the next generation is young. */
  private before: ActorParameters | undefined

  private constructor(
    private readonly options: LearnerOptions,
    private readonly replay: ReplayBuffer,
    private readonly groups: Record<string, ParameterGroup>,
    private readonly store: ParameterStore,
    private readonly training: Training,
    private readonly steps: Steps,
  ) {
    this.generations = new Generations(options.learner.generation, options.warmUp)
  }

  static async create(options: LearnerOptions, replay: ReplayBuffer): Promise<Learner> {
    const { method, sizes, learner, lambda, warmUp, seed, tasks, threads = 1 } = options
    expectPlaces(warmUp, sizes)
    expectTime(warmUp, learner)
    const rows = batchPerTask(options)
    const settings = { sizes, tasks: tasks.length, batchPerTask: rows, learner, threads, lambda, warmUp }
    const groups = methodGroups(method, settings)
    const store = createStore(groups, seed)
    const { commands, translator } = replay.options
    const training = await methods[method].compile(store, { ...settings, commands, translator })
    const steps = new Steps(replay, store, groups, rows, learner, seed)
    return new Learner(options, replay, groups, store, training, steps)
  }

  /** Every task needs data to sample; the online phase also waits for its first transitions. */
  canUpdate(phase: Phase): boolean {
    const stats = Object.values(this.replay.counts())
    const empty = stats.some(
      ({ demonstrations, interventions, rollouts }) => demonstrations + interventions + rollouts === 0,
    )
    const online = stats.reduce((sum, { interventions, rollouts }) => sum + interventions + rollouts, 0)
    return !empty && (phase === 'warm-up' || online >= this.options.onlineAfter)
  }

  /** One joint update of the phase. @throws InputError if it diverged, before anything is published */
  async update(phase: Phase): Promise<UpdateFigures> {
    const { training, steps } = this
    const youth = phase === 'online' ? this.generations.youthOf(this.updates + 1) : 0
    if (youth === 1) {
      this.before = this.actorParameters()
      this.generations.begin(this.updates + 1, this.store, this.groups, steps, this.options.sizes)
    }
    const warms = phase === 'warm-up' || youth > 0
    const measured = await training.update(warms ? 'warm-up' : 'online', steps)
    this.updates++
    const seldom = !warms && this.updates % MEASURED_EVERY === 0
    const besides = seldom ? await training.measure?.(steps.of('measure')) : undefined
    const figures = this.byName({ ...measured, ...besides })
    expectConverging(`update ${this.updates}`, figures)
    if (warms) await training.headsInTurn.after(youth || this.updates, steps, this.generations.numberOf(this.updates))
    else await training.renewal?.after(this.updates, steps)
    if (!this.generations.isYoung(this.updates)) this.before = undefined
    return { update: this.updates, phase, figures }
  }

  /** A figure of each task has a name for each of them. */
  private byName(measured: UpdateReadings): Figures {
    const named = Object.entries(measured).flatMap(([name, value]): [string, number][] =>
      typeof value === 'number'
        ? [[name, value]]
        : this.options.tasks.map((task, i): [string, number] => [`${name}.${task}`, value[i]!]),
    )
    return Object.fromEntries(named)
  }

  /** Copies of the parameters that act, to publish. */
  actorParameters(): ActorParameters {
    if (this.before) return this.before
    const values = (group: string) => this.store.flat(group, actingKind(this.groups[group]!)).slice()
    return Object.fromEntries(this.acting().map((group) => [group, values(group)]))
  }

  async save(directory: string): Promise<void> {
    await saveLearner(directory, this.store, this.groups, this.actorParameters(), {
      updates: this.updates,
      steps: { ...this.store.steps },
      streams: this.steps.save(),
    })
  }

  async load(directory: string): Promise<void> {
    const state = await loadLearner(directory, this.store)
    this.updates = state.updates
    this.steps.restore(state.streams)
    const { sizes, method } = this.options
    const young = this.generations.isYoung(this.updates)
    this.before = young ? await readPolicy(directory, actorLayouts(sizes, method)) : undefined
  }

  /** The groups that act, ready to: there may have been fewer renewals than there are places for past heads. */
  private acting(): string[] {
    const { sizes, method } = this.options
    fillPlaces(this.store, headsOf(sizes))
    return Object.keys(actorLayouts(sizes, method))
  }

  async release(): Promise<void> {
    const { programs, renewal } = this.training
    await Promise.all([...programs, ...(renewal ? [renewal.program] : [])].map((program) => program.release()))
  }
}

/** @throws InputError naming the loss or gradient that is no number any more: the parameters behind it are spoilt */
function expectConverging(where: string, figures: Figures): void {
  for (const [name, value] of Object.entries(figures))
    if (!Number.isFinite(value) && (name.endsWith('.loss') || name.startsWith('gradientNorm.')))
      throw new InputError(where, `${name} is ${value}`, 'The training diverged: lower learner.learningRate')
}

/** @throws InputError where more heads are cloned than act together */
function expectPlaces({ heads }: WarmUp, { network }: ActorSizes): void {
  const places = 1 + network.pastHeads
  if (heads <= places) return
  throw new InputError(
    'setting "warmUp.heads"',
    `is ${heads}, and ${places} can act together`,
    'Set networks.pastHeads to one less than the heads',
  )
}

/** @throws InputError where a generation would be followed before it acts */
function expectTime({ updates }: WarmUp, { generation }: LearnerConfig): void {
  if (generation === 0 || generation > updates) return
  throw new InputError(
    'setting "learner.generation"',
    `is ${generation}, and a generation learns for ${updates} updates before it acts`,
    'Give it more updates than warmUp.updates, or none: 0',
  )
}

/** Every task has the same share of a batch (docs/method.md §12). @throws InputError */
function batchPerTask({ learner, tasks }: Pick<LearnerOptions, 'learner' | 'tasks'>): number {
  const share = Math.floor(learner.batch / tasks.length)
  if (share < 1)
    throw new InputError(
      'setting "learner.batch"',
      `is ${learner.batch} for ${tasks.length} tasks`,
      'Give each task at least one sample',
    )
  return share
}
