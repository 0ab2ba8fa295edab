/** @file A method's actors as the robot uses them: one observation and one noise draw in, one action out. */
import { InputError } from '../errors.ts'
import { compile, input, mul, ParameterStore, type Program, type Tensor, transpose } from '../graph/index.ts'
import { refinedNoise, refinementMean, shapesOf } from '../nets/index.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import { GRIPPER_ENTRY } from '../robot/gripper.ts'
import { ACTION_WIDTH, type Action } from '../robot/robot.ts'
import type { CommandEncoder } from '../talk/embedding.ts'
import {
  type ActorNetwork,
  type ActorSizes,
  actorLayouts,
  type ByActor,
  headsOf,
  type MethodName,
  NOISE_SCALE,
  noiseOf,
  REFINEMENT_BOUND,
} from './actors.ts'
import { meanAnswer } from './executed.ts'
import type { Planner } from './planner.ts'
import { visualInput } from './visual-input.ts'

/** What actors see of one moment; features as the encoder leaves them, xi [1, A], the command's embedding [1, C]. */
export type ActorInputs = Record<'h' | 'proprio' | 'features' | 'xi' | 'command', Tensor>

/** The actions [1, A] of a method's actors, before the gripper's gain; m [1, A] is the mean of the refinement actor's noise. */
export function traceActors(
  sizes: ActorSizes,
  method: MethodName,
  store: ParameterStore,
  { h, proprio, features, xi, command }: ActorInputs,
): { primary: Tensor; refinement?: { action: Tensor; m: Tensor } } {
  const layouts = actorLayouts(sizes, method)
  const heads = headsOf(sizes).map((head) => store.tensors(head))
  const answer = (w: Tensor) => meanAnswer(heads)(w, { h, proprio })
  const seen = { features: transpose(features, [0, 1, 3, 2]), h }
  const noise = layouts.noiseActor ? noiseOf(sizes, store.tensors('noiseActor'), { ...seen, proprio }, xi).noise : xi
  const primary = answer(mul(NOISE_SCALE, noise))
  if (!layouts.refine) return { primary }
  const refine = store.tensors('refine')
  const m = refinementMean(refine, visualInput(sizes, refine, seen), command, REFINEMENT_BOUND)
  return { primary, refinement: { action: answer(refinedNoise(NOISE_SCALE, m, noise)), m } }
}

export type ActorParameters = ByActor<Float32Array> // the flat run of each group that the method acts with

export class Policy implements Planner {
  private readonly cache = new Map<string, Float32Array>()

  private constructor(
    private readonly store: ParameterStore,
    private readonly primaryProgram: Program,
    private readonly refinedProgram: Program | undefined,
    private readonly commands: CommandEncoder,
    private readonly gripperGain: number,
  ) {}

  static async create(sizes: ActorSizes, commands: CommandEncoder, method: MethodName = 'dual'): Promise<Policy> {
    const layouts = actorLayouts(sizes, method)
    const { gripperGain } = sizes.network
    const groups = Object.entries(layouts).map(([group, layout]) => [group, { tensors: shapesOf(layout) }])
    const store = new ParameterStore(Object.fromEntries(groups))
    const { primary, refinement } = traceActors(sizes, method, store, {
      h: input('h', [1, sizes.embedding]),
      proprio: input('proprio', [1, sizes.proprio]),
      features: input('features', [1, sizes.cameras, sizes.space, sizes.channels]),
      xi: input('xi', [1, ACTION_WIDTH]),
      command: input('command', [1, sizes.command]),
    })
    const primaryProgram = await compile({ name: 'primary actor', outputs: { action: primary }, threads: 1 })
    const refinedProgram = refinement && (await compile({ name: 'refinement actor', outputs: refinement, threads: 1 }))
    return new Policy(store, primaryProgram, refinedProgram, commands, gripperGain)
  }

  /** Whether it has a refinement actor: without one, whoever acts for the robot lets the primary actor go on. */
  get followsCommands(): boolean {
    return this.refinedProgram !== undefined
  }

  /** Copies the published parameters in. @throws InputError if they are of another size: another network */
  setParameters(values: ActorParameters): void {
    for (const group of this.store.names as ActorNetwork[]) {
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

  /**
   * a = π_θ(h; K xi), or π_θ(h; K n) with a noise actor's sample n from xi. xi [7] in units of K, its gripper's entry over the gripper's gain; zeros give the mean action of a head
   * with noise gain, or the noise actor's mode.
   */
  async primary(seen: EncodedObservation, xi: Float32Array): Promise<Action> {
    return this.act(this.primaryProgram, seen, xi)
  }

  /** a = π_θ(h; K (m + xi)) with m = μ_φ(s, command) / K; a noise actor's n in place of xi. @throws InputError if the method has no refinement actor */
  async refined(seen: EncodedObservation, command: string, xi: Float32Array): Promise<Action> {
    if (!this.refinedProgram)
      throw new InputError('policy', 'has no refinement actor to follow a command', 'Train one with method=dual')
    this.refinedProgram.inputs.command!.set(this.embed(command))
    return this.act(this.refinedProgram, seen, xi)
  }

  async release(): Promise<void> {
    await Promise.all([this.primaryProgram.release(), this.refinedProgram?.release()])
  }

  private async act(program: Program, seen: EncodedObservation, xi: Float32Array): Promise<Action> {
    const { h, proprio, features, xi: noise } = program.inputs
    h!.set(seen.h)
    proprio!.set(seen.proprio)
    features?.set(seen.features[0]!) // not every actor looks at the images
    noise!.set(xi)
    noise![GRIPPER_ENTRY]! /= this.gripperGain // it steepens what the head says, not how far noise spreads it
    await program.run()
    return this.decided(Float32Array.from(program.outputs.action!))
  }

  /** The mean over hands that closed and hands that did not leaves a gripper, which keeps its state below a half, as it was. */
  private decided(action: Action): Action {
    action[GRIPPER_ENTRY] = Math.min(1, Math.max(-1, this.gripperGain * action[GRIPPER_ENTRY]!))
    return action
  }

  private embed(command: string): Float32Array {
    const known = this.cache.get(command)
    if (known) return known
    const vector = this.commands.embed(command)
    this.cache.set(command, vector)
    return vector
  }
}
