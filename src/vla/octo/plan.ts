/** @file Every parameter of an Octo checkpoint, by name and shape, as flax names them ('/' between modules). */
import { InputError } from '../../errors.ts'
import { flaxNames, t5Plan } from '../../nets/t5.ts'
import type { OctoConfig } from './config.ts'

export type ParameterPlan = Record<string, readonly number[]>

export const OCTO = 'octo_transformer'
export const TRANSFORMER = `${OCTO}/BlockTransformer_0/Transformer_0`
export const DIFFUSION = 'heads_action/diffusion_model'
/** The T5 inside Octo: 109,628,544 parameters of octo-small-1.5. */
export const T5_NAMES = flaxNames(`${OCTO}/task_tokenizers_language/hf_model/`)

export const stemName = (camera: string) => `${OCTO}/observation_tokenizers_${camera}/SmallStem16_0`

/** Pixels a side of a picture token. */
const TOKEN_PIXELS = 16

/**
 * What h needs. Kernels are [in, out], convolutions [height, width, in, out]. `tokens` of each camera follow from its
 * picture's size: 256 and 64 for octo-small-1.5, whose parameters add up to 136,670,604 with those of its head.
 */
export function encoderPlan(config: OctoConfig, tokens: Readonly<Record<string, number>>): ParameterPlan {
  const { width, horizon, words, language, readouts, proprio } = config
  return Object.assign(
    {},
    t5Plan(language, T5_NAMES),
    dense(`${OCTO}/task_language_projection`, language.width, width),
    { [`${OCTO}/task_language_pos_embedding`]: [1, words, width] },
    ...config.cameras.map(({ name, stem, stemWidth, goal }) => ({
      ...stemPlan(stemName(name), goal ? 2 * COLOURS : COLOURS, stem, stemWidth),
      ...dense(`${OCTO}/obs_${name}_projection`, stemWidth, width),
      [`${OCTO}/obs_${name}_pos_embedding`]: [1, horizon, tokens[name]!, width],
    })),
    proprio && {
      ...dense(`${OCTO}/obs_${proprio.name}_projection`, proprio.bins?.count ?? 1, width),
      [`${OCTO}/obs_${proprio.name}_pos_embedding`]: [1, horizon, tokens[proprio.name]!, width],
    },
    { [`${OCTO}/readout_action_pos_embedding`]: [1, horizon, readouts, width] },
    ...Array.from({ length: config.layers }, (_, i) => blockPlan(`${TRANSFORMER}/encoderblock_${i}`, config)),
    norm(`${TRANSFORMER}/encoder_norm`, width),
  )
}

/** Encoder and head, all that a published checkpoint has. */
export const octoPlan = (config: OctoConfig, tokens: Readonly<Record<string, number>>): ParameterPlan => ({
  ...encoderPlan(config, tokens),
  ...headPlan(config),
})

/** Whether a checkpoint's parameter may be there and is not read: heads, and readouts other than theirs that h comes from. */
export const isBeside = (name: string, { otherReadouts }: OctoConfig): boolean =>
  name.startsWith('heads_') || otherReadouts.some((readout) => name === `${OCTO}/readout_${readout}_pos_embedding`)

/**
 * Tokens of each camera and of proprio, from the checkpoint's position tables. @throws InputError if a table is missing
 * or no square picture has that many
 */
export function tokensOf(
  config: OctoConfig,
  shapeOf: (name: string) => readonly number[] | undefined,
  where: string,
): Record<string, number> {
  const groups = config.proprio ? [...config.cameras, config.proprio] : config.cameras
  const entries = groups.map((group): [string, number] => {
    const { name } = group
    const table = `${OCTO}/obs_${name}_pos_embedding`
    const count = shapeOf(table)?.[2]
    if (count === undefined || (group !== config.proprio && !Number.isInteger(Math.sqrt(count))))
      throw new InputError(
        `${where}, parameter "${table}"`,
        count === undefined ? 'is missing' : `is for ${count} tokens, which no square picture has`,
        'Check that the checkpoint belongs to the config.json',
      )
    return [name, count]
  })
  return Object.fromEntries(entries)
}

/** Pixels a side of the picture that makes so many tokens. */
export const pictureSize = (tokens: number): number => TOKEN_PIXELS * Math.sqrt(tokens)

const dense = (name: string, inputs: number, outputs: number): ParameterPlan => ({
  [`${name}/kernel`]: [inputs, outputs],
  [`${name}/bias`]: [outputs],
})

const norm = (name: string, width: number): ParameterPlan => ({ [`${name}/scale`]: [width], [`${name}/bias`]: [width] })

const COLOURS = 3

function stemPlan(name: string, channels: number, widths: readonly number[], outputs: number): ParameterPlan {
  const stages = widths.map((width, i) => ({
    [`${name}/StdConv_${i}/kernel`]: [3, 3, i ? widths[i - 1]! : channels, width],
    [`${name}/StdConv_${i}/bias`]: [width],
    ...norm(`${name}/GroupNorm_${i}`, width),
  }))
  return Object.assign({}, ...stages, {
    [`${name}/embedding/kernel`]: [1, 1, widths.at(-1)!, outputs],
    [`${name}/embedding/bias`]: [outputs],
  })
}

function blockPlan(name: string, { width, heads, mlpWidth }: OctoConfig): ParameterPlan {
  const attention = `${name}/MultiHeadDotProductAttention_0`
  const size = width / heads
  const projections = ['query', 'key', 'value'].map((which) => ({
    [`${attention}/${which}/kernel`]: [width, heads, size],
    [`${attention}/${which}/bias`]: [heads, size],
  }))
  return Object.assign(
    { ...norm(`${name}/LayerNorm_0`, width), ...norm(`${name}/LayerNorm_1`, width) },
    ...projections,
    { [`${attention}/out/kernel`]: [heads, size, width], [`${attention}/out/bias`]: [width] },
    dense(`${name}/MlpBlock_0/Dense_0`, width, mlpWidth),
    dense(`${name}/MlpBlock_0/Dense_1`, mlpWidth, width),
  )
}

/** Octo's own diffusion head; nothing of a head of another kind. */
export function headPlan({ head, width }: OctoConfig): ParameterPlan {
  if (!head) return {}
  const { actions, horizon, time, blocks, hidden } = head
  const chunk = actions * horizon
  const network = `${DIFFUSION}/reverse_network`
  return Object.assign(
    { [`${DIFFUSION}/time_preprocess/kernel`]: [time / 2, 1] },
    dense(`${DIFFUSION}/cond_encoder/Dense_0`, time, 2 * time),
    dense(`${DIFFUSION}/cond_encoder/Dense_1`, 2 * time, time),
    dense(`${network}/Dense_0`, time + width + chunk, hidden),
    ...Array.from({ length: blocks }, (_, i) => ({
      ...norm(`${network}/MLPResNetBlock_${i}/LayerNorm_0`, hidden),
      ...dense(`${network}/MLPResNetBlock_${i}/Dense_0`, hidden, 4 * hidden),
      ...dense(`${network}/MLPResNetBlock_${i}/Dense_1`, 4 * hidden, hidden),
    })),
    dense(`${network}/Dense_1`, hidden, chunk),
  )
}
