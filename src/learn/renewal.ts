/** @file Renewal of the primary head: a successor of fresh parameters is cloned beside the head that acts, and takes its place. */
import type { ParameterStore } from '../graph/index.ts'
import { actorLayouts, type Head, headsOf } from './actors.ts'
import { CloningSteps } from './cloning.ts'
import type { LearnerConfig } from './config.ts'
import type { ParameterGroup, StepSettings } from './method.ts'
import type { Steps } from './steps.ts'

const SUCCESSOR = 'successor'

/** The successor's parameters and their average, where the settings renew the head. */
export function successorGroup({ sizes, learner }: StepSettings): Record<string, ParameterGroup> {
  if (learner.renewal.every === 0) return {}
  return { [SUCCESSOR]: { layout: actorLayouts(sizes).head!, targetRate: learner.actorAverage } }
}

/** A place that no past head has taken yet follows the head that acts, and so does not move the mean of all. */
export function fillPlaces(store: ParameterStore, [, ...past]: readonly Head[]): void {
  for (const place of past) if (store.steps[place] === 0) store.flat(place, 'value').set(store.flat('head', 'target'))
}

/** Every head takes the place of the next older one, the oldest leaves; the youngest's place is free then. */
export function moveOn(store: ParameterStore, heads: readonly Head[]): void {
  for (let i = heads.length - 1; i > 0; i--) {
    const [past, younger] = [heads[i]!, heads[i - 1]!]
    store.flat(past, 'value').set(store.flat(younger, younger === 'head' ? 'target' : 'value'))
    store.steps[past] = store.steps[younger]!
  }
}

/**
 * A head that learned its first corrections late in a long training on few demonstrations answers worse than one that
 * meets them all from the start (the primacy bias, arXiv 2205.07802). Cloning a fresh one takes seconds, in which a robot
 * in lock-step would stand still; spread over many updates it only slows them.
 */
export class Renewal {
  private constructor(
    private readonly cloning: CloningSteps,
    private readonly store: ParameterStore,
    private readonly settings: LearnerConfig['renewal'],
    private readonly heads: readonly Head[],
  ) {}

  /** Undefined where the settings never renew the head. */
  static async compile(store: ParameterStore, settings: StepSettings): Promise<Renewal | undefined> {
    const { renewal } = settings.learner
    if (renewal.every === 0) return undefined
    const cloning = await CloningSteps.compile(store, settings, SUCCESSOR)
    return new Renewal(cloning, store, renewal, headsOf(settings.sizes))
  }

  get program() {
    return this.cloning.program
  }

  /** After the learner's `updates`-th update, an online one: the successor's share of cloning steps, and the change once it is due. */
  async after(updates: number, steps: Steps): Promise<void> {
    const { every, over, cloningSteps } = this.settings
    const left = (every - (updates % every)) % every
    if (left >= over) return
    if (this.store.steps[SUCCESSOR] === 0) steps.renew(SUCCESSOR, `initialisation/${SUCCESSOR}/${updates}`)
    const due = Math.round((cloningSteps * (over - left)) / over)
    await this.cloning.take(due - this.store.steps[SUCCESSOR]!, steps.of(SUCCESSOR))
    if (left === 0) this.succeed()
  }

  private succeed(): void {
    const { store, heads } = this
    moveOn(store, heads)
    for (const kind of ['value', 'moment1', 'moment2', 'target'] as const)
      store.flat('head', kind).set(store.flat(SUCCESSOR, kind))
    store.steps.head = store.steps[SUCCESSOR]!
    store.steps[SUCCESSOR] = 0
  }
}
