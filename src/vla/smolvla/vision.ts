/** @file SmolVLA's eye: a SigLIP vision tower (arXiv 2303.15343), and the connector that turns its patches into picture tokens. */
import {
  add,
  geluTanh,
  layerNorm,
  matmul,
  multiHeadAttention,
  patches,
  reshape,
  type Tensor,
  transpose,
} from '../../graph/index.ts'
import { linearLayer } from '../../nets/checkpoint-layers.ts'
import { type Parameters, parameterNamed } from '../../nets/parameters.ts'
import type { SmolVlaConfig } from './config.ts'
import { CONNECTOR, VISION } from './plan.ts'

export type Vision = {
  embeddings: Tensor // [B, patches, width] before the first block
  blocks: readonly Tensor[] // after each block
  patches: Tensor // [B, patches, width] after the last norm
  tokens: Tensor // [B, picture tokens, text width], not yet scaled
}

/** `pictures` [B, size, size, 3] in [-1, 1]. Patches and tokens are row-major. */
export function vision(weights: Parameters, config: SmolVlaConfig, pictures: Tensor): Vision {
  const { layers, epsilon } = config.vision
  const embeddings = embed(weights, config, pictures)
  const blocks: Tensor[] = []
  let x = embeddings
  for (let i = 0; i < layers; i++) {
    x = block(weights, config, `${VISION}.encoder.layers.${i}`, x)
    blocks.push(x)
  }
  const normed = norm(weights, `${VISION}.post_layernorm`, x, epsilon)
  return {
    embeddings,
    blocks,
    patches: normed,
    tokens: linearLayer(weights, CONNECTOR, shuffle(normed, config.shuffle)),
  }
}

function embed(weights: Parameters, { vision }: SmolVlaConfig, pictures: Tensor): Tensor {
  const { patch, width } = vision
  const name = `${VISION}.embeddings.patch_embedding`
  const cells = patches(pictures, patch) // [B, n, n, patch · patch · 3]
  const kernel = reshape(transpose(parameterNamed(weights, `${name}.weight`), [2, 3, 1, 0]), [-1, width])
  const rows = reshape(cells, [pictures.shape[0]!, -1, cells.shape[3]!])
  const positions = parameterNamed(weights, `${VISION}.embeddings.position_embedding.weight`)
  return add(add(matmul(rows, kernel), parameterNamed(weights, `${name}.bias`)), positions)
}

function block(weights: Parameters, { vision }: SmolVlaConfig, name: string, x: Tensor): Tensor {
  const { heads, epsilon } = vision
  const normed = norm(weights, `${name}.layer_norm1`, x, epsilon)
  const [q, k, v] = ['q', 'k', 'v'].map((which) => linearLayer(weights, `${name}.self_attn.${which}_proj`, normed)) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const mixed = multiHeadAttention(q, k, v, heads)
  const attended = add(x, linearLayer(weights, `${name}.self_attn.out_proj`, mixed))
  const up = geluTanh(linearLayer(weights, `${name}.mlp.fc1`, norm(weights, `${name}.layer_norm2`, attended, epsilon)))
  return add(attended, linearLayer(weights, `${name}.mlp.fc2`, up))
}

const norm = (weights: Parameters, name: string, x: Tensor, epsilon: number): Tensor =>
  layerNorm(x, parameterNamed(weights, `${name}.weight`), parameterNamed(weights, `${name}.bias`), epsilon)

/** Each block of `scale` x `scale` patches as one row: [B, n², C] to [B, (n / scale)², scale² C]. */
function shuffle(x: Tensor, scale: number): Tensor {
  const [batch, count, width] = x.shape as [number, number, number]
  const side = Math.sqrt(count) / scale
  const cells = transpose(reshape(x, [batch, side, scale, side, scale, width]), [0, 1, 3, 2, 4, 5])
  return reshape(cells, [batch, side * side, scale * scale * width])
}
