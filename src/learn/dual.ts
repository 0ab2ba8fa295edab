/** @file Ours: critics and primary actor by the joint update, and the refinement actor, which learns from corrections. */
import { actorCriticGroups, compileActorCritic } from './actor-critic.ts'
import type { Method } from './method.ts'
import { RefinementSteps } from './refinement-step.ts'

export const dual: Method = {
  besides: actorCriticGroups,
  async compile(store, settings) {
    const actorCritic = await compileActorCritic(store, settings)
    const refinement = await RefinementSteps.compile(store, settings)
    return {
      programs: [...actorCritic.programs, refinement.program],
      renewal: actorCritic.renewal,
      async update(phase, steps) {
        const figures = await actorCritic.update(phase, steps)
        const refined = await refinement.take(steps.of('refinement'))
        return { ...figures, ...refined, gradientNorm: { ...figures.gradientNorm, ...refined?.gradientNorm } }
      },
    }
  },
}
