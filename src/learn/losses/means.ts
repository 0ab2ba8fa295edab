/** @file Means and norms that the losses share. */
import { div, maximum, mean, mul, square, sub, sum, type Tensor } from '../../graph/index.ts'

/** ||a - b||² over the last axis: [..., A] → [...]. */
export const squaredDistance = (a: Tensor, b: Tensor): Tensor => sum(square(sub(a, b)), [a.shape.length - 1])

/** Mean along the last axis of the samples whose mask is 1, or 0 where there is none: [..., batch] → [...]. */
export function maskedMean(perSample: Tensor, mask: Tensor): Tensor {
  const batch = [perSample.shape.length - 1]
  return div(sum(mul(mask, perSample), batch), maximum(sum(mask, batch), 1))
}

/** Mean over the last axis: [..., batch] → [...]. */
export const batchMean = (perSample: Tensor): Tensor => mean(perSample, [perSample.shape.length - 1])
