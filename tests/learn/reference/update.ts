/** @file One update of each method in each phase: which groups step, on which loss, in which order (docs/method.md §4, §5, §6, §8, §9). */
import type { MethodName } from '../../../src/learn/actors.ts'
import type { ActorWeights } from '../../../src/learn/losses/index.ts'
import type { Phase } from '../../../src/learn/phase.ts'
import {
  actorLoss,
  aliasLoss,
  cloningLoss,
  conservativeLoss,
  type Given,
  nextOfHead,
  nextOfNoise,
  noiseActorLoss,
  refinementLoss,
  type Setting,
  type Talk,
  tdLoss,
  temperatureLoss,
} from './losses.ts'
import type { Group } from './optimiser.ts'
import { add, mul, plain, type Scalar } from './tape.ts'

export type Model = Readonly<Record<string, Group>>

export type Update = {
  model: Model
  setting: Setting
  lambda: Record<Phase, ActorWeights>
  /** What the next step of the update was given, in the order in which they are taken. */
  next: () => Given
  talk: (given: Given) => Talk
}

/** Losses of the last step of each kind, by the names that the figures have. */
export type Losses = Record<string, Record<string, number>>

const numbers = (parts: Record<string, Scalar>) =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, plain(part)]))

/** `count` steps of a head on its cloning term alone. Returns the last loss. */
export function clone({ setting, next }: Pick<Update, 'setting' | 'next'>, head: Group, count: number): number {
  let bc: Scalar = 0
  for (let i = 0; i < count; i++) {
    const given = next()
    bc = head.differentiate((net) => cloningLoss(net, given, setting))
    head.step(setting.learner)
  }
  return plain(bc)
}

/** Ours: the critics move the head's weights, or its noise. */
function primary(update: Update, phase: Phase): Losses {
  if (!('noiseActor' in update.model)) return actorCritic(update, phase)
  const { model, setting } = update
  const bc = clone(update, model.head!, setting.learner.cloningSteps + 1) // the replay holds corrections
  return { ...noiseSteps(update, phase), actor: { bc } }
}

/** Extra cloning steps; online, extra critic steps; then critics and head from the same parameters. */
function actorCritic(update: Update, phase: Phase): Losses {
  const { model, setting, lambda, next } = update
  const { learner } = setting
  const { critic, head } = model as Record<'critic' | 'head', Group>
  clone(update, head, learner.cloningSteps)
  const td = (given: Given) => {
    const following = nextOfHead(head.net(), given, setting)
    return critic.differentiate((net) => tdLoss(net, critic.net('target'), following, given, setting))
  }
  if (phase === 'online')
    for (let i = 1; i < learner.criticStepsPerActorStep; i++) {
      td(next())
      critic.step(learner)
    }
  const given = next()
  const losses: Losses = {}
  if (phase === 'online') losses.critic = { td: plain(td(given)) }
  else {
    const following = nextOfHead(head.net(), given, setting)
    critic.differentiate((net) => {
      const error = tdLoss(net, critic.net('target'), following, given, setting)
      const conservative = conservativeLoss(net, head.net(), given, setting)
      losses.critic = numbers({ td: error, conservative })
      return add(error, mul(learner.conservativeWeight, conservative))
    })
  }
  head.differentiate((net) => {
    const { bc, q, loss, meanQ, weight } = actorLoss(net, critic.net(), given, setting, lambda[phase])
    losses.actor = numbers({ bc, q, loss })
    losses.meanQ = Object.fromEntries(meanQ.entries())
    losses.weight = Object.fromEntries(weight.entries())
    return loss
  })
  critic.step(learner)
  head.step(learner)
  return losses
}

function dual(update: Update, phase: Phase): Losses {
  const losses = primary(update, phase)
  const { model, setting, next, talk } = update
  const { critic, head, refine } = model as Record<'critic' | 'head' | 'refine', Group>
  const given = next()
  refine.differentiate((net) => {
    const parts = refinementLoss(net, head.net(), critic.net(), given, setting, talk(given))
    losses.refine = numbers(parts)
    return parts.loss
  })
  refine.step(setting.learner)
  return losses
}

function hgDagger(update: Update): Losses {
  const { model, setting } = update
  return { actor: { bc: clone(update, model.head!, setting.learner.cloningSteps + 1) } }
}

/** One critic for the pooled batch, no task weights. */
function hilConrft(update: Update, phase: Phase): Losses {
  const { learner, tasks, batch, members, gripperGain } = update.setting
  const taskWeight = { ...learner.taskWeight, min: 1, max: 1 }
  const pooled = { learner: { ...learner, taskWeight }, tasks: 1, batch: tasks * batch, members, gripperGain }
  const { meanQ: _, weight: __, ...losses } = actorCritic({ ...update, setting: pooled }, phase)
  return losses
}

/** Warm-up: the head is cloned; online it rests. */
function dsrl(update: Update, phase: Phase): Losses {
  const { model, setting, next } = update
  if (phase === 'online') return noiseSteps(update, phase)
  const bc = clone({ setting, next }, model.head!, setting.learner.cloningSteps + 1)
  return { ...noiseSteps(update, phase), actor: { bc } }
}

/** Warm-up: critic and noise critic learn. Online noise actor and temperature join. */
function noiseSteps(update: Update, phase: Phase): Losses {
  const { model, setting, next } = update
  const { learner } = setting
  const { head, critic, noiseCritic, noiseActor, temperature } = model as Record<string, Group> as Record<
    'head' | 'critic' | 'noiseCritic' | 'noiseActor' | 'temperature',
    Group
  >
  const losses: Losses = {}
  const past = Object.keys(model).filter((name) => /^past/.test(name))
  const acting = [head.net('target'), ...past.map((name) => model[name]!.net())] // those that act
  const td = (given: Given) => {
    const following = nextOfNoise(acting, noiseActor.net(), given, setting)
    return plain(critic.differentiate((net) => tdLoss(net, critic.net('target'), following, given, setting)))
  }
  if (phase === 'online')
    for (let i = 1; i < learner.criticStepsPerActorStep; i++) {
      td(next())
      critic.step(learner)
    }
  const given = next()
  losses.critic = { td: td(given) }
  const alias = noiseCritic.differentiate((net) => aliasLoss(net, critic.net(), acting, given, setting))
  losses.noise = { alias: plain(alias) }
  if (phase === 'warm-up') {
    critic.step(learner)
    noiseCritic.step(learner)
    return losses
  }
  const tau = Math.exp(temperature.value[0]!)
  noiseActor.differentiate((net) => {
    const { loss, entropy } = noiseActorLoss(net, noiseCritic.net(), tau, given, setting)
    losses.noise = { ...losses.noise, loss: plain(loss), entropy, temperature: tau }
    return loss
  })
  temperature.differentiate((net) => temperatureLoss(net.of('log', []).at(0), losses.noise!.entropy!))
  for (const group of [critic, noiseCritic, noiseActor, temperature]) group.step(learner)
  return losses
}

export const updates: Record<MethodName, (update: Update, phase: Phase) => Losses> = {
  dual,
  single: primary,
  'hg-dagger': hgDagger,
  'hil-conrft': hilConrft,
  dsrl,
}
