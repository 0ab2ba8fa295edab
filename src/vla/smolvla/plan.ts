/** @file Every tensor of a SmolVLA policy's model.safetensors, by name and shape (lerobot's `policies/smolvla`). */
import type { SmolVlaConfig } from './config.ts'

export type TensorPlan = Record<string, readonly number[]>

export const VISION = 'model.vlm_with_expert.vlm.model.vision_model'
export const CONNECTOR = 'model.vlm_with_expert.vlm.model.connector.modality_projection.proj'
export const TEXT = 'model.vlm_with_expert.vlm.model.text_model'
export const EXPERT_PREFIX = 'model.vlm_with_expert.lm_expert'
export const STATE = 'model.state_proj'
export const WORDS = `${TEXT}.embed_tokens.weight`

/** The whole network. Linear weights are [out, in]. The base policy's add up to 450,046,176 parameters. */
export function smolVlaPlan(config: SmolVlaConfig): TensorPlan {
  const { text, vision, expert } = config
  const queries = text.heads * text.headWidth
  const keys = text.keyHeads * text.headWidth
  return Object.assign(
    {},
    visionPlan(config),
    { [`${CONNECTOR}.weight`]: [text.width, vision.width * config.shuffle ** 2] },
    { [WORDS]: [text.vocabulary, text.width] },
    ...Array.from({ length: text.layers }, (_, i) =>
      decoderLayer(`${TEXT}.layers.${i}`, text.width, text.mlpWidth, queries, keys, text.width),
    ),
    { [`${TEXT}.norm.weight`]: [text.width] },
    { 'model.vlm_with_expert.vlm.lm_head.weight': [text.vocabulary, text.width] },
    ...Array.from({ length: expert.layers }, (_, i) =>
      decoderLayer(
        `${EXPERT_PREFIX}.layers.${i}`,
        expert.width,
        expert.mlpWidth,
        queries,
        keys,
        attendsToItself(config, i) ? expert.width : keys,
      ),
    ),
    { [`${EXPERT_PREFIX}.norm.weight`]: [expert.width] },
    linear(STATE, config.stateSlots, text.width),
    linear('model.action_in_proj', config.actionSlots, expert.width),
    linear('model.action_out_proj', expert.width, config.actionSlots),
    linear('model.action_time_mlp_in', 2 * expert.width, expert.width),
    linear('model.action_time_mlp_out', expert.width, expert.width),
  )
}

/** The part of it that h is made of, where it is the keys and values of `layer`; a file may lack the rest. */
export function embeddingPlan(config: SmolVlaConfig, layer: number): TensorPlan {
  const below = Array.from({ length: layer }, (_, i) => `${TEXT}.layers.${i}.`)
  const last = ['input_layernorm', 'self_attn.k_proj', 'self_attn.v_proj'].map(
    (name) => `${TEXT}.layers.${layer}.${name}.`,
  )
  const starts = [`${VISION}.`, `${CONNECTOR}.`, WORDS, `${STATE}.`, ...below, ...last]
  const needed = Object.entries(smolVlaPlan(config)).filter(([name]) => starts.some((start) => name.startsWith(start)))
  return Object.fromEntries(needed)
}

/** Whether the expert looks at itself and the prefix in this layer; the others look at the prefix alone, through projections of its cache. */
export const attendsToItself = ({ expert }: SmolVlaConfig, layer: number): boolean =>
  !expert.cross || (expert.selfAttentionEvery > 0 && layer % expert.selfAttentionEvery === 0)

function visionPlan({ vision }: SmolVlaConfig): TensorPlan {
  const { width, mlpWidth, layers, patch, imageSize } = vision
  const norm = (name: string): TensorPlan => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] })
  const blocks = Array.from({ length: layers }, (_, i) => {
    const name = `${VISION}.encoder.layers.${i}`
    return {
      ...norm(`${name}.layer_norm1`),
      ...norm(`${name}.layer_norm2`),
      ...Object.assign({}, ...['q', 'k', 'v', 'out'].map((p) => linear(`${name}.self_attn.${p}_proj`, width, width))),
      ...linear(`${name}.mlp.fc1`, width, mlpWidth),
      ...linear(`${name}.mlp.fc2`, mlpWidth, width),
    }
  })
  return Object.assign(
    {
      [`${VISION}.embeddings.patch_embedding.weight`]: [width, 3, patch, patch],
      [`${VISION}.embeddings.patch_embedding.bias`]: [width],
      [`${VISION}.embeddings.position_embedding.weight`]: [(imageSize / patch) ** 2, width],
    },
    ...blocks,
    norm(`${VISION}.post_layernorm`),
  )
}

const linear = (name: string, inputs: number, outputs: number): TensorPlan => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
})

function decoderLayer(
  name: string,
  width: number,
  mlpWidth: number,
  queries: number,
  keys: number,
  keyInputs: number,
): TensorPlan {
  return {
    [`${name}.input_layernorm.weight`]: [width],
    [`${name}.post_attention_layernorm.weight`]: [width],
    [`${name}.self_attn.q_proj.weight`]: [queries, width],
    [`${name}.self_attn.k_proj.weight`]: [keys, keyInputs],
    [`${name}.self_attn.v_proj.weight`]: [keys, keyInputs],
    [`${name}.self_attn.o_proj.weight`]: [width, queries],
    [`${name}.mlp.gate_proj.weight`]: [mlpWidth, width],
    [`${name}.mlp.up_proj.weight`]: [mlpWidth, width],
    [`${name}.mlp.down_proj.weight`]: [width, mlpWidth],
  }
}
