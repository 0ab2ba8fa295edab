/** @file The training steps of the learner as compiled programs: losses of paper.md §§4-6 put together, gradients into the store. */
import {
  abs,
  add,
  compile,
  constant,
  input,
  mean,
  mul,
  type ParameterStore,
  type Program,
  stopGradient,
  type Tensor,
  unsqueeze,
} from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  type ConsistencySchedule,
  conditioning,
  consistencySchedule,
  critic,
  denoiser,
  type Parameters,
  policyOf,
  pooledFeatures,
  refinementMean,
} from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { type ActorSizes, NOISE_SCALE, REFINEMENT_BOUND } from './actors.ts'
import { normalInput, sigmaIndexInput, transitionInputs, uniformInput } from './batch.ts'
import type { LearnerConfig } from './config.ts'
import {
  type ActorWeights,
  actorTerms,
  CALIBRATED_Q,
  type Cloning,
  cloningTerm,
  conservativeTerm,
  maskedMean,
  obedienceTerm,
  PLAIN_CALIBRATED_Q,
  primaryActorLoss,
  refinementLoss,
  sampledActions,
  tdLoss,
  tdTarget,
  valueOfOwnTask,
} from './losses/index.ts'
import type { Phase } from './phase.ts'

export type StepSettings = {
  sizes: ActorSizes
  tasks: number
  batchPerTask: number
  learner: LearnerConfig
  threads?: number
}

type Transitions = ReturnType<typeof transitionInputs>

/** What the parts of one step share: the networks over the store, the batch, and the quantities computed once. */
class Update {
  readonly schedule: ConsistencySchedule = consistencySchedule(CONRFT_SCHEDULE)
  readonly head: Parameters
  readonly critic: Parameters
  readonly target: Parameters
  readonly batch: Transitions
  readonly f
  readonly policy
  readonly h: Tensor // conditioning [task, batch, H]
  readonly nextH: Tensor
  readonly state: { features: Tensor; proprio: Tensor }

  constructor(
    store: ParameterStore,
    readonly settings: StepSettings,
  ) {
    this.head = store.tensors('head')
    this.critic = store.tensors('critic')
    this.target = store.tensors('critic', 'target')
    this.batch = transitionInputs(settings.sizes, settings.tasks, settings.batchPerTask)
    this.f = denoiser(this.head)
    this.policy = policyOf(this.f, this.schedule)
    this.h = conditioning(this.head, this.blurred('h'), this.blurred('proprio'))
    this.nextH = conditioning(this.head, this.batch.nextH, this.batch.nextProprio)
    this.state = { features: pooledFeatures(this.critic, this.batch.features), proprio: this.batch.proprio }
  }

  /** What the actor sees of a state while it learns: a little noise keeps it from learning few demonstrations by heart. */
  private blurred(name: 'h' | 'proprio'): Tensor {
    const { inputNoise } = this.settings.learner
    const seen = this.batch[name]
    return inputNoise > 0 ? add(seen, mul(inputNoise, normalInput(`blur/${name}`, [...seen.shape]))) : seen
  }

  get rows(): [number, number] {
    return [this.settings.tasks, this.settings.batchPerTask]
  }

  normal(name: string, ...samples: number[]): Tensor {
    return normalInput(name, [...this.rows, ...samples, ACTION_WIDTH])
  }
}

/** Critic loss of the phase: Cal-QL in the warm-up, plain TD online. Returns the loss with its parts. */
function criticLoss(update: Update, phase: Phase) {
  const { batch, settings } = update
  const { learner } = settings
  const nextState = { features: pooledFeatures(update.target, batch.nextFeatures), proprio: batch.nextProprio }
  const nextAction = update.policy(mul(NOISE_SCALE, update.normal('next')), update.nextH)
  const target = tdTarget(
    batch.reward,
    batch.terminated,
    critic(update.target, nextState, nextAction),
    learner.discount,
  )
  const q = critic(update.critic, update.state, batch.action)
  const td = tdLoss(q, target)
  if (phase === 'online') return { loss: td, td }
  const samples = learner.conservativeSamples
  const uniform = uniformInput('actions', [...update.rows, samples, ACTION_WIDTH])
  const noise = (name: string) => mul(NOISE_SCALE, update.normal(name, samples))
  const sampled = sampledActions(
    update.policy,
    uniform,
    { w: noise('sampled'), h: update.h },
    { w: noise('sampledNext'), h: update.nextH },
  )
  const sampledQ = critic(update.critic, update.state, sampled.all)
  const form = learner.conservativeForm === 'conrft' ? CALIBRATED_Q : PLAIN_CALIBRATED_Q
  const { loss: conservative } = conservativeTerm(q, sampledQ, batch.mcReturn, form)
  return { loss: add(td, mul(learner.conservativeWeight, conservative)), td, conservative }
}

/** The form of the cloning term that the config asks for, with the noise that it draws. */
function cloningOf(update: Update): Cloning {
  const { bcTerm, noiseGain } = update.settings.learner
  const noise =
    bcTerm === 'reconstruction'
      ? { epsilon: update.normal('epsilon'), sigmaIndex: sigmaIndexInput(update.rows) }
      : undefined
  return { schedule: update.schedule, noise, noiseGain }
}

