/** @file DSRL: the heads are cloned in the warm-up and frozen online; SAC over their noise learns what to feed them (docs/method.md §9, §12). */
import { CloningSteps } from '../cloning.ts'
import { HeadsInTurn } from '../heads-in-turn.ts'
import { CLONING } from '../losses/index.ts'
import { gradientNorms } from '../measure.ts'
import type { Method } from '../method.ts'
import { NOISE_FIGURES, NoiseSteps, noiseGroups } from '../noise-steps.ts'

export const dsrl: Method = {
  figures: [CLONING, ...NOISE_FIGURES],
  besides: noiseGroups,
  async compile(store, settings) {
    const cloning = await CloningSteps.compile(store, settings)
    const noise = await NoiseSteps.compile(store, settings)
    return {
      programs: [cloning.program, ...noise.programs],
      headsInTurn: new HeadsInTurn(cloning, store, settings),
      async update(phase, steps) {
        if (phase === 'online') {
          const { measured, norms } = await noise.take(phase, steps)
          return { ...measured, ...gradientNorms(norms) }
        }
        const { bc, gradientNorm: head } = await cloning.take(settings.learner.cloningSteps + 1, steps)
        const { measured, norms } = await noise.take(phase, steps)
        return { [CLONING.name]: bc, ...measured, ...gradientNorms({ head, ...norms }) }
      },
    }
  },
}
