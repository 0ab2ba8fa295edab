/** @file Sizes of a SmolVLA policy, from its own config.json and from that of the vision-language model it names. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { findCompanion, parseJson, tokenizerAs } from '../files.ts'

const Feature = z.object({ type: z.string(), shape: z.array(z.int().min(1)) })
const size = z
  .int()
  .min(1)
  .max(1 << 20)

const PolicyFile = z.object({
  type: z.literal('smolvla'),
  input_features: z.record(z.string(), Feature),
  output_features: z.record(z.string(), Feature),
  normalization_mapping: z
    .record(z.string(), z.string())
    .default({ VISUAL: 'IDENTITY', STATE: 'MEAN_STD', ACTION: 'MEAN_STD' }),
  max_state_dim: size.default(32),
  max_action_dim: size.default(32),
  chunk_size: size.default(50),
  resize_imgs_with_padding: z.tuple([size, size]).default([512, 512]),
  tokenizer_max_length: size.default(48),
  num_steps: size.default(10),
  add_image_special_tokens: z.boolean().default(false),
  adapt_to_pi_aloha: z.literal(false, 'is not false: the state of such a policy is another robot’s').default(false),
  num_vlm_layers: size.default(16),
  num_expert_layers: z.int().default(-1),
  attention_mode: z.string().default('cross_attn'),
  self_attn_every_n_layers: z.int().default(2),
  expert_width_multiplier: z.number().gt(0).default(0.75),
  min_period: z.number().gt(0).default(4e-3),
  max_period: z.number().gt(0).default(4),
  vlm_model_name: z.string(),
})

const VlmFile = z.object({
  scale_factor: size,
  text_config: z.object({
    hidden_size: size,
    intermediate_size: size,
    num_attention_heads: size,
    num_key_value_heads: size,
    num_hidden_layers: size,
    head_dim: size.optional(),
    vocab_size: size,
    rms_norm_eps: z.number().gt(0).default(1e-5),
  }),
  vision_config: z.object({
    hidden_size: size.default(1152),
    intermediate_size: size.default(3072),
    num_hidden_layers: size.default(12),
    num_attention_heads: size.default(16),
    image_size: size.default(224),
    patch_size: size.default(32),
    layer_norm_eps: z.number().gt(0).default(1e-6),
  }),
})

export type SmolVlaConfig = {
  cameras: readonly string[] // in the order of the prefix
  normalisation: Readonly<Record<string, string>> // by kind: VISUAL, STATE, ACTION
  actionWidth: number
  stateSlots: number // the state is padded with zeros to this width
  actionSlots: number
  chunk: number // actions of one denoising
  denoisingSteps: number
  words: number // instruction tokens, padded
  wrapImages: boolean // with the embeddings of special tokens
  shuffle: number // patches a side that one picture token takes in
  text: {
    width: number
    layers: number // kept
    heads: number
    keyHeads: number
    headWidth: number
    mlpWidth: number
    vocabulary: number
    epsilon: number
  }
  vision: {
    width: number
    layers: number
    heads: number
    mlpWidth: number
    imageSize: number
    patch: number
    epsilon: number
  }
  expert: {
    width: number
    mlpWidth: number
    layers: number
    cross: boolean // whether some layers look at the prefix alone
    selfAttentionEvery: number // of the others, where cross
    minPeriod: number
    maxPeriod: number
  }
}

/** Picture tokens a side, and in all, of one camera. */
export const pictureSide = ({ vision, shuffle }: SmolVlaConfig): number => vision.imageSize / vision.patch / shuffle
export const pictureTokens = (config: SmolVlaConfig): number => pictureSide(config) ** 2

/** h = [K_pool, V_pool]. */
export const smolvlaEmbeddingWidth = ({ text }: SmolVlaConfig): number => 2 * text.keyHeads * text.headWidth

/** lerobot's name of a picture as that of a camera: `observation.images.wrist` is `wrist`. */
export const cameraOf = (feature: string): string =>
  feature.replace(/^observation\.(?:images?(?:\.|$))?|^images?\./, '') || 'image'

