/** @file The layers of Octo as flax has them: dense, standardised convolution, group norm, layer norm. */
import {
  add,
  div,
  expand,
  im2col,
  layerNorm,
  matmul,
  mean,
  mul,
  reshape,
  slice,
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
 * (arXiv 1903.10520) with the population deviation. [B, H, W, C] to [B, H / 2, W / 2, C']. `beside` [1, H, W, D]: more
 * channels, the same in every picture; what they add to the result is a constant, which the runtime computes at load.
 */
export function standardConvolution(weights: Parameters, name: string, x: Tensor, beside?: Tensor): Tensor {
  const kernel = parameterNamed(weights, `${name}/kernel`)
  const [, , inputs, outputs] = kernel.shape as [number, number, number, number]
  const rows = reshape(kernel, [-1, outputs])
  const centred = sub(rows, mean(rows, 0, true))
  const deviation = sqrt(mean(square(centred), 0, true))
  const standard = reshape(div(centred, add(deviation, DEVIATION_EPSILON)), [-1, inputs, outputs])
  const by = (picture: Tensor, from: number) =>
    matmul(im2col(picture, 3, 2, 1), reshape(slice(standard, 1, from, from + picture.shape[3]!), [-1, outputs]))
  const bias = parameterNamed(weights, `${name}/bias`)
  return add(by(x, 0), beside ? add(by(beside, x.shape[3]!), bias) : bias)
}

/** Over height, width and the channels of a group. x [B, H, W, C]. Sums run along whole rows of channels, which are of all groups. */
export function groupNorm(weights: Parameters, name: string, x: Tensor): Tensor {
  const [batch, , , channels] = x.shape as [number, number, number, number]
  const groups = [batch, GROUPS, channels / GROUPS]
  const groupMean = (of: Tensor) => {
    const means = mean(reshape(mean(of, [1, 2]), groups), 2, true)
    return reshape(expand(means, groups), [batch, 1, 1, channels])
  }
  const centred = sub(x, groupMean(x))
  const scale = div(parameterNamed(weights, `${name}/scale`), sqrt(add(groupMean(square(centred)), EPSILON)))
  return add(mul(centred, scale), parameterNamed(weights, `${name}/bias`))
}
