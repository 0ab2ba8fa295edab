/**
 * @file ResNet-10 with group norm, as HIL-SERL trained it on ImageNet: four stages of one block each (arXiv 1512.03385
 * §4.1, in Flax). Inside, pictures are [B, C, H, W]; kernels come as Flax stores them, [height, width, in, out].
 */
import {
  add,
  constant,
  convolution,
  div,
  maximum,
  mean,
  mul,
  pad,
  relu,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  type Tensor,
  transpose,
} from '../graph/index.ts'
import { type Parameters, parameterNamed } from './parameters.ts'

export type ResNetSizes = {
  filters: number // of the first stage; each further one has twice as many
  groups: number // of every group norm
  epsilon: number
}

/** The published one: 4,905,792 parameters. */
export const RESNET10: ResNetSizes = { filters: 64, groups: 4, epsilon: 1e-5 }

const STAGES = 4

/** ImageNet's, of pixels in 0..1. */
const MEAN = [0.485, 0.456, 0.406]
const DEVIATION = [0.229, 0.224, 0.225]

/** Every tensor by name and shape. */
export function resnetPlan({ filters }: ResNetSizes): Record<string, number[]> {
  const plan: Record<string, number[]> = { 'conv_init/kernel': [7, 7, 3, filters] }
  const norm = (name: string, channels: number) => {
    plan[`${name}/scale`] = [channels]
    plan[`${name}/bias`] = [channels]
  }
  norm('norm_init', filters)
  for (let stage = 0; stage < STAGES; stage++) {
    const name = `ResNetBlock_${stage}`
    const channels = filters * 2 ** stage
    const inputs = stage ? channels / 2 : filters
    plan[`${name}/Conv_0/kernel`] = [3, 3, inputs, channels]
    plan[`${name}/Conv_1/kernel`] = [3, 3, channels, channels]
    norm(`${name}/MyGroupNorm_0`, channels)
    norm(`${name}/MyGroupNorm_1`, channels)
    if (stage === 0) continue
    plan[`${name}/conv_proj/kernel`] = [1, 1, inputs, channels]
    norm(`${name}/norm_proj`, channels)
  }
  return plan
}

export type ResNetOutputs = {
  first: Tensor // [B, C, H/2, W/2] of the first convolution
  firstNorm: Tensor // of it, before the ReLU
  stem: Tensor // [B, C, H/4, W/4]
  inner: readonly { convolution: Tensor; projection?: Tensor }[] // of each block: its first convolution, its shortcut's
  blocks: readonly Tensor[] // after each block
}

/** `pictures` [B, H, W, 3], 0..255. The last of `blocks` is the map before pooling. */
export function resnet10(parameters: Parameters, sizes: ResNetSizes, pictures: Tensor): ResNetOutputs {
  const scaled = div(sub(mul(pictures, 1 / 255), constant(MEAN)), constant(DEVIATION))
  const planes = transpose(scaled, [0, 3, 1, 2])
  const first = convolution(planes, kernelOf(parameters, 'conv_init'), { stride: 2, padding: 3 })
  const firstNorm = groupNorm(parameters, 'norm_init', first, sizes)
  const stem = maxPool(relu(firstNorm))
  const blocks: Tensor[] = []
  const inner: { convolution: Tensor; projection?: Tensor }[] = []
  for (let stage = 0; stage < STAGES; stage++) {
    const name = `ResNetBlock_${stage}`
    const stride = stage ? 2 : 1
    const x = blocks.at(-1) ?? stem
    const [, , height, width] = x.shape as [number, number, number, number]
    const opened = convolution(x, kernelOf(parameters, `${name}/Conv_0`), {
      stride,
      padding: samePadding(3, stride, height, width),
    })
    const middle = relu(groupNorm(parameters, `${name}/MyGroupNorm_0`, opened, sizes))
    const closed = convolution(middle, kernelOf(parameters, `${name}/Conv_1`), { padding: 1 })
    const y = groupNorm(parameters, `${name}/MyGroupNorm_1`, closed, sizes)
    const projection = stage ? convolution(x, kernelOf(parameters, `${name}/conv_proj`), { stride }) : undefined
    const shortcut = projection ? groupNorm(parameters, `${name}/norm_proj`, projection, sizes) : x
    inner.push({ convolution: opened, projection })
    blocks.push(relu(add(shortcut, y)))
  }
  return { first, firstNorm, stem, inner, blocks }
}

const kernelOf = (parameters: Parameters, name: string): Tensor =>
  transpose(parameterNamed(parameters, `${name}/kernel`), [3, 2, 0, 1])

/**
 * TensorFlow's SAME: as many outputs as strides fit into the picture, the larger half of the padding behind. For a
 * kernel of 3 and a stride of 2 on an even size that is nothing before and one after.
 */
function samePadding(kernel: number, stride: number, height: number, width: number): [number, number, number, number] {
  const [down, across] = [height, width].map((size) => {
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return [Math.floor(total / 2), Math.ceil(total / 2)]
  }) as [[number, number], [number, number]]
  return [down[0], across[0], down[1], across[1]]
}

/** Over height, width and the channels of a group; scale and bias per channel. x [B, C, H, W]. */
function groupNorm(parameters: Parameters, name: string, x: Tensor, { groups, epsilon }: ResNetSizes): Tensor {
  const channels = x.shape[1]!
  const grouped = reshape(x, [x.shape[0]!, groups, -1])
  const centred = sub(grouped, mean(grouped, 2, true))
  const normed = div(centred, sqrt(add(mean(square(centred), 2, true), epsilon)))
  const ofChannel = (which: string) => reshape(parameterNamed(parameters, `${name}/${which}`), [channels, 1, 1])
  return add(mul(reshape(normed, x.shape), ofChannel('scale')), ofChannel('bias'))
}

/** The largest of 3 x 3 with stride 2 and SAME padding. x [B, C, H, W] is not negative, so that zeros may stand outside. */
function maxPool(x: Tensor): Tensor {
  const [, , height, width] = x.shape as [number, number, number, number]
  const [top, left, bottom, right] = samePadding(3, 2, height, width)
  const padded = pad(x, [
    [0, 0],
    [0, 0],
    [top, bottom],
    [left, right],
  ])
  const largestOfThree = (tensor: Tensor, axis: number, size: number) => {
    const end = (Math.ceil(size / 2) - 1) * 2 + 1
    const taps = [0, 1, 2].map((tap) => slice(tensor, axis, tap, tap + end, 2))
    return taps.reduce((a, b) => maximum(a, b))
  }
  return largestOfThree(largestOfThree(padded, 2, height), 3, width)
}
