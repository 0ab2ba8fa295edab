/**
 * @file The encoder of T5 (arXiv 1910.10683), versions 1.0 (relu) and 1.1 (gated GELU): RMS norms, no biases, logits
 * without scale, relative position buckets shared by all layers. Reads the names of the Hub and those of Flax.
 */
import {
  add,
  constant,
  div,
  gather,
  geluTanh,
  greater,
  matmul,
  mul,
  relu,
  sum,
  swapLast,
  type Tensor,
  transpose,
  unsqueeze,
} from '../graph/index.ts'
import { attend, joinHeads, splitHeads } from './attention.ts'
import { scaleByRms } from './checkpoint-layers.ts'
import { type Parameters, parameterNamed } from './parameters.ts'

export type T5Sizes = {
  width: number // d_model
  headWidth: number // d_kv; heads · headWidth need not be the width
  mlpWidth: number // d_ff
  layers: number
  heads: number
  vocabulary: number // rows of the embedding, which may be more than the tokenizer has ids
  gated: boolean // version 1.1
  buckets: number
  maxDistance: number // in tokens; farther ones share the last bucket
  epsilon: number
}

/** How a family of checkpoints names the tensors of an encoder, given names as `block.0.layer.0.SelfAttention.q`. */
export type T5Naming = {
  words: string // the embedding
  scale(name: string): string // of a norm
  table(name: string): string
  matrix(name: string): string
  transposed: boolean // matrices are [in, out] instead of [out, in]
}

export const HUB_NAMES: T5Naming = {
  words: 'shared.weight',
  scale: (name) => `encoder.${name}.weight`,
  table: (name) => `encoder.${name}.weight`,
  matrix: (name) => `encoder.${name}.weight`,
  transposed: false,
}

/** `prefix` stands before every name, as 'octo_transformer/task_tokenizers_language/hf_model/'. */
export function flaxNames(prefix: string): T5Naming {
  const path = (name: string, leaf: string) => `${prefix}encoder/${name.replaceAll('.', '/')}/${leaf}`
  return {
    words: `${prefix}shared/embedding`,
    scale: (name) => path(name, 'weight'),
    table: (name) => path(name, 'embedding'),
    matrix: (name) => path(name, 'kernel'),
    transposed: true,
  }
}

const RELATIVE = 'block.0.layer.0.SelfAttention.relative_attention_bias'
const LAST_NORM = 'final_layer_norm'
const attentionOf = (layer: number) => `block.${layer}.layer.0.SelfAttention`
const mlpOf = (layer: number) => `block.${layer}.layer.1.DenseReluDense`
const normOf = (layer: number, part: 0 | 1) => `block.${layer}.layer.${part}.layer_norm`

/** All tensors of the encoder with their shapes; first the embedding. */
export function t5Plan(sizes: T5Sizes, naming: T5Naming = HUB_NAMES): Record<string, number[]> {
  const { width, headWidth, mlpWidth, layers, heads, vocabulary, gated, buckets } = sizes
  const inner = heads * headWidth
  const plan: Record<string, number[]> = {
    [naming.words]: [vocabulary, width],
    [naming.table(RELATIVE)]: [buckets, heads],
    [naming.scale(LAST_NORM)]: [width],
  }
  const matrix = (name: string, inputs: number, outputs: number) => {
    plan[naming.matrix(name)] = naming.transposed ? [inputs, outputs] : [outputs, inputs]
  }
  for (let i = 0; i < layers; i++) {
    plan[naming.scale(normOf(i, 0))] = [width]
    for (const which of ['q', 'k', 'v']) matrix(`${attentionOf(i)}.${which}`, width, inner)
    matrix(`${attentionOf(i)}.o`, inner, width)
    plan[naming.scale(normOf(i, 1))] = [width]
    for (const which of gated ? ['wi_0', 'wi_1'] : ['wi']) matrix(`${mlpOf(i)}.${which}`, width, mlpWidth)
    matrix(`${mlpOf(i)}.wo`, mlpWidth, width)
  }
  return plan
}

