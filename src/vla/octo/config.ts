/** @file Sizes of an Octo model, from its config.json and from that of the T5 it names. */
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import type { T5Sizes } from '../../nets/t5.ts'
import { findCompanion, parseJson, tokenizerAs } from '../files.ts'
import { t5Sizes } from '../t5/config.ts'

const size = z
  .int()
  .min(1)
  .max(1 << 20)
/** Of what the reference builds in several ways, the one way that is built here; another is refused by its name. */
const only = <T extends string | number | boolean>(value: T) =>
  z.literal(value, { error: ({ input }) => `is ${JSON.stringify(input)}, only ${JSON.stringify(value)} is supported` })
const spec = <T extends z.ZodType>(name: string, kwargs: T) => z.object({ name: only(name), kwargs })

const ImageTokenizer = spec(
  'ImageTokenizer',
  z.object({
    obs_stack_keys: z.tuple([z.string()]),
    task_stack_keys: z.array(z.string()).max(1).default([]),
    task_film_keys: z.array(z.string()).max(0, 'is not empty: conditioning by FiLM is not supported').default([]),
    use_token_learner: only(false).default(false),
    encoder: spec(
      'SmallStem16',
      z.strictObject({
        features: z.array(size).min(1).default([32, 96, 192, 384]),
        num_features: size.default(512),
        patch_size: only(16).optional(),
        use_film: only(false).optional(),
        img_norm_type: only('default').optional(),
      }),
    ),
  }),
)

const LowdimObsTokenizer = spec(
  'LowdimObsTokenizer',
  z.object({
    obs_keys: z.tuple([only('proprio')]),
    discretize: z.boolean().default(false),
    n_bins: size.default(256),
    bin_type: z.enum(['uniform', 'normal']).default('uniform'),
    low: z.number().default(0),
    high: z.number().default(1),
  }),
)

/** Octo's own head, of which only the published models' kind is rebuilt: h needs none. */
const DiffusionHead = z.object({
  name: z.literal('DiffusionActionHead'),
  kwargs: z.object({
    use_map: z.literal(false).default(false),
    action_dim: size,
    action_horizon: size,
    time_dim: size.default(32),
    num_blocks: size.default(3),
    hidden_dim: size.default(256),
    diffusion_steps: size.default(20),
  }),
})

const OctoFile = z.object({
  model: z.object({
    observation_tokenizers: z.record(z.string(), z.looseObject({ name: z.string() })),
    task_tokenizers: z.strictObject({
      language: spec('LanguageTokenizer', z.object({ encoder: z.string(), finetune_encoder: z.boolean().optional() })),
    }),
    heads: z.looseObject({
      action: z.looseObject({ kwargs: z.looseObject({ readout_key: only('readout_action').optional() }) }).optional(),
    }),
    readouts: z.looseObject({ action: size }),
    transformer_kwargs: z.object({
      num_layers: size,
      mlp_dim: size,
      num_attention_heads: size,
      add_position_embedding: only(false).optional(),
    }),
    token_embedding_size: size,
    max_horizon: size,
    repeat_task_tokens: z.literal(true, 'only models that repeat the task tokens (Octo 1.5) are supported'),
    use_correct_attention: z.literal(true, 'models before Octo 1.5, with shifted attention groups, are not supported'),
  }),
  text_processor: z.object({
    name: only('HFTokenizer').optional(),
    kwargs: z.object({
      tokenizer_name: z.string(),
      encode_with_model: only(false).optional(),
      tokenizer_kwargs: z.object({ max_length: size }),
    }),
  }),
})

export type OctoConfig = {
  cameras: readonly OctoCamera[]
  proprio?: OctoProprio // finetunes may take it
  words: number // language tokens, padded
  horizon: number // time steps that the position tables have
  readouts: number // a time step
  otherReadouts: readonly string[] // that h does not ask
  width: number // of a token
  layers: number
  heads: number
  mlpWidth: number
  language: T5Sizes
  head?: { actions: number; horizon: number; time: number; blocks: number; hidden: number; steps: number }
}

