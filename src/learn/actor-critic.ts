/** @file Critics and primary actor by the joint update of ConRFT: Cal-QL and cloning in the warm-up, TD and the critics' advice online. */
import { add, compile, mul, type ParameterStore, type Program } from '../graph/index.ts'
import { criticLayout } from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { NOISE_SCALE } from './actors.ts'
import { uniformInput } from './batch.ts'
import { CloningSteps, cloningOf } from './cloning.ts'
import {
  type ActorWeights,
  actorTerms,
  CALIBRATED_Q,
  conservativeTerm,
  PLAIN_CALIBRATED_Q,
  primaryActorLoss,
  sampledActions,
  taskWeights,
} from './losses/index.ts'
import type { Group, MethodSettings, StepSettings, Training } from './method.ts'
import type { Phase } from './phase.ts'
import { Renewal, successorGroup } from './renewal.ts'
import { sightLayout, sightWidth } from './sight.ts'
import { Critics, Update } from './update.ts'

/** Parameters of all critics, with targets: [task] image pooling, then [task, member] networks. */
export function criticGroup({ sizes, tasks, learner }: StepSettings): Group {
  const { network, proprio } = sizes
  const layout = {
    ...sightLayout(sizes, [tasks]),
    ...criticLayout({
      tasks,
      members: network.members,
      features: sightWidth(sizes),
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
export const actorCriticGroups = (settings: StepSettings): Record<string, Group> => ({
  critic: criticGroup(settings),
  ...successorGroup(settings),
})

/** Critic loss of the phase: Cal-QL in the warm-up, plain TD online. Returns the loss with its parts. */
function criticLoss(update: Update, critics: Critics, phase: Phase) {
  const { batch, settings } = update
  const { discount, conservativeSamples, conservativeForm, conservativeWeight } = settings.learner
  const nextAction = update.policy(mul(NOISE_SCALE, update.normal('next')), update.nextH)
  const { q, td } = critics.temporalDifference(nextAction, discount)
  if (phase === 'online') return { loss: td, td }
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
  const { loss } = criticLoss(update, new Critics(store, update, 'critic'), 'online')
  const gradients = [{ store, group: 'critic', loss }]
  return compile({ name: 'critic step', outputs: { criticLoss: loss }, gradients, threads: settings.threads })
}

/** Critics and primary actor from the same parameters and features. */
export function compileJointStep(
  store: ParameterStore,
  settings: StepSettings,
  phase: Phase,
  lambda: ActorWeights,
): Promise<Program> {
  const update = new Update(store, settings)
  const critics = new Critics(store, update, 'critic')
  const { loss: criticTotal, td, conservative } = criticLoss(update, critics, phase)
  const actor = actorLoss(update, critics, lambda)
  return compile({
    name: `joint step, ${phase}`,
    outputs: {
      criticLoss: criticTotal,
      td,
      ...(conservative && { conservative }),
      actorLoss: actor.loss,
      bc: actor.bc,
      q: actor.q,
      meanQ: actor.meanQ,
      weight: actor.epsilon,
    },
    gradients: [
      { store, group: 'critic', loss: criticTotal },
      { store, group: 'head', loss: actor.loss },
    ],
    threads: settings.threads,
  })
}

/** One update: extra cloning steps, extra critic steps online, then the joint step. */
export async function compileActorCritic(store: ParameterStore, settings: MethodSettings): Promise<Training> {
  const { learner, lambda } = settings
  const cloning = await CloningSteps.compile(store, settings)
  const critic = await compileCriticStep(store, settings)
  const joint = {
    'warm-up': await compileJointStep(store, settings, 'warm-up', lambda['warm-up']),
    online: await compileJointStep(store, settings, 'online', lambda.online),
  }
  const renewal = await Renewal.compile(store, settings)
  return {
    programs: [cloning.program, critic, ...Object.values(joint)],
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
      const { td, conservative, criticLoss, bc, q, actorLoss, meanQ, weight } = joint[phase].outputs
      taskWeights(Array.from(meanQ!), learner.taskWeight) // throws on a diverged critic
      return {
        critic: { td: td![0]!, ...(conservative && { conservative: conservative[0]! }), loss: criticLoss![0]! },
        actor: { bc: bc![0]!, q: q![0]!, loss: actorLoss![0]! },
        meanQ,
        weight,
        gradientNorm,
      }
    },
  }
}
