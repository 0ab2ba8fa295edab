/** @file Critics and primary actor by the joint update of ConRFT: Cal-QL and cloning in the warm-up, TD and the critics' advice online. */
import { add, compile, mul, type ParameterStore, type Program } from '../graph/index.ts'
import type { Figure } from '../metrics/figure.ts'
import { criticLayout } from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { NOISE_SCALE } from './actors.ts'
import { uniformInput } from './batch.ts'
import { CloningSteps, cloningOf } from './cloning.ts'
import { CriticRank, RANK } from './critic-rank.ts'
import { HeadsInTurn } from './heads-in-turn.ts'
import {
  ACTOR_LOSS,
  ACTOR_VALUE,
  type ActorWeights,
  actorTerms,
  CALIBRATED_Q,
  CLONING,
  CONSERVATIVE,
  conservativeTerm,
  MEAN_Q,
  PLAIN_CALIBRATED_Q,
  primaryActorLoss,
  RANKING,
  sampledActions,
  TASK_WEIGHT,
  TD,
  taskWeights,
} from './losses/index.ts'
import { GRADIENT_NORM, gradientNorms, outputsOf, read } from './measure.ts'
import type { MethodSettings, ParameterGroup, StepSettings, Training } from './method.ts'
import type { Phase } from './phase.ts'
import { rankingTerm } from './ranking.ts'
import { Renewal, successorGroup } from './renewal.ts'
import { Critics, Update } from './update.ts'
import { visualLayout, visualWidth } from './visual-input.ts'

const CRITIC_LOSS: Figure = { name: 'critic.loss', title: 'total', chart: 'Critics', unit: 'loss' }

export const ACTOR_CRITIC_FIGURES: readonly Figure[] = [
  TD,
  CONSERVATIVE,
  RANKING,
  CRITIC_LOSS,
  CLONING,
  ACTOR_VALUE,
  ACTOR_LOSS,
  MEAN_Q,
  TASK_WEIGHT,
  GRADIENT_NORM,
  ...Object.values(RANK),
]

/** Parameters of all critics, with targets: [task] image pooling, then [task, member] networks. */
export function criticGroup({ sizes, tasks, learner }: StepSettings): ParameterGroup {
  const { network, proprio } = sizes
  const layout = {
    ...visualLayout(sizes, [tasks]),
    ...criticLayout({
      tasks,
      members: network.members,
      features: visualWidth(sizes),
      proprio,
      actions: ACTION_WIDTH,
      projection: network.proprioWidth,
      width: network.hidden,
      depth: 2,
    }),
  }
  return { layout, targetRate: learner.targetRate }
}

/** Who judges the primary actor, and who succeeds it. */
export const actorCriticGroups = (settings: StepSettings): Record<string, ParameterGroup> => ({
  critic: criticGroup(settings),
  ...successorGroup(settings),
})

/** Critic loss of the phase: Cal-QL in the warm-up, TD online, with the ranking term if there is one. Returns the loss with its parts. */
function criticLoss(store: ParameterStore, update: Update, critics: Critics, phase: Phase) {
  const { batch, settings } = update
  const { conservativeSamples, conservativeForm, conservativeWeight } = settings.learner
  const nextAction = update.policy(mul(NOISE_SCALE, update.normal('next')), update.nextH)
  const { q, td } = critics.temporalDifference(nextAction)
  if (phase === 'online') {
    const ranking = rankingTerm(store, settings)
    return { loss: ranking ? add(td, ranking) : td, td, ranking }
  }
  if (conservativeWeight === 0) return { loss: td, td }
  const uniform = uniformInput('actions', [...update.rows, conservativeSamples, ACTION_WIDTH])
  const noise = (name: string) => mul(NOISE_SCALE, update.normal(name, conservativeSamples))
  const sampled = sampledActions(
    update.policy,
    uniform,
    { w: noise('sampled'), h: update.h },
    { w: noise('sampledNext'), h: update.nextH },
  )
  const form = conservativeForm === 'conrft' ? CALIBRATED_Q : PLAIN_CALIBRATED_Q
  const { loss: conservative } = conservativeTerm(q, critics.judge(sampled.all), batch.mcReturn, form)
  return { loss: add(td, mul(conservativeWeight, conservative)), td, conservative }
}

