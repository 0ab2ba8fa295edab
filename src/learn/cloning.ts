/** @file Steps of the head on its cloning term alone: a fraction of the cost of a joint step, since no critic is asked. */
import { compile, mean, mul, type ParameterStore, type Program } from '../graph/index.ts'
import { NOISE_SCALE } from './actors.ts'
import { sigmaIndexInput } from './batch.ts'
import { type Cloning, cloningTerm, maskedMean } from './losses/index.ts'
import type { StepSettings } from './method.ts'
import type { Steps } from './steps.ts'
import { Update } from './update.ts'

const CLONED_ONLY = 1 // share of demonstrations and interventions in a batch that is only cloned

/** The form of the cloning term that the config asks for, with the noise that it draws. */
export function cloningOf(update: Update): Cloning {
  const { bcTerm, noiseGain } = update.settings.learner
  const noise =
    bcTerm === 'reconstruction'
      ? { epsilon: update.normal('epsilon'), sigmaIndex: sigmaIndexInput(update.rows) }
      : undefined
  return { schedule: update.schedule, noise, noiseGain }
}

export class CloningSteps {
  private constructor(
    readonly program: Program,
    private readonly group: string,
  ) {}

  /** `group`: the parameters that learn to clone, of a head's layout. */
  static async compile(store: ParameterStore, settings: StepSettings, group = 'head'): Promise<CloningSteps> {
    const update = new Update(store, settings, store.tensors(group))
    const { batch, f, policy, h } = update
    const xi = update.normal('actor')
    const clones = { h, actions: batch.action, xi, bcMask: batch.bcMask }
    const { perSample } = cloningTerm(f, clones, policy(mul(NOISE_SCALE, xi), h), cloningOf(update))
    const loss = mean(maskedMean(perSample, batch.bcMask))
    const gradients = [{ store, group, loss }]
    const program = await compile({
      name: `cloning step of ${group}`,
      outputs: { bc: loss },
      gradients,
      threads: settings.threads,
    })
    return new CloningSteps(program, group)
  }

  /** Returns the loss and the gradient norm of the last of them. */
  async take(count: number, steps: Steps): Promise<{ bc: number; gradientNorm: number }> {
    let gradientNorm = 0
    for (let i = 0; i < count; i++) {
      await steps.run(this.program, CLONED_ONLY)
      gradientNorm = steps.apply(this.group)
    }
    return { bc: this.program.outputs.bc![0]!, gradientNorm }
  }
}