/** `goal`: a goal's picture is stacked behind the observation's. */
export type OctoCamera = { name: string; stem: readonly number[]; stemWidth: number; goal: boolean } // 'primary', 'wrist'

/** Each entry is a token: its value, or which bin it falls into. */
export type OctoProprio = {
  name: string
  bins?: { count: number; kind: 'uniform' | 'normal'; low: number; high: number }
}

/** From the two files as JSON. `where` names Octo's. @throws InputError naming the field */
export function parseOctoConfig(octoJson: unknown, t5Json: unknown, where: string): OctoConfig {
  const { model, text_processor: text } = parseJson(OctoFile, octoJson, where, NOT_OCTO)
  const { transformer_kwargs: transformer } = model
  return {
    ...tokenizers(model.observation_tokenizers, `${where}: model.observation_tokenizers`),
    words: text.kwargs.tokenizer_kwargs.max_length,
    horizon: model.max_horizon,
    readouts: model.readouts.action,
    otherReadouts: Object.keys(model.readouts).filter((name) => name !== 'action'),
    width: model.token_embedding_size,
    layers: transformer.num_layers,
    heads: transformer.num_attention_heads,
    mlpWidth: transformer.mlp_dim,
    language: t5Sizes(t5Json, `${where}, its T5`),
    head: headOf(model.heads.action),
  }
}

function tokenizers(specs: Readonly<Record<string, { name: string }>>, where: string) {
  const cameras: OctoCamera[] = []
  let proprio: OctoProprio | undefined
  for (const [name, given] of Object.entries(specs)) {
    const at = `${where}.${name}`
    if (given.name === 'LowdimObsTokenizer') {
      const { kwargs } = parseJson(LowdimObsTokenizer, given, at, NOT_OCTO)
      if (proprio)
        throw new InputError(at, `tokenises proprio, as ${proprio.name} does`, 'Only one of them is supported')
      const { n_bins: count, bin_type: kind, low, high } = kwargs
      proprio = kwargs.discretize ? { name, bins: { count, kind, low, high } } : { name }
      continue
    }
    const {
      obs_stack_keys: looksAt,
      task_stack_keys: goals,
      encoder,
    } = parseJson(ImageTokenizer, given, at, NOT_OCTO).kwargs
    for (const key of [...looksAt, ...goals])
      if (key !== `image_${name}`)
        throw new InputError(at, `looks at ${key}`, `Only a tokenizer of one picture, image_${name}, is supported`)
    const { features: stem, num_features: stemWidth } = encoder.kwargs
    cameras.push({ name, stem, stemWidth, goal: goals.length > 0 })
  }
  if (cameras.length === 0)
    throw new InputError(where, 'has no ImageTokenizer', 'A model without pictures is not supported')
  return { cameras, proprio }
}

function headOf(action: unknown): OctoConfig['head'] {
  const parsed = DiffusionHead.safeParse(action)
  if (!parsed.success) return undefined
  const { kwargs } = parsed.data
  return {
    actions: kwargs.action_dim,
    horizon: kwargs.action_horizon,
    time: kwargs.time_dim,
    blocks: kwargs.num_blocks,
    hidden: kwargs.hidden_dim,
    steps: kwargs.diffusion_steps,
  }
}

const NOT_OCTO = 'It is not the config of a supported Octo model (Octo 1.5 and its finetunes)'

/** Reads both configs; the T5's folder also has the tokenizer. @throws InputError */
export async function readOctoConfig(folder: string): Promise<{ config: OctoConfig; t5Folder: string }> {
  const path = join(folder, 'config.json')
  const octo = await readJson(path, 'Give the folder with the published files of an Octo model')
  const { text_processor: text } = parseJson(OctoFile, octo, path, NOT_OCTO)
  const t5Folder = await findCompanion([folder], tokenizerAs('t5'), text.kwargs.tokenizer_name)
  const t5 = await readJson(join(t5Folder, 'config.json'), 'Download it again')
  return { config: parseOctoConfig(octo, t5, path), t5Folder }
}
