/** @file The config.json of a T5 checkpoint, and the sizes of the published ones. */
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import type { T5Sizes } from '../../nets/t5.ts'

const count = z
  .int()
  .min(1)
  .max(1 << 20)

/** What the file leaves out is what the first T5 had. */
const T5Json = z.object({
  model_type: z.literal('t5'),
  d_model: count,
  d_kv: count,
  d_ff: count,
  num_layers: count,
  num_heads: count,
  vocab_size: count,
  feed_forward_proj: z.enum(['relu', 'gated-gelu']).default('relu'),
  relative_attention_num_buckets: count.multipleOf(4).default(32),
  relative_attention_max_distance: count.default(128),
  layer_norm_epsilon: z.number().positive().default(1e-6),
})

/** `json` is the parsed file at `path`. @throws InputError naming the field */
export function t5Sizes(json: unknown, path: string): T5Sizes {
  const parsed = T5Json.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new InputError(`${path}: ${issue!.path.join('.')}`, issue!.message, 'Give the folder of a T5 checkpoint')
  }
  const { data } = parsed
  return {
    width: data.d_model,
    headWidth: data.d_kv,
    mlpWidth: data.d_ff,
    layers: data.num_layers,
    heads: data.num_heads,
    vocabulary: data.vocab_size,
    gated: data.feed_forward_proj === 'gated-gelu',
    buckets: data.relative_attention_num_buckets,
    maxDistance: data.relative_attention_max_distance,
    epsilon: data.layer_norm_epsilon,
  }
}

const common = { headWidth: 64, vocabulary: 32128, buckets: 32, maxDistance: 128, epsilon: 1e-6 }

/** By name on the Hub, for files that give only the name (Octo's). */
export const T5_PUBLISHED: Readonly<Record<string, T5Sizes>> = {
  't5-small': { ...common, width: 512, mlpWidth: 2048, layers: 6, heads: 8, gated: false },
  't5-base': { ...common, width: 768, mlpWidth: 3072, layers: 12, heads: 12, gated: false },
  't5-large': { ...common, width: 1024, mlpWidth: 4096, layers: 24, heads: 16, gated: false },
  't5-v1_1-small': { ...common, width: 512, mlpWidth: 1024, layers: 8, heads: 6, gated: true },
  't5-v1_1-base': { ...common, width: 768, mlpWidth: 2048, layers: 12, heads: 12, gated: true },
}
