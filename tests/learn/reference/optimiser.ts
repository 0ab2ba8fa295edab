/** @file A group of parameters in double precision, its Adam step with the clip before it, and the target that follows. */
import type { LearnerConfig } from '../../../src/learn/config.ts'
import { Net } from './networks.ts'
import { gradientsOf, type Scalar, Value } from './tape.ts'

export type Run = 'value' | 'gradient' | 'moment1' | 'moment2' | 'target'

export class Group {
  steps = 0
  norm = 0 // of the last gradient, before the clip

  constructor(
    readonly shapes: Readonly<Record<string, readonly number[]>>,
    readonly runs: Partial<Record<Run, Float64Array>>,
    readonly targetRate: number | undefined,
  ) {}

  get value(): Float64Array {
    return this.runs.value!
  }

  /** The network with these parameters as constants. */
  net(run: 'value' | 'target' = 'value'): Net {
    return new Net(this.shapes, this.runs[run]!)
  }

  /** Notes the gradient of a loss to the parameters; the step comes when every loss of the step is known. */
  differentiate(lossOf: (net: Net) => Scalar): Scalar {
    const leaves = Array.from(this.value, (value) => new Value(value))
    const loss = lossOf(new Net(this.shapes, leaves))
    this.runs.gradient = gradientsOf(loss, leaves)
    return loss
  }

  /** Kingma & Ba 2015, their constants; the global norm of the gradient is cut to `maxGradientNorm` first. */
  step({ learningRate, maxGradientNorm }: Pick<LearnerConfig, 'learningRate' | 'maxGradientNorm'>): void {
    const { value, gradient, moment1, moment2, target } = this.runs as Record<Run, Float64Array>
    this.norm = Math.hypot(...gradient)
    const scale = Math.min(1, maxGradientNorm / this.norm)
    this.steps++
    for (let i = 0; i < value.length; i++) {
      const g = scale * gradient[i]!
      moment1[i] = 0.9 * moment1[i]! + 0.1 * g
      moment2[i] = 0.999 * moment2[i]! + 0.001 * g * g
      const first = moment1[i]! / (1 - 0.9 ** this.steps)
      const second = moment2[i]! / (1 - 0.999 ** this.steps)
      value[i]! -= (learningRate * first) / (Math.sqrt(second) + 1e-8)
      if (this.targetRate !== undefined) target[i] = (1 - this.targetRate) * target[i]! + this.targetRate * value[i]!
    }
  }
}
