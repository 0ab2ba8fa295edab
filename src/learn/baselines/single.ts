/** @file Single actor: ours without the refinement actor (paper.md §9). */
import { compileActorCritic, criticGroup } from '../actor-critic.ts'
import type { Method } from '../method.ts'

export const single: Method = {
  judges: (settings) => ({ critic: criticGroup(settings) }),
  compile: compileActorCritic,
}
