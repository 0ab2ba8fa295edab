/**
 * @file Octo shown one frame of which nothing is absent, as the encoder calls it. The instruction's tokens before the frame
 * see nothing else, so what the frame sees of them is computed once an instruction (`said`), and of all tokens only the
 * readout is hidden from others. The same numbers as `octo` in model.ts, which has windows and masks.
 */
import {
  add,
  concat,
  constant,
  geluTanh,
  mean,
  multiHeadAttention,
  reshape,
  slice,
  type Tensor,
} from '../../graph/index.ts'
import { HIDDEN } from '../../nets/attention.ts'
import { type Parameters, parameterNamed } from '../../nets/parameters.ts'
import type { OctoConfig } from './config.ts'
import { flaxDense, norm } from './layers.ts'
import { OCTO, TRANSFORMER } from './plan.ts'
import { stem } from './stem.ts'

export type FrameInputs = {
  pictures: readonly { camera: string; picture: Tensor }[] // [1, size, size, 3], 0..255
  proprio?: Tensor // [1, tokens, 1 or bins], see proprio.ts
  said: Tensor // what `saidOnce` gives: [1 + 2 layers, words, width]
}

/** [1 + 2 layers, words, width]: the instruction's tokens, then keys and values of each layer, of T5's vectors [1, words, T5's width]. */
export function saidOnce(weights: Parameters, config: OctoConfig, language: Tensor): Tensor {
  const words = add(
    flaxDense(weights, `${OCTO}/task_language_projection`, language),
    parameterNamed(weights, `${OCTO}/task_language_pos_embedding`),
  )
  const rows = [words]
  let x = words
  for (let i = 0; i < config.layers; i++) {
    const { q, k, v } = projections(weights, i, x)
    rows.push(k, v)
    if (i < config.layers - 1) x = rest(weights, i, x, multiHeadAttention(q, k, v, config.heads))
  }
  return concat(rows, 0)
}

/** h [1, width], and the tokens of each camera after the last norm, [1, tokens, width]. */
export function octoFrame(
  weights: Parameters,
  config: OctoConfig,
  { pictures, proprio, said }: FrameInputs,
): { h: Tensor; cameras: readonly Tensor[] } {
  const seen = pictures.map(({ camera, picture }) => {
    const cells = stem(weights, config.cameras.find(({ name }) => name === camera)!, picture).tokens
    return place(weights, camera, reshape(cells, [1, -1, cells.shape.at(-1)!]))
  })
  const felt = proprio ? [place(weights, config.proprio!.name, proprio)] : []
  const readouts = parameterNamed(weights, `${OCTO}/readout_action_pos_embedding`) // [1, horizon, readouts, width]
  const readout = reshape(slice(readouts, 1, 0, 1), [1, config.readouts, config.width])
  let x = concat([...seen, ...felt, slice(said, 0, 0, 1), readout], 1)
  const tokens = x.shape[1]!
  const bias = hiddenReadout(tokens, config)
  for (let i = 0; i < config.layers; i++) {
    const { q, k, v } = projections(weights, i, x)
    const before = (which: number) => slice(said, 0, 1 + 2 * i + which, 2 + 2 * i + which)
    const keys = concat([before(0), k], 1)
    x = rest(weights, i, x, multiHeadAttention(q, keys, concat([before(1), v], 1), config.heads, bias))
  }
  const out = norm(weights, `${TRANSFORMER}/encoder_norm`, x)
  let from = 0
  const cameras = seen.map(({ shape }) => slice(out, 1, from, (from += shape[1]!)))
  return { h: mean(slice(out, 1, tokens - config.readouts, tokens), [1]), cameras }
}

/** [1, 1, tokens, words + tokens]: the readouts, which come last, are seen by none but themselves. */
function hiddenReadout(tokens: number, { words, readouts }: OctoConfig): Tensor {
  const keys = words + tokens
  const bias = new Float32Array(tokens * keys)
  for (let query = 0; query < tokens - readouts; query++)
    bias.fill(HIDDEN, (query + 1) * keys - readouts, (query + 1) * keys)
  return constant(bias, [1, 1, tokens, keys])
}

/** Projected, and moved to its place. x [1, tokens, ...]. */
function place(weights: Parameters, group: string, x: Tensor): Tensor {
  const projected = flaxDense(weights, `${OCTO}/obs_${group}_projection`, x)
  const positions = parameterNamed(weights, `${OCTO}/obs_${group}_pos_embedding`) // [1, horizon, tokens, width]
  return add(projected, reshape(slice(positions, 1, 0, 1), projected.shape))
}

const blockName = (i: number) => `${TRANSFORMER}/encoderblock_${i}`

function projections(weights: Parameters, i: number, x: Tensor): { q: Tensor; k: Tensor; v: Tensor } {
  const normed = norm(weights, `${blockName(i)}/LayerNorm_0`, x)
  const of = (which: string) => flaxDense(weights, `${blockName(i)}/MultiHeadDotProductAttention_0/${which}`, normed)
  return { q: of('query'), k: of('key'), v: of('value') }
}

/** A block after its attention. */
function rest(weights: Parameters, i: number, before: Tensor, mixed: Tensor): Tensor {
  const name = blockName(i)
  const x = add(before, flaxDense(weights, `${name}/MultiHeadDotProductAttention_0/out`, mixed))
  const up = geluTanh(flaxDense(weights, `${name}/MlpBlock_0/Dense_0`, norm(weights, `${name}/LayerNorm_1`, x)))
  return add(x, flaxDense(weights, `${name}/MlpBlock_0/Dense_1`, up))
}
