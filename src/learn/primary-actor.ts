/** @file How the primary actor of our methods learns: the critics move the head's weights, as in the paper, or the noise that it denoises. */
import type { ParameterStore } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import type { ReplayBuffer } from '../replay/buffer.ts'
import { ACTOR_CRITIC_FIGURES, actorCriticGroups, compileActorCritic } from './actor-critic.ts'
import { CloningSteps } from './cloning.ts'
import { CriticRank } from './critic-rank.ts'
import { HeadsInTurn } from './heads-in-turn.ts'
import { CLONING } from './losses/index.ts'
import { gradientNorms } from './measure.ts'
import type { MethodSettings, ParameterGroup, StepSettings, Training } from './method.ts'
import { NOISE_FIGURES, NoiseSteps, noiseGroups } from './noise-steps.ts'
import { Renewal, successorGroup } from './renewal.ts'

export const PRIMARY_FIGURES: readonly Figure[] = [...new Set([...ACTOR_CRITIC_FIGURES, ...NOISE_FIGURES])]

const throughNoise = ({ sizes }: StepSettings) => sizes.network.criticsMove === 'noise'

/** Who judges the primary actor, and who succeeds it. */
export const primaryGroups = (settings: StepSettings): Record<string, ParameterGroup> =>
  throughNoise(settings) ? { ...noiseGroups(settings), ...successorGroup(settings) } : actorCriticGroups(settings)

export const compilePrimary = (store: ParameterStore, settings: MethodSettings): Promise<Training> =>
  throughNoise(settings) ? compileThroughNoise(store, settings) : compileActorCritic(store, settings)

const isCorrected = (replay: ReplayBuffer) =>
  Object.values(replay.counts()).some(({ interventions }) => interventions > 0)

/**
 * The heads clone, and only clone; what the critics know acts by the mean of their noise, which nothing ties to what was
 * cloned. As long as nobody has corrected, the heads rest: their own successes are for the next generation.
 */
async function compileThroughNoise(store: ParameterStore, settings: MethodSettings): Promise<Training> {
  const cloning = await CloningSteps.compile(store, settings)
  const noise = await NoiseSteps.compile(store, settings)
  const renewal = await Renewal.compile(store, settings)
  const rank = await CriticRank.compile(store, settings)
  return {
    programs: [cloning.program, ...noise.programs, rank.program],
    measure: (steps) => rank.measure(steps),
    headsInTurn: new HeadsInTurn(cloning, store, settings),
    renewal: renewal && {
      program: renewal.program,
      async after(updates, steps) {
        if (isCorrected(steps.replay)) await renewal.after(updates, steps)
      },
    },
    async update(phase, steps) {
      const clones = phase === 'warm-up' || isCorrected(steps.replay)
      const cloned = clones ? await cloning.take(settings.learner.cloningSteps + 1, steps) : undefined
      const { measured, norms } = await noise.take(phase, steps)
      return {
        ...(cloned && { [CLONING.name]: cloned.bc }),
        ...measured,
        ...gradientNorms({ ...(cloned && { head: cloned.gradientNorm }), ...norms }),
      }
    },
  }
}
