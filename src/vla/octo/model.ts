/** @file Octo's transformer: language, pictures and readouts in one sequence; the last readout is the embedding h. */
import {
  add,
  concat,
  constant,
  expand,
  geluTanh,
  greater,
  mean,
  mul,
  reshape,
  slice,
  type Tensor,
  unsqueeze,
} from '../../graph/index.ts'
import { attend, joinHeads, splitHeads } from '../../nets/attention.ts'
import { type Parameters, parameterNamed } from '../../nets/parameters.ts'
import type { OctoConfig } from './config.ts'
import { flaxDense, norm } from './layers.ts'
import { OCTO, TRANSFORMER } from './plan.ts'
import { type Sequence, structure } from './sequence.ts'
import { type Stem, stem } from './stem.ts'

export type OctoInputs = {
  pictures: Readonly<Record<string, Tensor>> // by camera, [B, window, size, size, 3], 0..255
  proprio?: Tensor // [B, window, tokens, 1 or bins], see proprio.ts
  language: Tensor // [B, words, T5's width]: all of T5's output vectors, those of the padding too
  present: Tensor // [B, length], see sequence.ts
}

export type Octo = {
  stems: Readonly<Record<string, Stem>> // of B · window pictures
  projected: Readonly<Record<string, Tensor>> // 'language', 'proprio' and the cameras, before their positions
  tokens: Tensor // [B, length, width]
  seen: Tensor // bool [B, length, length]
  firstAttention: Tensor // [B, length, width] of block 0
  blocks: readonly Tensor[]
  out: Tensor // after the last norm
  h: Tensor // [B, width]
}

export function octo(weights: Parameters, config: OctoConfig, sequence: Sequence, inputs: OctoInputs): Octo {
  const { tokens, stems, projected } = embed(weights, config, sequence, inputs)
  const table = constant(structure(sequence), [1, sequence.length, sequence.length])
  const seen = greater(mul(unsqueeze(inputs.present, 1), table), 0.5)
  const blocks: Tensor[] = []
  let firstAttention = tokens
  let x = tokens
  for (let i = 0; i < config.layers; i++) {
    const name = `${TRANSFORMER}/encoderblock_${i}`
    const mixed = attention(
      weights,
      config,
      `${name}/MultiHeadDotProductAttention_0`,
      norm(weights, `${name}/LayerNorm_0`, x),
      seen,
    )
    if (i === 0) firstAttention = mixed
    x = add(x, mixed)
    const up = geluTanh(flaxDense(weights, `${name}/MlpBlock_0/Dense_0`, norm(weights, `${name}/LayerNorm_1`, x)))
    x = add(x, flaxDense(weights, `${name}/MlpBlock_0/Dense_1`, up))
    blocks.push(x)
  }
  const out = norm(weights, `${TRANSFORMER}/encoder_norm`, x)
  const last = sequence.spans.at(-1)!
  const h = mean(slice(out, 1, last.from, last.from + last.count), [1])
  return { stems, projected, tokens, seen, firstAttention, blocks, out, h }
}

function embed(
  weights: Parameters,
  config: OctoConfig,
  sequence: Sequence,
  { pictures, proprio, language }: OctoInputs,
) {
  const batch = language.shape[0]!
  const said = flaxDense(weights, `${OCTO}/task_language_projection`, language)
  const placedWords = add(said, parameterNamed(weights, `${OCTO}/task_language_pos_embedding`))
  const readouts = parameterNamed(weights, `${OCTO}/readout_action_pos_embedding`) // nothing but their place
  const stems: Record<string, Stem> = {}
  const projected: Record<string, Tensor> = { language: said }
  const placed: Record<string, Tensor> = {}
  for (const [camera, frames] of Object.entries(pictures)) {
    const [, window, height, width] = frames.shape as [number, number, number, number]
    const tokenizer = config.cameras.find(({ name }) => name === camera)!
    stems[camera] = stem(weights, tokenizer, reshape(frames, [batch * window, height, width, 3]))
    const cells = stems[camera].tokens
    const flat = reshape(cells, [batch, window, cells.shape[1]! * cells.shape[2]!, cells.shape[3]!])
    projected[camera] = flaxDense(weights, `${OCTO}/obs_${camera}_projection`, flat)
    placed[camera] = place(camera, projected[camera])
  }
  let placedProprio: Tensor | undefined
  if (proprio) {
    const { name } = config.proprio!
    projected.proprio = flaxDense(weights, `${OCTO}/obs_${name}_projection`, proprio)
    placedProprio = place(name, projected.proprio)
  }
  const atStep = (x: Tensor, step: number) => reshape(slice(x, 1, step, step + 1), [x.shape[0]!, x.shape[2]!, -1])
  const parts = sequence.spans.map(({ group, step, count }) => {
    if (group === 'readout') return expand(atStep(readouts, step), [batch, count, config.width])
    if (group === 'proprio') return atStep(placedProprio!, step)
    return typeof group === 'string' ? placedWords : atStep(placed[group.camera]!, step)
  })
  return { tokens: concat(parts, 1), stems, projected }

  function place(group: string, x: Tensor): Tensor {
    return add(x, slice(parameterNamed(weights, `${OCTO}/obs_${group}_pos_embedding`), 1, 0, x.shape[1]!))
  }
}

function attention(weights: Parameters, { heads }: OctoConfig, name: string, x: Tensor, seen: Tensor): Tensor {
  const [q, k, v] = ['query', 'key', 'value'].map((which) =>
    splitHeads(flaxDense(weights, `${name}/${which}`, x), heads),
  ) as [Tensor, Tensor, Tensor]
  return flaxDense(weights, `${name}/out`, joinHeads(attend(q, k, v, { seen })))
}
