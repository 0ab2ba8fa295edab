/** @file Layers as the checkpoints of the Hugging Face Hub store them: linear weights are [out, in], biases optional. */
import { add, div, matmul, mean, mul, sqrt, square, swapLast, type Tensor } from '../graph/index.ts'
import { type Parameters, parameterNamed } from './parameters.ts'

/** x Wᵀ, and + bias where the checkpoint has one. x [..., in], W [out, in]. */
export function linearLayer(weights: Parameters, name: string, x: Tensor): Tensor {
  const product = `${name}.down` in weights ? lowRank(weights, name, x) : timesTransposed(weights, `${name}.weight`, x)
  return `${name}.bias` in weights ? add(product, parameterNamed(weights, `${name}.bias`)) : product
}

/**
 * x (W + up down)ᵀ of a LoRA finetune as x Wᵀ + (x downᵀ) upᵀ: the sum of the matrices is never made. down [r, in],
 * up [out, r]; `stretch` [out] multiplies the rows of the sum where a finetune has it (DoRA).
 */
function lowRank(weights: Parameters, name: string, x: Tensor): Tensor {
  const side = timesTransposed(weights, `${name}.up`, timesTransposed(weights, `${name}.down`, x))
  const product = add(timesTransposed(weights, `${name}.frozen`, x), side)
  return `${name}.stretch` in weights ? mul(product, parameterNamed(weights, `${name}.stretch`)) : product
}

const timesTransposed = (weights: Parameters, name: string, x: Tensor): Tensor =>
  matmul(x, swapLast(parameterNamed(weights, name)))

/** w x / sqrt(mean x² + epsilon) over the last axis. */
export const scaleByRms = (x: Tensor, weight: Tensor, epsilon: number): Tensor =>
  mul(weight, div(x, sqrt(add(mean(square(x), -1, true), epsilon))))

/** `scaleByRms` with the weight of that name. */
export const rmsNorm = (weights: Parameters, name: string, x: Tensor, epsilon: number): Tensor =>
  scaleByRms(x, parameterNamed(weights, `${name}.weight`), epsilon)