/** The primary actor's loss; features are those of the critic, without gradient. */
function actorLoss(update: Update, lambda: ActorWeights) {
  const { batch, settings } = update
  const { learner } = settings
  const state = { features: stopGradient(update.state.features), proprio: batch.proprio }
  const terms = actorTerms(
    update.f,
    update.policy,
    NOISE_SCALE,
    { h: update.h, actions: batch.action, xi: update.normal('actor'), bcMask: batch.bcMask },
    (action) => critic(update.critic, state, action),
    cloningOf(update),
  )
  return { ...primaryActorLoss(terms.bcPerTask, terms.qPerTask, lambda, learner.taskWeight), meanQ: terms.qPerTask }
}

/** Critics only: the extra critic steps of the online phase. */
export function compileCriticStep(store: ParameterStore, settings: StepSettings): Promise<Program> {
  const { loss, td } = criticLoss(new Update(store, settings), 'online')
  return compile({
    name: 'critic step',
    outputs: { criticLoss: loss, td },
    gradients: [{ store, group: 'critic', loss }],
    threads: settings.threads,
  })
}

/** The primary actor's cloning term alone: a fraction of the cost of a joint step, since no critic is asked. */
export function compileCloningStep(store: ParameterStore, settings: StepSettings): Promise<Program> {
  const update = new Update(store, settings)
  const { batch, f, policy, h } = update
  const xi = update.normal('actor')
  const clones = { h, actions: batch.action, xi, bcMask: batch.bcMask }
  const { perSample } = cloningTerm(f, clones, policy(mul(NOISE_SCALE, xi), h), cloningOf(update))
  const loss = mean(maskedMean(perSample, batch.bcMask))
  return compile({
    name: 'cloning step',
    outputs: { bc: loss },
    gradients: [{ store, group: 'head', loss }],
    threads: settings.threads,
  })
}

/** Critics and primary actor from the same parameters and features, as ConRFT's joint update. */
export function compileJointStep(
  store: ParameterStore,
  settings: StepSettings,
  phase: Phase,
  lambda: ActorWeights,
): Promise<Program> {
  const update = new Update(store, settings)
  const { loss: criticTotal, td, conservative } = criticLoss(update, phase)
  const actor = actorLoss(update, lambda)
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

/** The refinement actor on talk-and-tweak samples of all tasks; head and critics are frozen. */
export function compileRefinementStep(
  store: ParameterStore,
  settings: StepSettings,
  nullCommand: Float32Array,
): Promise<Program> {
  const { sizes, tasks, learner } = settings
  const { batch, bcWeight, qWeight, nullWeight, obedience } = learner.refinement
  const [head, criticParameters, refine] = [store.tensors('head'), store.tensors('critic'), store.tensors('refine')]
  const h = input('h', [batch, sizes.embedding])
  const proprio = input('proprio', [batch, sizes.proprio])
  const features = input('features', [batch, sizes.cameras, sizes.channels, sizes.space])
  const command = input('command', [batch, sizes.command])
  const ownTask = input('ownTask', [tasks, batch])
  const nothing = constant(nullCommand, [1, sizes.command])
  const actions = input('action', [batch, ACTION_WIDTH])
  const noise = (name: string) => normalInput(name, [batch, ACTION_WIDTH])
  const pooled = pooledFeatures(refine, features)
  const meanOf = (said: Tensor) => refinementMean(refine, pooled, said, REFINEMENT_BOUND)
  const m = meanOf(command)
  const state = { features: pooledFeatures(criticParameters, unsqueeze(features, 0)), proprio: unsqueeze(proprio, 0) }
  const terms = refinementLoss(
    policyOf(denoiser(head), consistencySchedule(CONRFT_SCHEDULE)),
    NOISE_SCALE,
    { h: conditioning(head, h, proprio), actions, xi: noise('refine'), xiReg: noise('regular') },
    { m, m0: meanOf(nothing) },
    (action) => valueOfOwnTask(critic(criticParameters, state, unsqueeze(action, 0)), ownTask),
    { bc: bcWeight, q: qWeight, reg: nullWeight },
  )
  const obeyed = obedience > 0 ? obedienceOf(head, refine, settings) : undefined
  const loss = obeyed ? add(terms.loss, mul(obedience, obeyed)) : terms.loss
  return compile({
    name: 'refinement step',
    outputs: {
      refineLoss: loss,
      bc: terms.bc,
      q: terms.q,
      reg: terms.reg,
      meanMu: mean(abs(m)),
      ...(obeyed && { obedience: obeyed }),
    },
    gradients: [{ store, group: 'refine', loss }],
    threads: settings.threads,
  })
}

/** The self-supervised command term on replay states of all tasks, under commands that the learner draws. */
function obedienceOf(head: Parameters, refine: Parameters, settings: StepSettings): Tensor {
  const { sizes, tasks, learner } = settings
  const rows = tasks * Math.floor(learner.refinement.batch / tasks)
  const features = input('said/features', [rows, sizes.cameras, sizes.channels, sizes.space])
  const command = input('said/command', [rows, sizes.command])
  const h = conditioning(head, input('said/h', [rows, sizes.embedding]), input('said/proprio', [rows, sizes.proprio]))
  return obedienceTerm(policyOf(denoiser(head), consistencySchedule(CONRFT_SCHEDULE)), NOISE_SCALE, {
    h,
    xi: normalInput('said', [rows, ACTION_WIDTH]),
    m: refinementMean(refine, pooledFeatures(refine, features), command, REFINEMENT_BOUND),
    shift: input('said/shift', [rows, ACTION_WIDTH]),
  })
}
