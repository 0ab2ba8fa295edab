/** @file Octo's picture tokeniser: four strided convolutions, then one token for each 16 x 16 pixels (arXiv 2405.12213 §III). */
import { filled, mul, relu, reshape, sub, type Tensor } from '../../graph/index.ts'
import type { Parameters } from '../../nets/parameters.ts'
import type { OctoCamera } from './config.ts'
import { flaxDense, groupNorm, standardConvolution } from './layers.ts'
import { stemName } from './plan.ts'

export type Stem = {
  convolutions: readonly Tensor[] // before each group norm
  norms: readonly Tensor[] // before each ReLU
  tokens: Tensor // [B, side, side, width]
}

/** No goal picture: zeros, as pixels, which the scaling makes -1. */
const NO_GOAL = -1

/** `pictures` [B, size, size, 3], 0..255. Where the camera takes a goal, its three channels follow the observation's. */
export function stem(weights: Parameters, { name: camera, stem: stages, goal }: OctoCamera, pictures: Tensor): Stem {
  const name = stemName(camera)
  const scaled = sub(mul(pictures, 1 / 127.5), 1)
  const convolutions: Tensor[] = []
  const norms: Tensor[] = []
  const [, ...extents] = pictures.shape
  const noGoal = goal ? filled([1, ...extents], NO_GOAL) : undefined
  let x = scaled
  for (let i = 0; i < stages.length; i++) {
    const convolved = standardConvolution(weights, `${name}/StdConv_${i}`, x, i === 0 ? noGoal : undefined)
    const normed = groupNorm(weights, `${name}/GroupNorm_${i}`, convolved)
    convolutions.push(convolved)
    norms.push(normed)
    x = relu(normed)
  }
  const [batch, height, width] = x.shape as [number, number, number]
  const tokens = flaxDense(weights, `${name}/embedding`, reshape(x, [batch, height * width, -1]))
  return { convolutions, norms, tokens: reshape(tokens, [batch, height, width, -1]) }
}
