/**
 * @file Octo's own diffusion head: from noise to a chunk of actions, given the readout. Duet acts with its own head;
 * this one checks that a checkpoint was loaded and understood as a whole.
 */
import { add, concat, cos, matmul, mul, reshape, sigmoid, sin, swapLast, type Tensor } from '../../graph/index.ts'
import { type Parameters, parameterNamed } from '../../nets/parameters.ts'
import type { OctoConfig } from './config.ts'
import { flaxDense, norm } from './layers.ts'
import { DIFFUSION } from './plan.ts'

const LARGEST_ACTION = 5

type Head = NonNullable<OctoConfig['head']>

const swish = (x: Tensor): Tensor => mul(x, sigmoid(x))

/** The noise in `actions` [B, chunk] at `time` [B, 1] (a step number), given h [B, width]. */
export function predictedNoise(
  weights: Parameters,
  { head }: { head: Head },
  h: Tensor,
  actions: Tensor,
  time: Tensor,
): Tensor {
  const frequencies = swapLast(parameterNamed(weights, `${DIFFUSION}/time_preprocess/kernel`))
  const angles = matmul(mul(time, 2 * Math.PI), frequencies)
  const encoded = flaxDense(weights, `${DIFFUSION}/cond_encoder/Dense_0`, concat([cos(angles), sin(angles)], 1))
  const condition = flaxDense(weights, `${DIFFUSION}/cond_encoder/Dense_1`, swish(encoded))
  const network = `${DIFFUSION}/reverse_network`
  let y = flaxDense(weights, `${network}/Dense_0`, concat([condition, h, actions], 1))
  for (let i = 0; i < head.blocks; i++) {
    const name = `${network}/MLPResNetBlock_${i}`
    const up = swish(flaxDense(weights, `${name}/Dense_0`, norm(weights, `${name}/LayerNorm_0`, y)))
    y = add(y, flaxDense(weights, `${name}/Dense_1`, up))
  }
  return reshape(flaxDense(weights, `${network}/Dense_1`, swish(y)), actions.shape)
}

export type NoiseSchedule = { beta: Float64Array; alphaBar: Float64Array } // one entry a step

/** The cosine schedule (arXiv 2102.09672 eq. 17). */
export function cosineSchedule(steps: number): NoiseSchedule {
  const s = 0.008
  const level = (k: number) => Math.cos((((k / steps + s) / (1 + s)) * Math.PI) / 2) ** 2
  const beta = Float64Array.from({ length: steps }, (_, k) => Math.min(0.999, Math.max(0, 1 - level(k + 1) / level(k))))
  let product = 1
  return { beta, alphaBar: beta.map((b) => (product *= 1 - b)) }
}

/** One step of the sampler: x at step t from its predicted noise; `z` is fresh normal noise, unused in the last step. */
export function denoise(
  { beta, alphaBar }: NoiseSchedule,
  step: number,
  x: Float32Array,
  noise: Float32Array,
  z: Float32Array,
): Float32Array {
  const share = beta[step]! / Math.sqrt(1 - alphaBar[step]!)
  const spread = step > 0 ? Math.sqrt(beta[step]!) : 0
  return x.map((value, i) => {
    const next = (value - share * noise[i]!) / Math.sqrt(1 - beta[step]!) + spread * z[i]!
    return Math.max(-LARGEST_ACTION, Math.min(LARGEST_ACTION, next))
  })
}
