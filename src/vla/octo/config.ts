/** @file Sizes of an Octo model, from its config.json and from that of the T5 it names. */
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import type { T5Sizes } from '../../nets/t5.ts'
import { findCompanion, parseJson, tokenizerOf } from '../files.ts'
import { t5Sizes } from '../t5/config.ts'

const size = z
  .int()
  .min(1)
  .max(1 << 20)
const spec = <T extends z.ZodType>(name: string, kwargs: T) => z.object({ name: z.literal(name), kwargs })

const ImageTokenizer = spec(
  'ImageTokenizer',
  z.object({
    obs_stack_keys: z.tuple([z.string()]),
    task_stack_keys: z.tuple([z.string()]),
    encoder: spec(
      'SmallStem16',
      z.object({ features: z.array(size).default([32, 96, 192, 384]), num_features: size.default(512) }),
    ),
  }),
)

const OctoFile = z.object({
  model: z.object({
    observation_tokenizers: z.record(z.string(), ImageTokenizer),
    task_tokenizers: z.object({
      language: spec('LanguageTokenizer', z.object({ encoder: z.string(), finetune_encoder: z.boolean().optional() })),
    }),
    heads: z.object({
      action: spec(
        'DiffusionActionHead',
        z.object({
          readout_key: z.literal('readout_action'),
          use_map: z.literal(false).default(false),
          action_dim: size,
          action_horizon: size,
          time_dim: size.default(32),
          num_blocks: size.default(3),
          hidden_dim: size.default(256),
          diffusion_steps: size.default(20),
        }),
      ),
    }),
    readouts: z.object({ action: size }),
    transformer_kwargs: z.object({
      num_layers: size,
      mlp_dim: size,
      num_attention_heads: size,
      add_position_embedding: z.literal(false).optional(),
    }),
    token_embedding_size: size,
    max_horizon: size,
    repeat_task_tokens: z.literal(true, 'only models that repeat the task tokens (Octo 1.5) are supported'),
    use_correct_attention: z.literal(true, 'models before Octo 1.5, with shifted attention groups, are not supported'),
  }),
  window_size: size,
  text_processor: z.object({
    kwargs: z.object({ tokenizer_name: z.string(), tokenizer_kwargs: z.object({ max_length: size }) }),
  }),
})

export type OctoConfig = {
  cameras: readonly { name: string; stem: readonly number[]; stemWidth: number }[] // name: 'primary', 'wrist'
  words: number // language tokens, padded
  horizon: number // time steps that the position tables have
  readouts: number // a time step
  width: number // of a token
  layers: number
  heads: number
  mlpWidth: number
  language: T5Sizes
  head: { actions: number; horizon: number; time: number; blocks: number; hidden: number; steps: number }
}

/** From the two files as JSON. `where` names Octo's. @throws InputError naming the field */
export function parseOctoConfig(octoJson: unknown, t5Json: unknown, where: string): OctoConfig {
  const { model, text_processor: text } = parseJson(OctoFile, octoJson, where, NOT_OCTO)
  const { transformer_kwargs: transformer } = model
  const action = model.heads.action.kwargs
  for (const [name, { kwargs }] of Object.entries(model.observation_tokenizers))
    if (kwargs.obs_stack_keys[0] !== `image_${name}`)
      throw new InputError(
        `${where}: model.observation_tokenizers.${name}`,
        `looks at ${kwargs.obs_stack_keys[0]}`,
        `Only a tokenizer of one picture, image_${name}, is supported`,
      )
  return {
    cameras: Object.entries(model.observation_tokenizers).map(([name, { kwargs }]) => ({
      name,
      stem: kwargs.encoder.kwargs.features,
      stemWidth: kwargs.encoder.kwargs.num_features,
    })),
    words: text.kwargs.tokenizer_kwargs.max_length,
    horizon: model.max_horizon,
    readouts: model.readouts.action,
    width: model.token_embedding_size,
    layers: transformer.num_layers,
    heads: transformer.num_attention_heads,
    mlpWidth: transformer.mlp_dim,
    language: t5Sizes(t5Json, `${where}, its T5`),
    head: {
      actions: action.action_dim,
      horizon: action.action_horizon,
      time: action.time_dim,
      blocks: action.num_blocks,
      hidden: action.hidden_dim,
      steps: action.diffusion_steps,
    },
  }
}

const NOT_OCTO = 'It is not the config of a supported Octo model (octo-small-1.5, octo-base-1.5)'

/** Reads both configs; the T5's folder also has the tokenizer. @throws InputError */
export async function readOctoConfig(folder: string): Promise<{ config: OctoConfig; t5Folder: string }> {
  const path = join(folder, 'config.json')
  const octo = await readJson(path, 'Give the folder with the published files of an Octo model')
  const { text_processor: text } = parseJson(OctoFile, octo, path, NOT_OCTO)
  const t5Folder = await findCompanion(folder, tokenizerOf('t5'), text.kwargs.tokenizer_name)
  const t5 = await readJson(join(t5Folder, 'config.json'), 'Download it again')
  return { config: parseOctoConfig(octo, t5, path), t5Folder }
}
