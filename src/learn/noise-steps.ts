/** @file Steps in noise space: critics of executed actions, critics of noise that follow them, and SAC over the noise that the heads are fed (docs/method.md §9, §12). */
import { add, compile, exp, type ParameterStore, type Program, type Tensor } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { criticGroup } from './actor-critic.ts'
import { actingHeads, NOISE_SCALE, noiseOf } from './actors.ts'
import { executedAnswer, type HeadInput } from './executed.ts'
import {
  batchMean,
  MEAN_Q,
  NOISE_SPACE,
  noiseActorLoss,
  noiseAliasLoss,
  noisePolicyAction,
  RANKING,
  TD,
  targetEntropy,
  taskWeights,
  temperatureLoss,
} from './losses/index.ts'
import { GRADIENT_NORM, outputsOf, type Readings, read, type UpdateReadings } from './measure.ts'
import type { ParameterGroup, StepSettings } from './method.ts'
import type { Phase } from './phase.ts'
import { rankingTerm } from './ranking.ts'
import type { Steps } from './steps.ts'
import { Critics, Update } from './update.ts'

const FIRST_TEMPERATURE = 0.01 // returns lie in [0, 1]: from 1 the entropy would drown them for a whole run

export const NOISE_FIGURES: readonly Figure[] = [TD, RANKING, ...Object.values(NOISE_SPACE), MEAN_Q, GRADIENT_NORM]

type Learnt = 'critic' | 'noiseCritic' | 'noiseActor' | 'temperature'

type Use = 'critic' | Phase

/** What learns in which program; `critic`: the extra critic steps online. */
const GROUPS: Record<Use, readonly Learnt[]> = {
  critic: ['critic'],
  'warm-up': ['critic', 'noiseCritic'],
  online: ['critic', 'noiseCritic', 'noiseActor', 'temperature'],
}

/** The groups that judge while the noise actor learns. */
export function noiseGroups(settings: StepSettings): Record<string, ParameterGroup> {
  const critic = criticGroup(settings)
  const log = { shape: [1], mean: Math.log(FIRST_TEMPERATURE), standardDeviation: 0 }
  return { critic, noiseCritic: { layout: critic.layout }, temperature: { layout: { log } } }
}

/**
 * One step of the groups of a use on the batch of all tasks, from the same parameters. The heads are those that act, and no
 * gradient reaches them. Heads without noise gain hardly answer their noise, and then there is nothing to learn here.
 */
function compileNoiseStep(store: ParameterStore, settings: StepSettings, use: Use): Promise<Program> {
  const groups = GROUPS[use]
  const update = new Update(store, settings)
  const { batch } = update
  const critics = new Critics(store, update, 'critic')
  const noiseCritics = new Critics(store, update, 'noiseCritic')
  const actor = store.tensors('noiseActor')
  const logTemperature = store.tensors('temperature').log!

  const answer = executedAnswer(actingHeads(store, settings.sizes), settings.sizes.network)
  const executed = (noise: Tensor, state: HeadInput) =>
    noisePolicyAction((w) => answer(w, state), NOISE_SCALE, noise, state.h)

  const seen = { features: batch.features, ...update.seen }
  const nextSeen = { features: batch.nextFeatures, h: batch.nextH, proprio: batch.nextProprio }
  const next = noiseOf(settings.sizes, actor, nextSeen, update.normal('next'))
  const { td } = critics.temporalDifference(executed(next.noise, nextSeen))

  const anyNoise = update.normal('alias')
  const judged = critics.judge(executed(anyNoise, seen))
  const alias = noiseAliasLoss(noiseCritics.judge(anyNoise), judged).loss

  const sample = noiseOf(settings.sizes, actor, seen, update.normal('actor'))
  const { q, loss: actorLoss } = noiseActorLoss(logTemperature, sample.logProb, noiseCritics.judgeActor(sample.noise))
  const temperature = temperatureLoss(logTemperature, sample.logProb, targetEntropy(ACTION_WIDTH))

  const ranking = use === 'warm-up' ? undefined : rankingTerm(store, settings)
  const losses = {
    critic: ranking ? add(td, ranking) : td,
    noiseCritic: alias,
    noiseActor: actorLoss,
    temperature: temperature.loss,
  }
  const readings: Record<Learnt, Readings> = {
    critic: [[TD, td], ...(ranking ? [[RANKING, ranking] as const] : [])],
    noiseCritic: [[NOISE_SPACE.alias, alias]],
    noiseActor: [
      [NOISE_SPACE.loss, actorLoss],
      [MEAN_Q, batchMean(q)],
    ],
    temperature: [
      [NOISE_SPACE.entropy, temperature.entropy],
      [NOISE_SPACE.temperature, exp(logTemperature)],
    ],
  }
  return compile({
    name: `noise step of ${groups.join(', ')}`,
    outputs: outputsOf(groups.flatMap((group) => readings[group])),
    gradients: groups.map((group) => ({ store, group, loss: losses[group] })),
    threads: settings.threads,
  })
}

export class NoiseSteps {
  private constructor(
    private readonly byUse: Record<Use, Program>,
    private readonly settings: StepSettings,
  ) {}

  static async compile(store: ParameterStore, settings: StepSettings): Promise<NoiseSteps> {
    const of = (use: Use) => compileNoiseStep(store, settings, use)
    const byUse = { critic: await of('critic'), 'warm-up': await of('warm-up'), online: await of('online') }
    return new NoiseSteps(byUse, settings)
  }

  get programs(): Program[] {
    return Object.values(this.byUse)
  }

  /** Those of one update. Returns what was measured, and the gradient norms by group. @throws InputError on diverged critics */
  async take(phase: Phase, steps: Steps): Promise<{ measured: UpdateReadings; norms: Record<string, number> }> {
    const { criticStepsPerActorStep, taskWeight } = this.settings.learner
    const run = async (use: Use) => {
      await steps.run(this.byUse[use])
      return Object.fromEntries(GROUPS[use].map((group) => [group, steps.apply(group)]))
    }
    if (phase === 'online') for (let i = 1; i < criticStepsPerActorStep; i++) await run('critic')
    const norms = await run(phase)
    const program = this.byUse[phase]
    if (phase === 'online') taskWeights(Array.from(program.outputs[MEAN_Q.name]!), taskWeight)
    return { measured: read(program, NOISE_FIGURES), norms }
  }
}
