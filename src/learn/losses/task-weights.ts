/** @file Adaptive task weights: tasks whose critics promise little weigh more in the actor's loss (docs/method.md §4, §12). */
import { InputError } from '../../errors.ts'
import { add, clip, div, maximum, mul, stopGradient, sum, type Tensor } from '../../graph/index.ts'
import type { Figure } from '../../metrics/figure.ts'

export const TASK_WEIGHT: Figure = { name: 'weight', title: 'ε', chart: 'Task weight ε', unit: 'ε', of: 'task' }

export type TaskWeightSettings = { c: number; min: number; max: number }

/**
 * ε_i = clip(Σ_j max(Q̄_j, 0) / (N max(Q̄_i, 0) + N c), min, max): a negative mean counts as 0, so that every weight is
 * finite and inside the range.
 * @throws InputError on a non-finite or empty list
 */
export function taskWeights(meanQ: readonly number[], { c, min, max }: TaskWeightSettings): number[] {
  if (meanQ.length === 0) throw new InputError('task weights', 'there is no task', 'Give one mean Q per task')
  const bad = meanQ.findIndex((q) => !Number.isFinite(q))
  if (bad >= 0) {
    throw new InputError(
      'task weights',
      `mean Q of task ${bad} is ${meanQ[bad]}`,
      'The critic diverged: lower its learning rate',
    )
  }
  const values = meanQ.map((q) => Math.max(q, 0))
  const total = values.reduce((a, b) => a + b, 0)
  return values.map((q) => Math.min(Math.max(total / (meanQ.length * (q + c)), min), max))
}

/**
 * The same inside a training step, without gradient: meanQ [task] → [task]. A step cannot throw; the caller checks the
 * means that the step returns with `taskWeights`.
 */
export function taskWeightTensor(meanQ: Tensor, { c, min, max }: TaskWeightSettings): Tensor {
  const tasks = meanQ.shape[0]!
  const values = maximum(stopGradient(meanQ), 0)
  return stopGradient(clip(div(sum(values), mul(tasks, add(values, c))), min, max))
}
