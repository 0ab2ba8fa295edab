/** @file What every method does alike: fill a program's batch from the replay, draw its noise, run it, apply Adam. */
import type { ParameterStore, Program } from '../graph/index.ts'
import { RandomStream, type StreamState } from '../random/stream.ts'
import type { ReplayBuffer, TransitionRows } from '../replay/buffer.ts'
import { drawNoise } from './batch.ts'
import type { LearnerConfig } from './config.ts'
import type { Group } from './method.ts'

export class Steps {
  readonly sampling: RandomStream
  private readonly noise: RandomStream

  constructor(
    readonly replay: ReplayBuffer,
    private readonly store: ParameterStore,
    private readonly groups: Record<string, Group>,
    private readonly batchPerTask: number,
    private readonly learner: LearnerConfig,
    seed: number,
  ) {
    this.sampling = new RandomStream(seed, 'sampling')
    this.noise = new RandomStream(seed, 'learner noise')
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

  save(): Record<string, StreamState> {
    return { sampling: this.sampling.save(), noise: this.noise.save() }
  }

  restore(streams: Record<string, StreamState>): void {
    this.sampling.restore(streams.sampling!)
    this.noise.restore(streams.noise!)
  }
}
