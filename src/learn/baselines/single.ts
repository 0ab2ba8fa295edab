/** @file Single actor: ours without the refinement actor (docs/method.md §9). */
import { ACTOR_CRITIC_FIGURES, actorCriticGroups, compileActorCritic } from '../actor-critic.ts'
import type { Method } from '../method.ts'

export const single: Method = {
  figures: ACTOR_CRITIC_FIGURES,
  besides: actorCriticGroups,
  compile: compileActorCritic,
}
