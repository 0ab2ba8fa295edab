/** @file Ours: critics and primary actor, and the refinement actor, which learns from corrections. */
import { CommandResponse, RESPONSE } from './command-response.ts'
import type { Method } from './method.ts'
import { compilePrimary, PRIMARY_FIGURES, primaryGroups } from './primary-actor.ts'
import { REFINEMENT_FIGURES, RefinementSteps } from './refinement-step.ts'

export const dual: Method = {
  figures: [...PRIMARY_FIGURES, ...REFINEMENT_FIGURES, RESPONSE],
  besides: primaryGroups,
  async compile(store, settings) {
    const primary = await compilePrimary(store, settings)
    const refinement = await RefinementSteps.compile(store, settings)
    const response = await CommandResponse.compile(store, settings)
    return {
      programs: [...primary.programs, refinement.program, response.program],
      measure: async (steps) => ({ ...(await primary.measure?.(steps)), ...(await response.measure(steps)) }),
      headsInTurn: primary.headsInTurn,
      renewal: primary.renewal,
      async update(phase, steps) {
        const measured = await primary.update(phase, steps)
        return { ...measured, ...(await refinement.take(steps.of('refinement'))) }
      },
    }
  },
}
