/**
 * @file The nano encoder as a symbolic graph: a small Octo-like transformer (arXiv 2405.12213 §III) with pre-norm blocks.
 *
 * Tokens: words | proprio | patches of each camera | readout. Words attend to words; proprio and patches to each other,
 * not to words, so that the visual features are the same whatever is said; the readout attends to everything.
 */
import {
  add,
  concat,
  constant,
  gather,
  im2col,
  input,
  layerNorm,
  matmul,
  mul,
  patches,
  relu,
  reshape,
  slice,
  softmax,
  squeeze,
  sub,
  sum,
  type Tensor,
  transpose,
  unsqueeze,
} from '../../graph/index.ts'
import { dense } from '../../nets/layers.ts'
import { denseLayout, type Layout, type Parameters, parameterNamed } from '../../nets/parameters.ts'
import { featureShapeOf, gridOf, type NanoConfig } from './config.ts'
import { embeddingRows } from './words.ts'

/** Symbolic inputs of one batch. */
export type NanoInputs = {
  images: readonly Tensor[] // one a camera, [B, size, size, 3], 0..255
  proprio: Tensor // [B, proprio], raw
  wordRows: Tensor // [B, words] i32
  wordShares: Tensor // [B, words]
}

export type NanoOutputs = {
  readout: Tensor // [B, width] after the last norm
  h: Tensor // [B, 2 width]: readout, pooled instruction embedding
  features: Tensor // [B, cameras, grid, grid, width]: the last patch tokens
}

/** The inputs by name: image.<camera>, proprio, wordRows, wordShares. */
export const nanoInputs = (config: NanoConfig, batch: number): NanoInputs => ({
  images: config.cameras.map((camera) => input(`image.${camera}`, [batch, config.imageSize, config.imageSize, 3])),
  proprio: input('proprio', [batch, config.proprio.mean.length]),
  wordRows: input('wordRows', [batch, config.words], 'i32'),
  wordShares: input('wordShares', [batch, config.words]),
})

/** Kernel, stride and padding of the stem's stages; together they make one token of 32 x 32 pixels. */
const STEM = [
  { kernel: 4, stride: 4, padding: 0 },
  { kernel: 3, stride: 2, padding: 1 },
  { kernel: 3, stride: 2, padding: 1 },
  { kernel: 2, stride: 2, padding: 0 },
] as const

const tokensOf = (config: NanoConfig) => config.words + 1 + config.cameras.length * gridOf(config) ** 2 + 1

const normLayout = (name: string, width: number): Layout => ({
  [`${name}.scale`]: { shape: [width], mean: 1, standardDeviation: 0 },
  [`${name}.bias`]: { shape: [width], mean: 0, standardDeviation: 0 },
})

/** All parameters of the encoder; about one million at the default sizes. */
export function nanoLayout(config: NanoConfig): Layout {
  const { width, layers, mlpWidth, stemWidths } = config
  const channels = [3, ...stemWidths, width]
  const stems = config.cameras.flatMap((camera) =>
    STEM.map(({ kernel }, stage) =>
      denseLayout(`stem.${camera}.${stage}`, kernel * kernel * channels[stage]!, channels[stage + 1]!, {
        gain: stage < STEM.length - 1 ? Math.SQRT2 : 1,
      }),
    ),
  )
  const depthGain = 1 / Math.sqrt(2 * layers) // keeps the residual stream's variance near one at the start
  const blocks = Array.from({ length: layers }, (_, i) => ({
    ...normLayout(`block.${i}.attention.norm`, width),
    ...denseLayout(`block.${i}.attention.query`, width, width),
    ...denseLayout(`block.${i}.attention.key`, width, width),
    ...denseLayout(`block.${i}.attention.value`, width, width),
    ...denseLayout(`block.${i}.attention.out`, width, width, { gain: depthGain }),
    ...normLayout(`block.${i}.mlp.norm`, width),
    ...denseLayout(`block.${i}.mlp.up`, width, mlpWidth, { gain: Math.SQRT2 }),
    ...denseLayout(`block.${i}.mlp.down`, mlpWidth, width, { gain: depthGain }),
  }))
  return Object.assign(
    {
      'words.table': { shape: [embeddingRows(config), width], mean: 0, standardDeviation: 0.5 },
      positions: { shape: [tokensOf(config), width], mean: 0, standardDeviation: 0.3 },
    },
    denseLayout('proprio.0', config.proprio.mean.length, width, { gain: Math.SQRT2 }),
    denseLayout('proprio.1', width, width),
    ...stems,
    ...blocks,
    normLayout('norm', width),
  )
}