export type T5Outputs = {
  attention: Tensor // [B, T, width] of layer 0, after the output matrix
  hidden: readonly Tensor[] // the residual stream before the first block and after each
  final: Tensor // [B, T, width] after the last norm
}

/**
 * `words` [B, T, width] are rows of the embedding: they are looked up outside the graph, as a text needs few of many.
 * `mask` [B, T] is 1 for tokens, 0 for padding, which nobody sees but which is computed like the rest.
 */
export function t5Encoder(
  parameters: Parameters,
  sizes: T5Sizes,
  words: Tensor,
  mask: Tensor,
  naming: T5Naming = HUB_NAMES,
): T5Outputs {
  const { layers, heads, gated, epsilon } = sizes
  const project = (name: string, x: Tensor) => {
    const weight = parameterNamed(parameters, naming.matrix(name))
    return matmul(x, naming.transposed ? weight : swapLast(weight))
  }
  const norm = (name: string, x: Tensor) => scaleByRms(x, parameterNamed(parameters, naming.scale(name)), epsilon)
  const bias = relativeBias(parameterNamed(parameters, naming.table(RELATIVE)), sizes, words.shape[1]!)
  const seen = unsqueeze(greater(mask, 0), 1) // [B, 1, T]
  const attention = (i: number, x: Tensor) => {
    const [q, k, v] = ['q', 'k', 'v'].map((which) => splitHeads(project(`${attentionOf(i)}.${which}`, x), heads)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    return project(`${attentionOf(i)}.o`, joinHeads(attend(q, k, v, { seen, scale: 1, bias })))
  }
  const mlp = (i: number, x: Tensor) => {
    const up = gated
      ? mul(geluTanh(project(`${mlpOf(i)}.wi_0`, x)), project(`${mlpOf(i)}.wi_1`, x))
      : relu(project(`${mlpOf(i)}.wi`, x))
    return project(`${mlpOf(i)}.wo`, up)
  }
  const hidden = [words]
  const attended: Tensor[] = []
  for (let i = 0; i < layers; i++) {
    attended.push(attention(i, norm(normOf(i, 0), hidden[i]!)))
    const x = add(hidden[i]!, attended[i]!)
    hidden.push(add(x, mlp(i, norm(normOf(i, 1), x))))
  }
  return { attention: attended[0]!, hidden, final: norm(LAST_NORM, hidden[layers]!) }
}

/** Mean of the final states [B, T, width] over the mask [B, T]: one vector a text, [B, width]. */
export function t5Pool(final: Tensor, mask: Tensor): Tensor {
  return div(sum(mul(final, unsqueeze(mask, 2)), 1), sum(mask, 1, true))
}

/** [1, heads, T, T], query before key, of the table [buckets, heads]. */
export function relativeBias(table: Tensor, sizes: T5Sizes, tokens: number): Tensor {
  const buckets = new Int32Array(tokens * tokens)
  for (let query = 0; query < tokens; query++)
    for (let key = 0; key < tokens; key++) buckets[query * tokens + key] = relativeBucket(key - query, sizes)
  return unsqueeze(transpose(gather(table, constant(buckets, [tokens, tokens])), [2, 0, 1]), 0)
}

/**
 * The bucket of a distance key - query: half of them for keys that follow, in each half one each for the near
 * distances, then by the logarithm. In single precision, as the reference computes: at a border a bit decides.
 */
export function relativeBucket(distance: number, { buckets, maxDistance }: Pick<T5Sizes, 'buckets' | 'maxDistance'>) {
  const half = buckets / 2
  const near = half / 2
  const first = distance > 0 ? half : 0
  const away = Math.abs(distance)
  if (away < near) return first + away
  const logarithm = Math.fround(Math.log(Math.fround(away / near)))
  const share = Math.fround(logarithm / Math.fround(Math.log(maxDistance / near)))
  return first + Math.min(half - 1, near + Math.floor(Math.fround(share * near)))
}
