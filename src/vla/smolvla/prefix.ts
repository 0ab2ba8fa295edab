/** @file SmolVLA's prefix: pictures, instruction and state through the language model, whose keys and values are kept. */
import {
  add,
  concat,
  constant,
  greater,
  matmul,
  mul,
  pad,
  reshape,
  sub,
  type Tensor,
  unsqueeze,
} from '../../graph/index.ts'
import { attend, joinHeads, splitHeads } from '../../nets/attention.ts'
import { linear, rmsNorm } from '../../nets/checkpoint-layers.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { pictureTokens, type SmolVlaConfig } from './config.ts'
import { gatedMlp, rotate, rotation } from './layers.ts'
import { TEXT } from './plan.ts'

export type PrefixInputs = {
  pictures: readonly Tensor[] // one a camera, [B, picture tokens, width] from the connector
  words: Tensor // [B, words, width]: rows of the embedding table
  state: Tensor // [B, state slots], normalised and padded
  present: Tensor // [B, T]: 1 for a token that counts, 0 for padding and absent cameras; T may go on behind the state
}

export type Prefix = {
  embeddings: Tensor // [B, T, width]
  seen: Tensor // bool [B, T, T], query then key
  positions: Tensor // [B, T]
  firstAttention: Tensor // [B, T, heads · size] of layer 0, before its output projection
  hidden: readonly Tensor[] // residual stream after each layer
  keys: readonly Tensor[] // of each layer, [B, key heads, T, size], rotated
  values: readonly Tensor[]
  final: Tensor // after the last norm; h does not need it
}

/** Tokens that wrap each camera's picture, as rows of the embedding table: [2, width] before, [1, width] after. */
export type PictureWrap = { before: Float32Array; after: Float32Array }

const WRAPPED = 3

/** Tokens of a camera in the prefix. */
export const cameraTokens = (config: SmolVlaConfig): number => pictureTokens(config) + (config.wrapImages ? WRAPPED : 0)

/** T of a prefix with this many cameras: pictures, words, state. */
export const prefixTokens = (config: SmolVlaConfig, cameras: number): number =>
  cameras * cameraTokens(config) + config.words + 1

/** `layers`: how many layers to run; the rest cannot change the keys and values of those. */
export function prefix(
  weights: Parameters,
  config: SmolVlaConfig,
  inputs: PrefixInputs,
  { layers = config.text.layers, wrap }: { layers?: number; wrap?: PictureWrap } = {},
): Prefix {
  const { text } = config
  const [batch, tokens] = inputs.present.shape as [number, number]
  const given = embed(weights, config, inputs, wrap)
  const state = given.shape[1]! - 1
  const embeddings = pad(given, [
    [0, 0],
    [0, tokens - given.shape[1]!],
    [0, 0],
  ])
  const seen = visibility(inputs.present, state)
  const positions = countedPositions(inputs.present)
  const turn = rotation(positions, text.headWidth)
  const hidden: Tensor[] = []
  const keys: Tensor[] = []
  const values: Tensor[] = []
  let firstAttention = embeddings
  let x = embeddings
  for (let i = 0; i < layers; i++) {
    const name = `${TEXT}.layers.${i}`
    const normed = rmsNorm(weights, `${name}.input_layernorm`, x, text.epsilon)
    const project = (which: string, heads: number) =>
      splitHeads(linear(weights, `${name}.self_attn.${which}_proj`, normed), heads)
    const k = rotate(project('k', text.keyHeads), turn)
    const v = project('v', text.keyHeads)
    const mixed = joinHeads(attend(rotate(project('q', text.heads), turn), k, v, { seen }))
    if (i === 0) firstAttention = mixed
    x = add(x, linear(weights, `${name}.self_attn.o_proj`, mixed))
    x = add(x, gatedMlp(weights, `${name}.mlp`, rmsNorm(weights, `${name}.post_attention_layernorm`, x, text.epsilon)))
    keys.push(k)
    values.push(v)
    hidden.push(x)
  }
  const final = rmsNorm(weights, `${TEXT}.norm`, x, text.epsilon)
  return {
    embeddings,
    seen: reshape(seen, [batch, tokens, tokens]),
    positions,
    firstAttention,
    hidden,
    keys,
    values,
    final,
  }
}

/** Pictures and words are scaled by sqrt(width), as the reference does; the wrapping tokens and the state are not. */
function embed(weights: Parameters, { text }: SmolVlaConfig, inputs: PrefixInputs, wrap?: PictureWrap): Tensor {
  const batch = inputs.words.shape[0]!
  const scale = Math.sqrt(text.width)
  const rows = (values: Float32Array) => {
    const repeated = new Float32Array(batch * values.length)
    for (let b = 0; b < batch; b++) repeated.set(values, b * values.length)
    return constant(repeated, [batch, values.length / text.width, text.width])
  }
  const pictures = inputs.pictures.flatMap((picture) => {
    const scaled = mul(picture, scale)
    return wrap ? [rows(wrap.before), scaled, rows(wrap.after)] : [scaled]
  })
  const state = unsqueeze(linear(weights, 'model.state_proj', inputs.state), 1)
  return concat([...pictures, mul(inputs.words, scale), state], 1)
}

/** Pictures and words see each other and not the state; the state sees all. Absent tokens neither see nor are seen. */
function visibility(present: Tensor, state: number): Tensor {
  const tokens = present.shape[1]!
  const allowed = new Float32Array(tokens * tokens).fill(1)
  for (let query = 0; query < state; query++) allowed.fill(0, query * tokens + state, (query + 1) * tokens)
  const both = mul(unsqueeze(present, 2), unsqueeze(present, 1))
  return greater(mul(both, constant(allowed, [1, tokens, tokens])), 0.5)
}

/** Number of present tokens up to each, minus 1: an absent token does not advance the position. */
function countedPositions(present: Tensor): Tensor {
  const tokens = present.shape[1]!
  const upTo = new Float32Array(tokens * tokens)
  for (let from = 0; from < tokens; from++) upTo.fill(1, from * tokens + from, (from + 1) * tokens)
  return sub(matmul(present, constant(upTo, [tokens, tokens])), 1)
}
