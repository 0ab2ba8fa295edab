/** @file The learner: samples the replay, runs the compiled steps, applies Adam and the targets, saves and resumes. */
import { InputError } from '../errors.ts'
import { ParameterStore, type Program } from '../graph/index.ts'
import { criticLayout, initialise, type Layout, shapesOf, spatialLayout } from '../nets/index.ts'
import { RandomStream } from '../random/stream.ts'
import type { ReplayBuffer, TalkRows, TransitionRows } from '../replay/buffer.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { allCommands, commandDirection, type Direction, NULL_COMMAND } from '../talk/vocabulary.ts'
import { type ActorSizes, actorLayouts, spatialSizes } from './actors.ts'
import { drawNoise } from './batch.ts'
import { loadLearner, saveLearner } from './checkpoint.ts'
import type { LearnerConfig } from './config.ts'
import { type ActorWeights, taskWeights } from './losses/index.ts'
import type { Phase, UpdateFigures } from './phase.ts'
import type { ActorParameters } from './policy.ts'
import {
  compileCloningStep,
  compileCriticStep,
  compileJointStep,
  compileRefinementStep,
  type StepSettings,
} from './programs.ts'

export type LearnerOptions = {
  tasks: readonly string[]
  sizes: ActorSizes
  learner: LearnerConfig
  lambda: Record<Phase, ActorWeights>
  onlineAfter: number // online transitions before the first online update
  seed: number
  threads?: number
}

/** Parameters of all critics: [task] image pooling, then [task, member] networks. */
export function criticGroup(sizes: ActorSizes, tasks: number): Layout {
  const { network, proprio } = sizes
  return {
    ...spatialLayout(spatialSizes(sizes), [tasks]),
    ...criticLayout({
      tasks,
      members: network.members,
      features: network.bottleneck,
      proprio,
      actions: ACTION_WIDTH,
      projection: network.proprioWidth,
      width: network.hidden,
      depth: 2,
    }),
  }
}

/** The store that all steps share, initialised. Targets of the critics, and of the head the averaged one that acts, start equal. */
export function createStore(options: Pick<LearnerOptions, 'sizes' | 'tasks' | 'seed'>) {
  const layouts = { ...actorLayouts(options.sizes), critic: criticGroup(options.sizes, options.tasks.length) }
  const store = new ParameterStore({
    head: { tensors: shapesOf(layouts.head), trained: true, target: true },
    refine: { tensors: shapesOf(layouts.refine), trained: true },
    critic: { tensors: shapesOf(layouts.critic), trained: true, target: true },
  })
  for (const [group, layout] of Object.entries(layouts))
    initialise(layout, (name) => store.view(group, name), new RandomStream(options.seed, `initialisation/${group}`))
  for (const group of ['head', 'critic']) store.flat(group, 'target').set(store.flat(group, 'value'))
  return { store, layouts }
}

type Programs = { cloning: Program; warmUp: Program; critic: Program; joint: Program; refine: Program }

export class Learner {
  updates = 0
  private readonly sampling: RandomStream
  private readonly noise: RandomStream
  private readonly batchPerTask: number
  /** Every command but "[null]", with its embedding and its direction. */
  private readonly sayable: { vector: Float32Array; direction: Direction }[]

  private constructor(
    private readonly options: LearnerOptions,
    private readonly replay: ReplayBuffer,
    private readonly store: ParameterStore,
    private readonly layouts: Record<string, Layout>,
    private readonly programs: Programs,
  ) {
    this.sampling = new RandomStream(options.seed, 'sampling')
    this.noise = new RandomStream(options.seed, 'learner noise')
    this.batchPerTask = batchPerTask(options)
    this.sayable = allCommands()
      .filter((command) => command !== NULL_COMMAND)
      .map((command) => ({ vector: replay.options.commands.embed(command), direction: commandDirection(command) }))
  }

