/** @file Single actor: ours without the refinement actor (docs/method.md §9). */
import type { Method } from '../method.ts'
import { compilePrimary, PRIMARY_FIGURES, primaryGroups } from '../primary-actor.ts'

export const single: Method = {
  figures: PRIMARY_FIGURES,
  besides: primaryGroups,
  compile: compilePrimary,
}
