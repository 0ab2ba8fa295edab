/** @file The two actors as the robot uses them: one observation and one noise draw in, one action out. */
import { InputError } from '../errors.ts'
import { compile, input, mul, ParameterStore, type Program, transpose } from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  conditioning,
  consistencySchedule,
  denoiser,
  policyOf,
  pooledFeatures,
  refinedNoise,
  refinementMean,
  shapesOf,
} from '../nets/index.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import { ACTION_WIDTH, type Action } from '../robot/robot.ts'
import type { CommandEncoder } from '../talk/embedding.ts'
import { type ActorSizes, actorLayouts, NOISE_SCALE, REFINEMENT_BOUND } from './actors.ts'

export type ActorParameters = Record<string, Float32Array> // 'head' and 'refine': the flat run of each group

export class Policy {
  private readonly cache = new Map<string, Float32Array>()

  private constructor(
    private readonly store: ParameterStore,
    private readonly primaryProgram: Program,
    private readonly refinedProgram: Program,
    private readonly commands: CommandEncoder,
  ) {}

  static async create(sizes: ActorSizes, commands: CommandEncoder): Promise<Policy> {
    const layouts = actorLayouts(sizes)
    const store = new ParameterStore({
      head: { tensors: shapesOf(layouts.head) },
      refine: { tensors: shapesOf(layouts.refine) },
    })
    const pi = policyOf(denoiser(store.tensors('head')), consistencySchedule(CONRFT_SCHEDULE))
    const h = input('h', [1, sizes.embedding])
    const proprio = input('proprio', [1, sizes.proprio])
    const xi = input('xi', [1, ACTION_WIDTH])
    const condition = conditioning(store.tensors('head'), h, proprio)
    const primary = await compile({
      name: 'primary actor',
      outputs: { action: pi(mul(NOISE_SCALE, xi), condition) },
      threads: 1,
    })
    const features = input('features', [1, sizes.cameras, sizes.space, sizes.channels])
    const command = input('command', [1, sizes.command])
    const refine = store.tensors('refine')
    const byChannel = transpose(features, [0, 1, 3, 2])
    const m = refinementMean(refine, pooledFeatures(refine, byChannel), command, REFINEMENT_BOUND)
    const outputs = { action: pi(refinedNoise(NOISE_SCALE, m, xi), condition), m }
    const refined = await compile({ name: 'refinement actor', outputs, threads: 1 })
    return new Policy(store, primary, refined, commands)
  }

  /** Copies the published parameters in. @throws InputError if they are of another size: another network */
  setParameters(values: ActorParameters): void {
    for (const group of ['head', 'refine'] as const) {
      const own = this.store.flat(group, 'value')
      const given = values[group]
      if (given?.length !== own.length) {
        const what = `has ${given?.length ?? 0} parameters, this network ${own.length}`
        throw new InputError(
          `published ${group}`,
          what,
          'Use a checkpoint that was made with the same network settings',
        )
      }
      own.set(given)
    }
  }

  /** a = π_θ(h; K xi). xi [7] in units of K; zeros give the mean action of a head with noise gain. */
  async primary(seen: EncodedObservation, xi: Float32Array): Promise<Action> {
    const { inputs, outputs } = this.primaryProgram
    inputs.h!.set(seen.h)
    inputs.proprio!.set(seen.proprio)
    inputs.xi!.set(xi)
    await this.primaryProgram.run()
    return Float32Array.from(outputs.action!)
  }

  /** a = π_θ(h; K (m + xi)) with m = μ_φ(s, command) / K. */
  async refined(seen: EncodedObservation, command: string, xi: Float32Array): Promise<Action> {
    const { inputs, outputs } = this.refinedProgram
    inputs.h!.set(seen.h)
    inputs.proprio!.set(seen.proprio)
    inputs.xi!.set(xi)
    inputs.features!.set(seen.features[0]!)
    inputs.command!.set(this.embed(command))
    await this.refinedProgram.run()
    return Float32Array.from(outputs.action!)
  }

  async release(): Promise<void> {
    await Promise.all([this.primaryProgram.release(), this.refinedProgram.release()])
  }

  private embed(command: string): Float32Array {
    const known = this.cache.get(command)
    if (known) return known
    const vector = this.commands.embed(command)
    this.cache.set(command, vector)
    return vector
  }
}
