/** @file HG-DAgger: cloning of demonstrations and interventions, no critic (docs/method.md §9, §12). */
import { CloningSteps } from '../cloning.ts'
import { HeadsInTurn } from '../heads-in-turn.ts'
import { CLONING } from '../losses/index.ts'
import { GRADIENT_NORM, gradientNorms } from '../measure.ts'
import type { Method } from '../method.ts'
import { Renewal, successorGroup } from '../renewal.ts'

export const hgDagger: Method = {
  figures: [CLONING, GRADIENT_NORM],
  besides: successorGroup,
  async compile(store, settings) {
    const cloning = await CloningSteps.compile(store, settings)
    const renewal = await Renewal.compile(store, settings)
    const stepsOfHead = settings.learner.cloningSteps + 1 // as many as the joint update of ours takes
    return {
      programs: [cloning.program],
      headsInTurn: new HeadsInTurn(cloning, store, settings),
      renewal,
      async update(_phase, steps) {
        const { bc, gradientNorm } = await cloning.take(stepsOfHead, steps)
        return { [CLONING.name]: bc, ...gradientNorms({ head: gradientNorm }) }
      },
    }
  },
}
