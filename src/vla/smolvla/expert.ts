/**
 * @file SmolVLA's own action expert: flow matching from noise to a chunk of actions, over the prefix's keys and values.
 * Duet acts with its own head; this one checks that a checkpoint was loaded and understood as a whole.
 */
import {
  add,
  cast,
  concat,
  constant,
  expand,
  greater,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  unsqueeze,
} from '../../graph/index.ts'
import { attend, joinHeads, splitHeads } from '../../nets/attention.ts'
import { linearLayer, rmsNorm } from '../../nets/checkpoint-layers.ts'
import type { Parameters } from '../../nets/parameters.ts'
import type { SmolVlaConfig } from './config.ts'
import { gatedMlp, rotary, rotation, silu } from './layers.ts'
import { attendsToItself, EXPERT_PREFIX } from './plan.ts'

export type ExpertInputs = {
  actions: Tensor // [B, chunk, action slots], noised
  time: Tensor // [E], see timeEmbedding
  present: Tensor // [B, T] of the prefix
  keys: readonly Tensor[] // of each layer of the prefix, [B, key heads, T, size]
  values: readonly Tensor[]
}

export type Expert = {
  embeddings: Tensor // [B, chunk, E]
  hidden: readonly Tensor[] // after each layer of the language model
  velocity: Tensor // [B, chunk, action slots]
}

/** [sin, cos] of 2 π time over periods from `minPeriod` to `maxPeriod`, in double precision. */
export function timeEmbedding({ expert }: SmolVlaConfig, time: number): Float32Array {
  const half = expert.width / 2
  const angles = Array.from({ length: half }, (_, i) => {
    const period = expert.minPeriod * (expert.maxPeriod / expert.minPeriod) ** (i / (half - 1))
    return (2 * Math.PI * time) / period
  })
  return Float32Array.from([...angles.map(Math.sin), ...angles.map(Math.cos)])
}

/** The velocity of the actions at one time. */
export function expert(weights: Parameters, config: SmolVlaConfig, inputs: ExpertInputs): Expert {
  const { text } = config
  const every = text.layers / config.expert.layers
  const embeddings = embed(weights, inputs)
  const [batch, chunk] = embeddings.shape as [number, number]
  const own = constant(
    Float32Array.from({ length: chunk }, (_, i) => i),
    [1, chunk],
  )
  const after = rotation(add(sum(inputs.present, 1, true), own), text.headWidth)
  const alone = rotation(expand(own, [batch, chunk]), text.headWidth)
  const prefixSeen = expand(unsqueeze(inputs.present, 1), [batch, chunk, inputs.present.shape[1]!])
  const seenByBoth = greater(concat([prefixSeen, causal(batch, chunk)], 2), 0.5)
  const seenOfPrefix = greater(prefixSeen, 0.5)
  const hidden: Tensor[] = []
  let x = embeddings
  for (let i = 0; i < text.layers; i++) {
    if (i % every === 0) {
      const layer = i / every
      const name = `${EXPERT_PREFIX}.layers.${layer}`
      const normed = rmsNorm(weights, `${name}.input_layernorm`, x, text.epsilon)
      const project = (which: string, of: Tensor, heads: number) =>
        splitHeads(linearLayer(weights, `${name}.self_attn.${which}_proj`, of), heads)
      const q = project('q', normed, text.heads)
      const [keys, values] = [inputs.keys[i]!, inputs.values[i]!]
      const mixed = attendsToItself(config, i)
        ? attend(
            rotary(q, after),
            concat([keys, rotary(project('k', normed, text.keyHeads), after)], 2),
            concat([values, project('v', normed, text.keyHeads)], 2),
            { seen: seenByBoth },
          )
        : attend(
            rotary(q, alone),
            project('k', joinHeads(keys), text.keyHeads),
            project('v', joinHeads(values), text.keyHeads),
            { seen: seenOfPrefix },
          )
      x = add(x, linearLayer(weights, `${name}.self_attn.o_proj`, joinHeads(mixed)))
      const rest = rmsNorm(weights, `${name}.post_attention_layernorm`, x, text.epsilon)
      x = add(x, gatedMlp(weights, `${name}.mlp`, rest))
    }
    hidden.push(x)
  }
  const velocity = linearLayer(
    weights,
    'model.action_out_proj',
    rmsNorm(weights, `${EXPERT_PREFIX}.norm`, x, text.epsilon),
  )
  return { embeddings, hidden, velocity }
}

/** One Euler step of the flow from noise (time 1) to actions (time 0), of `steps`: x - v / steps. */
export const flowStep = (x: Tensor, velocity: Tensor, steps: number): Tensor => sub(x, mul(velocity, 1 / steps))

function embed(weights: Parameters, { actions, time }: ExpertInputs): Tensor {
  const projected = linearLayer(weights, 'model.action_in_proj', actions)
  const times = expand(reshape(time, [1, 1, -1]), projected.shape)
  const mixed = linearLayer(weights, 'model.action_time_mlp_in', concat([projected, times], 2))
  return linearLayer(weights, 'model.action_time_mlp_out', silu(mixed))
}

/** [B, chunk, chunk]: 1 where the query is not before the key. */
function causal(batch: number, chunk: number): Tensor {
  const positions = Float32Array.from({ length: chunk }, (_, i) => i)
  const ahead = sub(constant(positions, [chunk, 1]), constant(positions, [1, chunk]))
  return expand(cast(greater(ahead, -0.5), 'f32'), [batch, chunk, chunk])
}
