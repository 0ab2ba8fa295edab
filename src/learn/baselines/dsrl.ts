/** @file DSRL: the heads are cloned in the warm-up and frozen online; SAC over their noise learns what to feed them (docs/method.md §9, §12). */
import { compile, exp, type ParameterStore, type Program, type Tensor } from '../../graph/index.ts'
import { ACTION_WIDTH } from '../../robot/robot.ts'
import { criticGroup } from '../actor-critic.ts'
import { headsOf, NOISE_SCALE, noiseOf } from '../actors.ts'
import { CloningSteps } from '../cloning.ts'
import { executedAnswer, type HeadInput } from '../executed.ts'
import { HeadsInTurn } from '../heads-in-turn.ts'
import {
  batchMean,
  CLONING,
  MEAN_Q,
  NOISE_SPACE,
  noiseActorLoss,
  noiseAliasLoss,
  noisePolicyAction,
  TD,
  targetEntropy,
  taskWeights,
  temperatureLoss,
} from '../losses/index.ts'
import { GRADIENT_NORM, gradientNorms, outputsOf, type Readings, read } from '../measure.ts'
import type { Method, StepSettings } from '../method.ts'
import { Critics, Update } from '../update.ts'

const FIRST_TEMPERATURE = 0.01 // returns lie in [0, 1]: from 1 the entropy would drown them for a whole run

type Learnt = 'critic' | 'noiseCritic' | 'noiseActor' | 'temperature'

/**
 * One step of the given groups on the batch of all tasks, from the same parameters. The heads are those that act, and no
 * gradient reaches them. Heads without noise gain hardly answer their noise, and then there is nothing to learn here.
 */
function compileNoiseStep(store: ParameterStore, settings: StepSettings, groups: readonly Learnt[]): Promise<Program> {
  const update = new Update(store, settings)
  const { batch } = update
  const critics = new Critics(store, update, 'critic')
  const noiseCritics = new Critics(store, update, 'noiseCritic')
  const actor = store.tensors('noiseActor')
  const logTemperature = store.tensors('temperature').log!

  const heads = headsOf(settings.sizes).map((head) => store.tensors(head, head === 'head' ? 'target' : 'value'))
  const answer = executedAnswer(heads, settings.sizes.network)
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

  const losses = { critic: td, noiseCritic: alias, noiseActor: actorLoss, temperature: temperature.loss }
  const readings: Record<Learnt, Readings> = {
    critic: [[TD, td]],
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

export const dsrl: Method = {
  figures: [TD, CLONING, ...Object.values(NOISE_SPACE), MEAN_Q, GRADIENT_NORM],
  besides(settings) {
    const critic = criticGroup(settings)
    const log = { shape: [1], mean: Math.log(FIRST_TEMPERATURE), standardDeviation: 0 }
    return { critic, noiseCritic: { layout: critic.layout }, temperature: { layout: { log } } }
  },
  async compile(store, settings) {
    const { cloningSteps, criticStepsPerActorStep, taskWeight } = settings.learner
    const groups: Record<'critic' | 'warmUp' | 'online', readonly Learnt[]> = {
      critic: ['critic'],
      warmUp: ['critic', 'noiseCritic'],
      online: ['critic', 'noiseCritic', 'noiseActor', 'temperature'],
    }
    const cloning = await CloningSteps.compile(store, settings)
    const critic = await compileNoiseStep(store, settings, groups.critic)
    const warmUp = await compileNoiseStep(store, settings, groups.warmUp)
    const online = await compileNoiseStep(store, settings, groups.online)
    return {
      programs: [cloning.program, critic, warmUp, online],
      headsInTurn: new HeadsInTurn(cloning, store, settings),
      async update(phase, steps) {
        const take = async (program: Program, learnt: readonly Learnt[]) => {
          await steps.run(program)
          return Object.fromEntries(learnt.map((group) => [group, steps.apply(group)]))
        }
        if (phase === 'warm-up') {
          const { bc, gradientNorm: head } = await cloning.take(cloningSteps + 1, steps)
          const gradientNorm = { head, ...(await take(warmUp, groups.warmUp)) }
          return { [CLONING.name]: bc, ...read(warmUp, dsrl.figures), ...gradientNorms(gradientNorm) }
        }
        for (let i = 1; i < criticStepsPerActorStep; i++) await take(critic, groups.critic)
        const gradientNorm = await take(online, groups.online)
        taskWeights(Array.from(online.outputs[MEAN_Q.name]!), taskWeight) // throws on a diverged critic
        return { ...read(online, dsrl.figures), ...gradientNorms(gradientNorm) }
      },
    }
  },
}