/** The config of a policy, from the two files as JSON. `where` names the policy's file. @throws InputError naming the field */
export function parseSmolVlaConfig(policyJson: unknown, vlmJson: unknown, where: string): SmolVlaConfig {
  const policy = parseJson(PolicyFile, policyJson, where, NOT_SMOLVLA)
  const vlm = parseJson(
    VlmFile,
    vlmJson,
    `${where}, its VLM`,
    'Take the config.json of the model that the policy names',
  )
  const { text_config: text, vision_config: vision, scale_factor } = vlm
  const [width, height] = policy.resize_imgs_with_padding
  if (width !== vision.image_size || height !== vision.image_size)
    throw new InputError(
      `${where}: resize_imgs_with_padding`,
      `is [${width}, ${height}], the vision tower takes ${vision.image_size} x ${vision.image_size}`,
      'Use the sizes that the checkpoint was trained with',
    )
  const side = vision.image_size / vision.patch_size
  if (!Number.isInteger(side / scale_factor))
    throw new InputError(
      `${where}, its VLM: vision_config`,
      `has ${side} patches a side, which do not divide into blocks of ${scale_factor}`,
      'Take the config.json that belongs to the weights',
    )
  if (policy.num_vlm_layers > text.num_hidden_layers)
    throw new InputError(
      `${where}: num_vlm_layers`,
      `is ${policy.num_vlm_layers}, the text model has ${text.num_hidden_layers}`,
      'Take the config.json that belongs to the weights',
    )
  const expertWidth = Math.trunc(text.hidden_size * policy.expert_width_multiplier)
  const layers = policy.num_vlm_layers
  const expertLayers = policy.num_expert_layers > 0 ? policy.num_expert_layers : layers
  if (layers % expertLayers)
    throw new InputError(
      `${where}: num_expert_layers`,
      `is ${expertLayers}, which does not divide the ${layers} layers of the text model`,
      'Take the config.json that belongs to the weights',
    )
  return {
    cameras: Object.entries(policy.input_features)
      .filter(([, { type }]) => type === 'VISUAL')
      .map(([key]) => cameraOf(key)),
    normalisation: policy.normalization_mapping,
    actionWidth: policy.output_features.action?.shape[0] ?? policy.max_action_dim,
    stateSlots: policy.max_state_dim,
    actionSlots: policy.max_action_dim,
    chunk: policy.chunk_size,
    denoisingSteps: policy.num_steps,
    words: policy.tokenizer_max_length,
    wrapImages: policy.add_image_special_tokens,
    shuffle: scale_factor,
    text: {
      width: text.hidden_size,
      layers,
      heads: text.num_attention_heads,
      keyHeads: text.num_key_value_heads,
      headWidth: text.head_dim ?? text.hidden_size / text.num_attention_heads,
      mlpWidth: text.intermediate_size,
      vocabulary: text.vocab_size,
      epsilon: text.rms_norm_eps,
    },
    vision: {
      width: vision.hidden_size,
      layers: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      mlpWidth: vision.intermediate_size,
      imageSize: vision.image_size,
      patch: vision.patch_size,
      epsilon: vision.layer_norm_eps,
    },
    expert: {
      width: expertWidth,
      mlpWidth: 256 * Math.ceil(Math.trunc(4 * Math.trunc((2 * expertWidth) / 3)) / 256),
      layers: expertLayers,
      cross: policy.attention_mode.includes('cross'),
      selfAttentionEvery: policy.self_attn_every_n_layers,
      minPeriod: policy.min_period,
      maxPeriod: policy.max_period,
    },
  }
}

const NOT_SMOLVLA = 'It is not the config of a SmolVLA policy'

/**
 * Reads both configs; the vision-language model's folder also has the tokenizer. `base` is the folder of the model that
 * `folder` is an adapter of, which stands in for what an adapter comes without. @throws InputError
 */
export async function readSmolVlaConfig(
  folder: string,
  base = folder,
): Promise<{ config: SmolVlaConfig; vlmFolder: string }> {
  const own = (await stat(join(folder, 'config.json')).catch(() => undefined))?.isFile()
  const path = join(own ? folder : base, 'config.json')
  const policy = await readJson(path, 'Give the folder with the published files of a SmolVLA policy')
  const { vlm_model_name: name } = parseJson(PolicyFile, policy, path, NOT_SMOLVLA)
  const vlmFolder = await findCompanion([folder, base], tokenizerAs('vlm'), name, { where: path })
  const vlm = await readJson(join(vlmFolder, 'config.json'), 'Download it again')
  return { config: parseSmolVlaConfig(policy, vlm, path), vlmFolder }
}
