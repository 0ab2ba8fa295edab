/** @file What every method does alike: fill a program's batch from the replay, draw its noise, run it, apply Adam. */
import type { ParameterStore, Program } from '../graph/index.ts'
import { initialise } from '../nets/index.ts'
import { RandomStream, type StreamState } from '../random/stream.ts'
import type { ReplayBuffer, TransitionRows } from '../replay/buffer.ts'
import { drawNoise } from './batch.ts'
import type { LearnerConfig } from './config.ts'
import type { Group } from './method.ts'

export class Steps {
  readonly sampling: RandomStream
  private readonly noise: RandomStream
  private branch?: Steps

  constructor(
    readonly replay: ReplayBuffer,
    private readonly store: ParameterStore,
    private readonly groups: Record<string, Group>,
    private readonly batchPerTask: number,
    private readonly learner: LearnerConfig,
    private readonly seed: number,
    private readonly purpose = '',
  ) {
    this.sampling = new RandomStream(seed, `${purpose}sampling`)
    this.noise = new RandomStream(seed, `${purpose}learner noise`)
  }

  /** The same with random streams of its own, so that the refinement actor's draws do not move those of the others. */
  get ofRefinement(): Steps {
    const { replay, store, groups, batchPerTask, learner, seed } = this
    this.branch ??= new Steps(replay, store, groups, batchPerTask, learner, seed, 'refinement ')
    return this.branch
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

  /** Fresh parameters and moments. What follows them goes on from where it is. */
  renew(group: string, random: RandomStream): void {
    initialise(this.groups[group]!.layout, (name) => this.store.view(group, name), random)
    for (const moment of ['moment1', 'moment2'] as const) this.store.flat(group, moment).fill(0)
    this.store.steps[group] = 0
  }

  save(): Record<string, StreamState> {
    const own = { [`${this.purpose}sampling`]: this.sampling.save(), [`${this.purpose}noise`]: this.noise.save() }
    return { ...own, ...this.branch?.save() }
  }

  restore(streams: Record<string, StreamState>): void {
    this.sampling.restore(streams[`${this.purpose}sampling`]!)
    this.noise.restore(streams[`${this.purpose}noise`]!)
    if (streams['refinement sampling'] && this.purpose === '') this.ofRefinement.restore(streams)
  }
}