  static async create(options: LearnerOptions, replay: ReplayBuffer): Promise<Learner> {
    const { store, layouts } = createStore(options)
    const settings: StepSettings = {
      sizes: options.sizes,
      tasks: options.tasks.length,
      batchPerTask: batchPerTask(options),
      learner: options.learner,
      threads: options.threads ?? 1,
    }
    const programs: Programs = {
      cloning: await compileCloningStep(store, settings),
      warmUp: await compileJointStep(store, settings, 'warm-up', options.lambda['warm-up']),
      critic: await compileCriticStep(store, settings),
      joint: await compileJointStep(store, settings, 'online', options.lambda.online),
      refine: await compileRefinementStep(store, settings, replay.options.commands.embed(NULL_COMMAND)),
    }
    return new Learner(options, replay, store, layouts, programs)
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

  /** One joint update of the phase: extra cloning steps, critics (several times online), primary actor, refinement actor. */
  async update(phase: Phase): Promise<UpdateFigures> {
    const { learner, tasks } = this.options
    for (let i = 0; i < learner.cloningSteps; i++) {
      await this.runOnBatch(this.programs.cloning, 1)
      this.applyHead()
    }
    if (phase === 'online')
      for (let i = 1; i < learner.criticStepsPerActorStep; i++) {
        await this.runOnBatch(this.programs.critic)
        this.applyCritic()
      }
    const program = phase === 'warm-up' ? this.programs.warmUp : this.programs.joint
    await this.runOnBatch(program)
    const critic = this.applyCritic()
    const head = this.applyHead()
    const refinement = await this.refine()
    this.updates++
    const { td, conservative, criticLoss, bc, q, actorLoss, meanQ, weight } = program.outputs
    taskWeights(Array.from(meanQ!), learner.taskWeight) // throws on a diverged critic, before anything is published
    const byTask = (values: Float32Array) => Object.fromEntries(tasks.map((task, i) => [task, values[i]!]))
    return {
      update: this.updates,
      phase,
      critic: { td: td![0]!, ...(conservative && { conservative: conservative[0]! }), loss: criticLoss![0]! },
      actor: { bc: bc![0]!, q: q![0]!, loss: actorLoss![0]! },
      meanQ: byTask(meanQ!),
      weight: byTask(weight!),
      gradientNorm: { critic, head, ...refinement?.gradientNorm },
      ...(refinement && { refine: refinement.losses, meanMu: refinement.meanMu }),
    }
  }

  /** Copies of the actors' parameters, to publish. */
  actorParameters(): ActorParameters {
    return { head: this.store.flat('head', 'target').slice(), refine: this.store.flat('refine', 'value').slice() }
  }

  async save(directory: string): Promise<void> {
    await saveLearner(directory, this.store, this.layouts, {
      updates: this.updates,
      steps: { ...this.store.steps },
      streams: { sampling: this.sampling.save(), noise: this.noise.save() },
    })
  }

  async load(directory: string): Promise<void> {
    const state = await loadLearner(directory, this.store, this.layouts)
    this.updates = state.updates
    this.sampling.restore(state.streams.sampling!)
    this.noise.restore(state.streams.noise!)
  }

  async release(): Promise<void> {
    await Promise.all(Object.values(this.programs).map((program) => program.release()))
  }

  private async runOnBatch(program: Program, demonstrationShare = 0.5): Promise<void> {
    const rows = program.inputs as Partial<TransitionRows>
    this.options.tasks.forEach((task, i) => {
      const { interventionShare } = this.options.learner
      const request = {
        task,
        count: this.batchPerTask,
        offset: i * this.batchPerTask,
        demonstrationShare,
        interventionShare,
      }
      this.replay.sampleTransitions(request, this.sampling, rows)
    })
    drawNoise(program.inputs, this.noise)
    await program.run()
  }

  private async refine() {
    const { refinement } = this.options.learner
    if (this.replay.talkCount < refinement.startAfter) return undefined
    const program = this.programs.refine
    const { h, features, proprio, action, command } = program.inputs as Record<string, Float32Array>
    const task = new Int32Array(refinement.batch)
    const rows: TalkRows = { h: h!, features: features!, proprio: proprio!, action: action!, command: command!, task }
    this.replay.sampleTalk(refinement.batch, this.sampling, rows)
    const ownTask = program.inputs.ownTask!.fill(0)
    for (const [sample, owner] of task.entries()) ownTask[owner * refinement.batch + sample] = 1
    if (refinement.obedience > 0) this.drawCommands(program)
    drawNoise(program.inputs, this.noise)
    await program.run()
    const gradientNorm = { refine: this.apply('refine') }
    const { refineLoss, bc, q, reg, meanMu, obedience } = program.outputs
    const asked = obedience && { obedience: obedience[0]! }
    const losses = { bc: bc![0]!, q: q![0]!, reg: reg![0]!, loss: refineLoss![0]!, ...asked }
    return { losses, gradientNorm, meanMu: meanMu![0]! }
  }

  /** States of all tasks, each under a command drawn from the 26 that ask for something. */
  private drawCommands(program: Program): void {
    const { learner, tasks, sizes } = this.options
    const inputs = program.inputs as Record<string, Float32Array>
    const share = Math.floor(learner.refinement.batch / tasks.length)
    const rows = { h: inputs['said/h']!, features: inputs['said/features']!, proprio: inputs['said/proprio']! }
    for (const [i, task] of tasks.entries())
      this.replay.sampleTransitions({ task, count: share, offset: i * share }, this.sampling, rows)
    for (let row = 0; row < share * tasks.length; row++) {
      const said = this.sampling.pick(this.sayable)
      inputs['said/command']!.set(said.vector, row * sizes.command)
      for (let axis = 0; axis < 3; axis++)
        inputs['said/shift']![row * ACTION_WIDTH + axis] = said.direction[axis]! * learner.refinement.shift
    }
  }

  private apply(group: string, targetRate?: number): number {
    const { learningRate, maxGradientNorm: maxNorm } = this.options.learner
    return this.store.adam(group, { learningRate, maxNorm, targetRate }).gradientNorm
  }

  private applyHead = () => this.apply('head', this.options.learner.actorAverage)

  private applyCritic = () => this.apply('critic', this.options.learner.targetRate)
}

/** Every task has the same share of a batch (paper.md §12). @throws InputError */
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
