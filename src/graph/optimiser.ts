/** @file An optimiser step: options, coefficients, and the interface that the kernel and its plain twin share. */

/** Adam (Kingma & Ba 2015) with global-norm clip before it and a Polyak step of the target after it. */
export interface AdamOptions {
  learningRate: number
  beta1?: number
  beta2?: number
  /** Outside the root. */
  epsilon?: number
  /** Gradients of a global norm of at least this are scaled down to it; unclipped if absent. */
  maxNorm?: number
  /** tau of target = (1 - tau) target + tau value, after the step; the target rests if absent. */
  targetRate?: number
}

/** The runs of one group: equally long views, elementwise in correspondence. */
export interface AdamRun {
  value: Float32Array
  gradient: Float32Array
  moment1: Float32Array
  moment2: Float32Array
  target?: Float32Array
}

/** Numbers of one step, after bias correction. */
export interface AdamCoefficients {
  gradientScale: number
  beta1: number
  beta2: number
  /** learning rate / (1 - beta1^t) */
  step: number
  /** 1 / (1 - beta2^t) */
  secondScale: number
  epsilon: number
  targetRate: number
}

export interface Optimiser {
  sumOfSquares(values: Float32Array): number
  /** One step in place. */
  adam(run: AdamRun, coefficients: AdamCoefficients): void
  polyak(value: Float32Array, target: Float32Array, rate: number): void
}

/** One step of `run` as the `steps`-th (from 1). Returns the global norm of the gradient before clipping. */
export function adamStep(optimiser: Optimiser, run: AdamRun, steps: number, options: AdamOptions): number {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, maxNorm, targetRate } = options
  const norm = Math.sqrt(optimiser.sumOfSquares(run.gradient))
  optimiser.adam(targetRate === undefined ? { ...run, target: undefined } : run, {
    gradientScale: maxNorm !== undefined && norm >= maxNorm ? maxNorm / norm : 1,
    beta1,
    beta2,
    step: learningRate / (1 - beta1 ** steps),
    secondScale: 1 / (1 - beta2 ** steps),
    epsilon,
    targetRate: targetRate ?? 0,
  })
  return norm
}
