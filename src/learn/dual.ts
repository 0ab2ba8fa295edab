/** @file Ours: critics and primary actor by the joint update, and the refinement actor, which learns from corrections. */
import { ACTOR_CRITIC_FIGURES, actorCriticGroups, compileActorCritic } from './actor-critic.ts'
import { CommandResponse, RESPONSE } from './command-response.ts'
import type { Method } from './method.ts'
import { REFINEMENT_FIGURES, RefinementSteps } from './refinement-step.ts'

export const dual: Method = {
  figures: [...ACTOR_CRITIC_FIGURES, ...REFINEMENT_FIGURES, RESPONSE],
  besides: actorCriticGroups,
  async compile(store, settings) {
    const actorCritic = await compileActorCritic(store, settings)
    const refinement = await RefinementSteps.compile(store, settings)
    const response = await CommandResponse.compile(store, settings)
    return {
      programs: [...actorCritic.programs, refinement.program, response.program],
      measure: async (steps) => ({ ...(await actorCritic.measure?.(steps)), ...(await response.measure(steps)) }),
      headsInTurn: actorCritic.headsInTurn,
      renewal: actorCritic.renewal,
      async update(phase, steps) {
        const measured = await actorCritic.update(phase, steps)
        return { ...measured, ...(await refinement.take(steps.of('refinement'))) }
      },
    }
  },
}