export function nano(parameters: Parameters, config: NanoConfig, inputs: NanoInputs): NanoOutputs {
  const { width, words, cameras } = config
  const batch = inputs.proprio.shape[0]!
  const grid = gridOf(config)
  const patchCount = cameras.length * grid * grid

  const spoken = gather(parameterNamed(parameters, 'words.table'), inputs.wordRows) // [B, words, width]
  const instruction = sum(mul(spoken, unsqueeze(inputs.wordShares, 2)), [1])
  const body = unsqueeze(proprioToken(parameters, config, inputs.proprio), 1)
  const seen = cameras.map((camera, i) => stem(parameters, camera, inputs.images[i]!, width))
  const readoutSlot = constant(new Float32Array(batch * width), [batch, 1, width]) // its position row is its content
  let x = add(concat([spoken, body, ...seen, readoutSlot], 1), parameterNamed(parameters, 'positions'))

  const mask = attentionMask(config)
  for (let i = 0; i < config.layers; i++) {
    x = add(x, attention(parameters, `block.${i}.attention`, x, config.heads, mask))
    const up = relu(dense(parameters, `block.${i}.mlp.up`, norm(parameters, `block.${i}.mlp.norm`, x)))
    x = add(x, dense(parameters, `block.${i}.mlp.down`, up))
  }

  const first = words + 1
  const final = norm(parameters, 'norm', slice(x, 1, first, first + patchCount + 1))
  const readout = squeeze(slice(final, 1, patchCount, patchCount + 1), 1)
  const features = reshape(slice(final, 1, 0, patchCount), [batch, ...featureShapeOf(config)])
  return { readout, h: concat([readout, instruction], 1), features }
}

function proprioToken(parameters: Parameters, { proprio }: NanoConfig, raw: Tensor): Tensor {
  const inverse = Float32Array.from(proprio.deviation, (deviation) => 1 / deviation)
  const standard = mul(sub(raw, constant(proprio.mean)), constant(inverse))
  return dense(parameters, 'proprio.1', relu(dense(parameters, 'proprio.0', standard)))
}

/** Strided convolutions with a relu between: [B, S, S, 3] to [B, (S / 32)², width]. */
function stem(parameters: Parameters, camera: string, image: Tensor, width: number): Tensor {
  let x = sub(mul(image, 1 / 64), 2) // 0..255 to -2..2
  STEM.forEach(({ kernel, stride, padding }, stage) => {
    if (stage > 0) x = relu(x)
    const windows = kernel === stride ? patches(x, kernel) : im2col(x, kernel, stride, padding)
    x = dense(parameters, `stem.${camera}.${stage}`, windows)
  })
  return reshape(x, [x.shape[0]!, -1, width])
}

function norm(parameters: Parameters, name: string, x: Tensor): Tensor {
  return layerNorm(x, parameterNamed(parameters, `${name}.scale`), parameterNamed(parameters, `${name}.bias`))
}

/** Multi-head self-attention of the normed x [B, T, width]. */
function attention(parameters: Parameters, name: string, x: Tensor, heads: number, mask: Tensor): Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number]
  const size = width / heads
  const normed = norm(parameters, `${name}.norm`, x)
  const split = (which: 'query' | 'key' | 'value', permutation: number[]) =>
    transpose(reshape(dense(parameters, `${name}.${which}`, normed), [batch, tokens, heads, size]), permutation)
  const query = mul(split('query', [0, 2, 1, 3]), 1 / Math.sqrt(size))
  const scores = add(matmul(query, split('key', [0, 2, 3, 1])), mask)
  const mixed = matmul(softmax(scores, 3), split('value', [0, 2, 1, 3]))
  return dense(parameters, `${name}.out`, reshape(transpose(mixed, [0, 2, 1, 3]), [batch, tokens, width]))
}

/** [T, T] to add to the scores: 0 where the row's token may attend to the column's, else -1e9. */
function attentionMask(config: NanoConfig): Tensor {
  const tokens = tokensOf(config)
  const readout = tokens - 1
  const values = new Float32Array(tokens * tokens)
  for (let from = 0; from < readout; from++)
    for (let to = 0; to < tokens; to++)
      if (from < config.words !== to < config.words || to === readout) values[from * tokens + to] = -1e9
  return constant(values, [tokens, tokens])
}
