/** @file The optimiser in plain JavaScript: the readable twin against which the kernel is held. */

import type { Optimiser } from './optimiser.ts'

export const plainOptimiser: Optimiser = {
  sumOfSquares(values) {
    let sum = 0
    for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!
    return sum
  },

  adam(run, { gradientScale, beta1, beta2, step, secondScale, epsilon, targetRate }) {
    const { value, gradient, moment1, moment2, target } = run
    for (let i = 0; i < value.length; i++) {
      const g = gradient[i]! * gradientScale
      moment1[i] = beta1 * moment1[i]! + (1 - beta1) * g
      moment2[i] = beta2 * moment2[i]! + (1 - beta2) * g * g
      value[i]! -= (step * moment1[i]!) / (Math.sqrt(moment2[i]! * secondScale) + epsilon)
      if (target) target[i]! += targetRate * (value[i]! - target[i]!)
    }
  },

  polyak(value, target, rate) {
    for (let i = 0; i < value.length; i++) target[i]! += rate * (value[i]! - target[i]!)
  },
}
