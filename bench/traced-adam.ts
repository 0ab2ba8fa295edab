/** @file An optimiser step inside a graph, for steps that follow each other without coming back: Adam with clip, and Polyak, as the store's. */
import { add, div, less, mul, sqrt, square, sub, sum, type Tensor, where } from '../src/graph/index.ts'

const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

/** The runs of one group, flat, as a store has them. */
export type TracedRun = { value: Tensor; moment1: Tensor; moment2: Tensor; target?: Tensor }

/** What depends on how many steps there were: learning rate / (1 - β₁^t), and 1 / (1 - β₂^t). Scalars. */
export type TracedCoefficients = { step: Tensor; secondScale: Tensor }

/** The same for the `steps`-th step, from 1; in double precision on the host, as the store computes them. */
export const coefficientsOf = (steps: number, learningRate: number): Record<keyof TracedCoefficients, number> => ({
  step: learningRate / (1 - BETA1 ** steps),
  secondScale: 1 / (1 - BETA2 ** steps),
})

/** The runs after a step with a gradient of global norm clipped to `maxNorm`. */
export function tracedAdam(
  { value, moment1, moment2, target }: TracedRun,
  gradient: Tensor,
  { step, secondScale }: TracedCoefficients,
  { maxNorm, targetRate }: { maxNorm: number; targetRate: number },
): TracedRun {
  const norm = sqrt(sum(square(gradient)))
  const g = mul(gradient, where(less(norm, maxNorm), 1, div(maxNorm, norm)))
  const first = add(mul(BETA1, moment1), mul(1 - BETA1, g))
  const second = add(mul(BETA2, moment2), mul(1 - BETA2, square(g)))
  const moved = sub(value, div(mul(step, first), add(sqrt(mul(second, secondScale)), EPSILON)))
  return {
    value: moved,
    moment1: first,
    moment2: second,
    ...(target && { target: add(target, mul(targetRate, sub(moved, target))) }),
  }
}
