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
import { linearLayer, rmsNorm } from '../../nets/checkpoint-layers.ts'
import type { Parameters } from '../../nets/parameters.ts'
import { pictureTokens, type SmolVlaConfig } from './config.ts'
import { gatedMlp, type Rotation, rotary, rotation } from './layers.ts'
import { STATE, TEXT } from './plan.ts'

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

/** All of it, as the reference has it. */
export function prefix(
  weights: Parameters,
  config: SmolVlaConfig,
  inputs: PrefixInputs,
  { wrap }: { wrap?: PictureWrap } = {},
): Prefix {
  const { text } = config
  const [batch, tokens] = inputs.present.shape as [number, number]
  const start = begin(weights, config, inputs, wrap)
  const hidden: Tensor[] = []
  const keys: Tensor[] = []
  const values: Tensor[] = []
  let firstAttention = start.embeddings
  let x = start.embeddings
  for (let i = 0; i < text.layers; i++) {
    const cache = cacheOf(weights, config, i, x, start)
    const mixed = attention(weights, config, i, cache, start)
    if (i === 0) firstAttention = mixed
    x = rest(weights, config, i, x, mixed)
    keys.push(cache.keys)
    values.push(cache.values)
    hidden.push(x)
  }
  const final = rmsNorm(weights, `${TEXT}.norm`, x, text.epsilon)
  const { embeddings, positions } = start
  const seen = reshape(start.seen, [batch, tokens, tokens])
  return { embeddings, seen, positions, firstAttention, hidden, keys, values, final }
}

/** Keys and values of one layer, [B, key heads, T, size]; nothing is read that they do not depend on. */
export function prefixCache(
  weights: Parameters,
  config: SmolVlaConfig,
  inputs: PrefixInputs,
  { layer, wrap }: { layer: number; wrap?: PictureWrap },
): { keys: Tensor; values: Tensor } {
  const start = begin(weights, config, inputs, wrap)
  let x = start.embeddings
  for (let i = 0; i < layer; i++)
    x = rest(weights, config, i, x, attention(weights, config, i, cacheOf(weights, config, i, x, start), start))
  return cacheOf(weights, config, layer, x, start)
}

type Start = { embeddings: Tensor; seen: Tensor; positions: Tensor; turn: Rotation }

function begin(weights: Parameters, config: SmolVlaConfig, inputs: PrefixInputs, wrap?: PictureWrap): Start {
  const tokens = inputs.present.shape[1]!
  const given = embed(weights, config, inputs, wrap)
  const state = given.shape[1]! - 1
  const embeddings = pad(given, [
    [0, 0],
    [0, tokens - given.shape[1]!],
    [0, 0],
  ])
  const positions = countedPositions(inputs.present)
  return {
    embeddings,
    seen: visibility(inputs.present, state),
    positions,
    turn: rotation(positions, config.text.headWidth),
  }
}

/** What a layer's attention is made of. */
type Cache = { normed: Tensor; keys: Tensor; values: Tensor }

function cacheOf(weights: Parameters, { text }: SmolVlaConfig, i: number, x: Tensor, { turn }: Start): Cache {
  const normed = rmsNorm(weights, `${TEXT}.layers.${i}.input_layernorm`, x, text.epsilon)
  const keys = rotary(project(weights, i, 'k', normed, text.keyHeads), turn)
  return { normed, keys, values: project(weights, i, 'v', normed, text.keyHeads) }
}

/** Before its output projection. */
function attention(
  weights: Parameters,
  { text }: SmolVlaConfig,
  i: number,
  cache: Cache,
  { turn, seen }: Start,
): Tensor {
  const queries = rotary(project(weights, i, 'q', cache.normed, text.heads), turn)
  return joinHeads(attend(queries, cache.keys, cache.values, { seen }))
}

/** The residual stream after layer i. */
function rest(weights: Parameters, { text }: SmolVlaConfig, i: number, before: Tensor, mixed: Tensor): Tensor {
  const name = `${TEXT}.layers.${i}`
  const x = add(before, linearLayer(weights, `${name}.self_attn.o_proj`, mixed))
  return add(x, gatedMlp(weights, `${name}.mlp`, rmsNorm(weights, `${name}.post_attention_layernorm`, x, text.epsilon)))
}

const project = (weights: Parameters, i: number, which: string, of: Tensor, heads: number): Tensor =>
  splitHeads(linearLayer(weights, `${TEXT}.layers.${i}.self_attn.${which}_proj`, of), heads)

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
  const state = unsqueeze(linearLayer(weights, STATE, inputs.state), 1)
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