function actorLoss(update: Update, critics: Critics, lambda: ActorWeights) {
  const { batch, settings } = update
  const terms = actorTerms(
    update.f,
    update.policy,
    NOISE_SCALE,
    { h: update.h, actions: batch.action, xi: update.normal('actor'), bcMask: batch.bcMask },
    (action) => critics.judgeActor(action),
    cloningOf(update),
  )
  const { taskWeight } = settings.learner
  return { ...primaryActorLoss(terms.bcPerTask, terms.qPerTask, lambda, taskWeight), meanQ: terms.qPerTask }
}

/** Critics only: the extra critic steps of the online phase. */
function compileCriticStep(store: ParameterStore, settings: StepSettings): Promise<Program> {
  const update = new Update(store, settings)
  const { loss } = criticLoss(store, update, new Critics(store, update, 'critic'), 'online')
  const gradients = [{ store, group: 'critic', loss }]
  return compile({ name: 'critic step', outputs: { criticLoss: loss }, gradients, threads: settings.threads })
}

/** Critics and primary actor from the same parameters and features: what is compiled of them. */
export function traceJointStep(store: ParameterStore, settings: StepSettings, phase: Phase, lambda: ActorWeights) {
  const update = new Update(store, settings)
  const critics = new Critics(store, update, 'critic')
  const { loss: criticTotal, td, conservative, ranking } = criticLoss(store, update, critics, phase)
  const actor = actorLoss(update, critics, lambda)
  return {
    name: `joint step, ${phase}`,
    outputs: outputsOf([
      [CRITIC_LOSS, criticTotal],
      [TD, td],
      ...(conservative ? [[CONSERVATIVE, conservative] as const] : []),
      ...(ranking ? [[RANKING, ranking] as const] : []),
      [ACTOR_LOSS, actor.loss],
      [CLONING, actor.bc],
      [ACTOR_VALUE, actor.q],
      [MEAN_Q, actor.meanQ],
      [TASK_WEIGHT, actor.epsilon],
    ]),
    gradients: [
      { store, group: 'critic', loss: criticTotal },
      { store, group: 'head', loss: actor.loss },
    ],
    threads: settings.threads,
  }
}

/** One update: extra cloning steps, extra critic steps online, then the joint step. */
export async function compileActorCritic(store: ParameterStore, settings: MethodSettings): Promise<Training> {
  const { learner, lambda } = settings
  const cloning = await CloningSteps.compile(store, settings)
  const critic = await compileCriticStep(store, settings)
  const joint = {
    'warm-up': await compile(traceJointStep(store, settings, 'warm-up', lambda['warm-up'])),
    online: await compile(traceJointStep(store, settings, 'online', lambda.online)),
  }
  const rank = await CriticRank.compile(store, settings)
  const renewal = await Renewal.compile(store, settings)
  return {
    programs: [cloning.program, critic, ...Object.values(joint), rank.program],
    measure: (steps) => rank.measure(steps),
    headsInTurn: new HeadsInTurn(cloning, store, settings),
    renewal,
    async update(phase, steps) {
      await cloning.take(learner.cloningSteps, steps)
      const extra = phase === 'online' ? learner.criticStepsPerActorStep - 1 : 0
      for (let i = 0; i < extra; i++) {
        await steps.run(critic)
        steps.apply('critic')
      }
      await steps.run(joint[phase])
      const gradientNorm = { critic: steps.apply('critic'), head: steps.apply('head') }
      taskWeights(Array.from(joint[phase].outputs[MEAN_Q.name]!), learner.taskWeight) // throws on a diverged critic
      return { ...read(joint[phase], ACTOR_CRITIC_FIGURES), ...gradientNorms(gradientNorm) }
    },
  }
}
