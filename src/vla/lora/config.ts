/** @file The adapter_config.json of a LoRA finetune (arXiv 2106.09685, as the Hub's PEFT writes it): base, ranks, scales. */
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { parseJson } from '../files.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'

const rank = z.int().min(1)

/** What the file leaves out is PEFT's default. */
const AdapterFile = z.looseObject({
  peft_type: z.string(),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  r: rank.default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), rank).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
})

/** Variants that W + s B A does not describe. */
const UNSUPPORTED = [
  'fan_in_fan_out',
  'lora_bias',
  'layer_replication',
  'alora_invocation_tokens',
  'target_parameters',
  'trainable_token_indices',
  'use_qalora',
  'use_bdlora',
  'arrow_config',
]

/** Initialisations that change the base's own weights, so that the adapter belongs to a base that was never published. */
const CHANGES_BASE = /^(?:pissa|olora|corda|loftq|lora_ga)/i

export type AdapterConfig = {
  base?: string // repository or path
  revision?: string // of the base
  magnitudes: boolean // DoRA (arXiv 2402.09353): the rows' lengths are learned apart
  /** Rank and scale of a module, by its name in the base. */
  of(module: string): { rank: number; scale: number }
}

/** @throws InputError that names the field: on another kind of adapter, and on a variant that cannot be merged */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const path = join(folder, ADAPTER_CONFIG)
  return parseAdapterConfig(await readJson(path, 'Take the file that was published with the adapter'), path)
}

/** As `readAdapterConfig`, of the parsed file at `path`. @throws InputError */
export function parseAdapterConfig(json: unknown, path: string): AdapterConfig {
  const file = parseJson(AdapterFile, json, path, 'It is not the config of a LoRA adapter')
  const refused = (field: string, value: unknown) =>
    new InputError(
      `${path}: ${field}`,
      `is ${JSON.stringify(value)}, which cannot be merged here`,
      'Merge it where it was trained (merge_and_unload), and give the folder with the merged model.safetensors',
    )
  if (file.peft_type.toUpperCase() !== 'LORA') throw refused('peft_type', file.peft_type)
  const variant = UNSUPPORTED.find((field) => isSet(file[field]))
  if (variant !== undefined) throw refused(variant, file[variant])
  const { init_lora_weights: init } = file
  if (typeof init === 'string' && CHANGES_BASE.test(init)) throw refused('init_lora_weights', init)
  const ranks = patternsOf(file.rank_pattern, `${path}: rank_pattern`)
  const alphas = patternsOf(file.alpha_pattern, `${path}: alpha_pattern`)
  return {
    base: file.base_model_name_or_path || undefined, // empty where it was trained from memory
    revision: file.revision ?? undefined,
    magnitudes: file.use_dora === true,
    of(module) {
      const rank = ranks(module) ?? file.r
      const alpha = alphas(module) ?? file.lora_alpha
      return { rank, scale: alpha / (file.use_rslora ? Math.sqrt(rank) : rank) }
    },
  }
}

const isSet = (value: unknown): boolean =>
  Array.isArray(value) || (typeof value === 'object' && value !== null) ? Object.keys(value).length > 0 : Boolean(value)

/** The value of the first pattern that the end of a module's name matches. @throws InputError on a pattern that is none */
function patternsOf(given: Readonly<Record<string, number>> | null | undefined, where: string) {
  const patterns = Object.entries(given ?? {}).map(([text, value]) => {
    try {
      return { pattern: new RegExp(`^(?:.*\\.)?(?:${text})$`), value }
    } catch (cause) {
      throw new InputError(`${where}, "${text}"`, 'is no pattern', 'Correct it', { cause })
    }
  })
  return (module: string) => patterns.find(({ pattern }) => pattern.test(module))?.value
}
