/** @file Single actor: ours without the refinement actor (docs/method.md §9). */
import { actorCriticGroups, compileActorCritic } from '../actor-critic.ts'
import type { Method } from '../method.ts'

export const single: Method = {
  besides: actorCriticGroups,
  compile: compileActorCritic,
}
