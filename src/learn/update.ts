/** @file What the losses of one training step share: the batch, the head, the critics, each quantity computed once. */
import { add, clip, mul, type ParameterStore, stopGradient, type Tensor } from '../graph/index.ts'
import {
  CONRFT_SCHEDULE,
  type ConsistencySchedule,
  type CriticState,
  conditioning,
  consistencySchedule,
  critic,
  type Denoiser,
  denoiser,
  type HeadPolicy,
  type Parameters,
  policyOf,
} from '../nets/index.ts'
import { ACTION_WIDTH } from '../robot/robot.ts'
import { normalInput, transitionInputs } from './batch.ts'
import { tdLoss, tdTarget } from './losses/index.ts'
import type { StepSettings } from './method.ts'
import { visualInput } from './visual-input.ts'

export type Transitions = ReturnType<typeof transitionInputs>

export class Update {
  readonly schedule: ConsistencySchedule = consistencySchedule(CONRFT_SCHEDULE)
  readonly batch: Transitions
  /** What an actor sees of a state while it learns: a little noise keeps it from learning few demonstrations by heart. */
  readonly seen: { h: Tensor; proprio: Tensor }
  readonly f: Denoiser
  readonly policy: HeadPolicy
  readonly h: Tensor // conditioning [task, batch, H]
  readonly nextH: Tensor

  /** `head`: the parameters of the head; those that learn, unless told otherwise. */
  constructor(
    store: ParameterStore,
    readonly settings: StepSettings,
    head: Parameters = store.tensors('head'),
  ) {
    this.batch = transitionInputs(settings.sizes, settings.tasks, settings.batchPerTask)
    this.f = denoiser(head)
    this.policy = policyOf(this.f, this.schedule)
    this.seen = { h: this.blurred('h'), proprio: this.blurred('proprio') }
    this.h = conditioning(head, this.seen.h, this.seen.proprio)
    this.nextH = conditioning(head, this.batch.nextH, this.batch.nextProprio)
  }

  get rows(): [number, number] {
    return [this.settings.tasks, this.settings.batchPerTask]
  }

  /** Standard normal draws of the actions' width for each row. */
  normal(name: string, ...samples: number[]): Tensor {
    return normalInput(name, [...this.rows, ...samples, ACTION_WIDTH])
  }

  private blurred(name: 'h' | 'proprio'): Tensor {
    const { inputNoise } = this.settings.learner
    const seen = this.batch[name]
    return inputNoise > 0 ? add(seen, mul(inputNoise, normalInput(`blur/${name}`, [...seen.shape]))) : seen
  }
}

/** The critics of one group over the batch of a step; they see its states as they are. */
export class Critics {
  private readonly parameters: Parameters
  private readonly state: CriticState

  constructor(
    private readonly store: ParameterStore,
    private readonly update: Pick<Update, 'batch' | 'settings'>,
    private readonly group: string,
  ) {
    this.parameters = store.tensors(group)
    const { batch, settings } = update
    this.state = { features: visualInput(settings.sizes, this.parameters, batch), proprio: batch.proprio }
  }

  /** Q(s, a) of actions [task, batch, (samples,) A] → [task, member, batch, (samples)]. */
  judge(actions: Tensor): Tensor {
    return critic(this.parameters, this.state, actions)
  }

  /** The same for an actor's loss: its gradient reaches the actions, not the pooling of the images. */
  judgeActor(actions: Tensor): Tensor {
    return critic(this.parameters, { ...this.state, features: stopGradient(this.state.features) }, actions)
  }

  /** Q(s', a), actions as in `judge`. */
  judgeNext(actions: Tensor): Tensor {
    return this.next(this.parameters, actions)
  }

  /** TD loss of the batch's own actions, where the policy goes on with `nextAction` [task, batch, A]. */
  temporalDifference(nextAction: Tensor): { q: Tensor; td: Tensor } {
    const { batch, settings } = this.update
    const promised = this.next(this.store.tensors(this.group, 'target'), nextAction)
    const ahead = tdTarget(batch.reward, batch.terminated, promised, batch.discount)
    const y = settings.learner.boundedTargets ? clip(ahead, 0, 1) : ahead
    const q = this.judge(batch.action)
    return { q, td: tdLoss(q, y) }
  }

  private next(parameters: Parameters, actions: Tensor): Tensor {
    const { batch, settings } = this.update
    const seen = { features: batch.nextFeatures, h: batch.nextH }
    const state = { features: visualInput(settings.sizes, parameters, seen), proprio: batch.nextProprio }
    return critic(parameters, state, actions)
  }
}
