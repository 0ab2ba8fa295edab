/** @file The layers of Octo as flax has them: dense, standardised convolution, group norm, layer norm. */
import {
  add,
  div,
  im2col,
  layerNorm,
  matmul,
  mean,
  mul,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
} from '../../graph/index.ts'
import { type Parameters, parameterNamed } from '../../nets/parameters.ts'

const EPSILON = 1e-6 // of all norms
const DEVIATION_EPSILON = 1e-5 // beside the weights' standard deviation, not under its root
const GROUPS = 32

/** x kernel + bias; kernels of attention, whose heads have an axis of their own, count as matrices. */
export function flaxDense(weights: Parameters, name: string, x: Tensor): Tensor {
  const bias = parameterNamed(weights, `${name}/bias`)
  const kernel = reshape(parameterNamed(weights, `${name}/kernel`), [x.shape.at(-1)!, bias.size])
  return add(matmul(x, kernel), reshape(bias, [bias.size]))
}

export const norm = (weights: Parameters, name: string, x: Tensor): Tensor =>
  layerNorm(x, parameterNamed(weights, `${name}/scale`), parameterNamed(weights, `${name}/bias`), EPSILON)

/**
 * Convolution 3 x 3 with stride 2 and one pixel of zeros on each side, whose weights are standardised per output channel
 * (arXiv 1903.10520) with the population deviation. [B, H, W, C] to [B, H / 2, W / 2, C'].
 */
export function standardConvolution(weights: Parameters, name: string, x: Tensor): Tensor {
  const kernel = parameterNamed(weights, `${name}/kernel`)
  const rows = reshape(kernel, [-1, kernel.shape[3]!])
  const centred = sub(rows, mean(rows, 0, true))
  const deviation = sqrt(mean(square(centred), 0, true))
  const standard = div(centred, add(deviation, DEVIATION_EPSILON))
  return add(matmul(im2col(x, 3, 2, 1), standard), parameterNamed(weights, `${name}/bias`))
}

/** Over height, width and the channels of a group. x [B, H, W, C]. */
export function groupNorm(weights: Parameters, name: string, x: Tensor): Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const grouped = reshape(x, [batch, height * width, GROUPS, channels / GROUPS])
  const centred = sub(grouped, mean(grouped, [1, 3], true))
  const variance = mean(square(centred), [1, 3], true)
  const normed = reshape(div(centred, sqrt(add(variance, EPSILON))), x.shape)
  return add(mul(normed, parameterNamed(weights, `${name}/scale`)), parameterNamed(weights, `${name}/bias`))
}
