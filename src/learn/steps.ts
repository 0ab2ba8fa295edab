/** @file What every method does alike: fill a program's batch from the replay, draw its noise, run it, apply Adam. */
import type { ParameterStore, Program } from '../graph/index.ts'
import { initialise } from '../nets/index.ts'
import { RandomStream, type StreamState } from '../random/stream.ts'
import type { ReplayBuffer, TransitionRows } from '../replay/buffer.ts'
import { drawNoise } from './batch.ts'
import type { LearnerConfig } from './config.ts'
import type { ParameterGroup } from './method.ts'
import { fillRanked } from './ranking.ts'

/** Who draws from random streams of their own, so that their draws do not move those of the others. */
const BRANCHES = ['refinement', 'successor', 'measure', 'ranking'] as const
export type Branch = (typeof BRANCHES)[number]

export class Steps {
  readonly sampling: RandomStream
  private readonly noise: RandomStream
  private readonly branches: Partial<Record<Branch, Steps>> = {}

  constructor(
    readonly replay: ReplayBuffer,
    private readonly store: ParameterStore,
    private readonly groups: Record<string, ParameterGroup>,
    private readonly batchPerTask: number,
    private readonly learner: LearnerConfig,
    private readonly seed: number,
    private readonly prefix: `${Branch} ` | '' = '',
  ) {
    this.sampling = new RandomStream(seed, `${prefix}sampling`)
    this.noise = new RandomStream(seed, `${prefix}learner noise`)
  }

  /** The same with random streams of its own. */
  of(branch: Branch): Steps {
    const { replay, store, groups, batchPerTask, learner, seed } = this
    this.branches[branch] ??= new Steps(replay, store, groups, batchPerTask, learner, seed, `${branch} `)
    return this.branches[branch]
  }

  /** On as many transitions of each task, half of them demonstrations ∪ interventions unless told otherwise. */
  async run(program: Program, demonstrationShare = 0.5): Promise<void> {
    const rows = program.inputs as Partial<TransitionRows>
    const { batchPerTask: count } = this
    const { interventionShare } = this.learner
    for (const [i, task] of this.replay.options.tasks.entries()) {
      const request = { task, count, offset: i * count, demonstrationShare, interventionShare }
      this.replay.sampleTransitions(request, this.sampling, rows)
    }
    fillRanked(this, program)
    await this.runFilled(program)
  }

  /** On a batch that is filled already. */
  async runFilled(program: Program): Promise<void> {
    drawNoise(program.inputs, this.noise)
    await program.run()
  }

  /** One Adam step of a group, which its target follows. Returns the norm of the gradients before the clip. */
  apply(group: string): number {
    const { learningRate, maxGradientNorm: maxNorm } = this.learner
    return this.store.adam(group, { learningRate, maxNorm, targetRate: this.groups[group]!.targetRate }).gradientNorm
  }

  /** Fresh parameters, drawn for this purpose, and fresh moments; what follows the parameters starts equal to them. */
  renew(group: string, purpose: string): void {
    const { store, groups, seed } = this
    const { layout, targetRate } = groups[group]!
    initialise(layout, (name) => store.view(group, name), new RandomStream(seed, purpose))
    for (const moment of ['moment1', 'moment2'] as const) store.flat(group, moment).fill(0)
    if (targetRate !== undefined) store.flat(group, 'target').set(store.flat(group, 'value'))
    store.steps[group] = 0
  }

  save(): Record<string, StreamState> {
    const { prefix, sampling, noise, branches } = this
    const own = { [`${prefix}sampling`]: sampling.save(), [`${prefix}noise`]: noise.save() }
    return Object.assign(own, ...Object.values(branches).map((branch) => branch.save()))
  }

  restore(streams: Record<string, StreamState>): void {
    this.sampling.restore(streams[`${this.prefix}sampling`]!)
    this.noise.restore(streams[`${this.prefix}noise`]!)
    if (this.prefix !== '') return
    for (const branch of BRANCHES) if (streams[`${branch} sampling`]) this.of(branch).restore(streams)
  }
}
