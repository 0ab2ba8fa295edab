/** @file The critics of all tasks and members as one batched network: every parameter leads with [task, member] (docs/method.md §2, §5). */
import { mean, min, reshape, type Tensor, unsqueeze } from '../graph/index.ts'
import { block, dense, trunk } from './layers.ts'
import { blockLayout, denseLayout, type Layout, type Parameters, trunkLayout } from './parameters.ts'

export type CriticDimensions = {
  tasks: number
  members: number
  features: number // pooled image features, shared by the members
  proprio: number
  actions: number
  projection: number // of proprio and of the action
  width: number
  depth: number
}

/** Without the image pooling, see spatial-embedding.ts. Members share nothing but the pooled features. */
export function criticLayout(sizes: CriticDimensions): Layout {
  const { tasks, members, features, proprio, actions, projection, width, depth } = sizes
  const owners = [tasks, members]
  return {
    ...blockLayout('proprio', proprio, projection, owners),
    ...blockLayout('action', actions, projection, owners),
    ...trunkLayout(features + 2 * projection, width, depth, owners),
    ...denseLayout('out', width, 1, { owners }),
  }
}

/** What a critic sees of a state: pooled features [task, batch, F] and proprio [task, batch, P]; task may be 1 for all. */
export type CriticState = { features: Tensor; proprio: Tensor }

/**
 * Q_i,m(s, a). actions [task, batch, A] → [task, member, batch]; several actions a state [task, batch, samples, A]
 * → [task, member, batch, samples]. Task axes of size 1 broadcast.
 */
export function critic(parameters: Parameters, { features, proprio }: CriticState, actions: Tensor): Tensor {
  const toMembers = (x: Tensor) => unsqueeze(x, 1)
  const value = dense(
    parameters,
    'out',
    trunk(parameters, [
      toMembers(features),
      block(parameters, 'proprio', toMembers(proprio)),
      block(parameters, 'action', toMembers(actions)),
    ]),
  )
  return reshape(value, value.shape.slice(0, -1))
}

/** Mean over members, as the actor losses judge: [task, member, ...] → [task, ...]. */
export const meanOfMembers = (q: Tensor): Tensor => mean(q, [1])

/** Minimum over members, as the TD targets judge: [task, member, ...] → [task, ...]. */
export const minOfMembers = (q: Tensor): Tensor => min(q, [1])
