/** @file Generations: heads, critics and whatever moves the heads begin anew, and learn as in the warm-up, beside the policy that acts. */
import type { ParameterStore } from '../graph/index.ts'
import { type ActorSizes, headsOf } from './actors.ts'
import type { LearnerConfig } from './config.ts'
import type { ParameterGroup, WarmUp } from './method.ts'
import { fillPlaces } from './renewal.ts'
import type { Steps } from './steps.ts'

/** Who learns from the heads that act, and goes on beside the next ones; the successor has its own turns. */
const GOES_ON = ['refine', 'successor']

/**
 * Where successes of its own are cloned, a policy can learn from its practice without anybody's help: what it did by luck, or
 * by the noise that critics chose, is what fresh heads do as a rule. They begin from nothing, as those of the warm-up, since
 * heads that go on learn late rows badly (renewal.ts), and all of them at once, since critics of noise judge one policy.
 * Meanwhile the policy of before acts.
 */
export class Generations {
  constructor(
    private readonly every: LearnerConfig['generation'],
    private readonly warmUp: WarmUp,
  ) {}

  /** Which update of a new generation's warm-up the learner's `updates`-th is, an online one, from 1 on; 0: of none. */
  youthOf(updates: number): number {
    const online = updates - this.warmUp.updates
    if (this.every === 0 || online <= this.every) return 0
    const age = ((online - 1) % this.every) + 1
    return age <= this.warmUp.updates ? age : 0
  }

  /** Which generation the learner's `updates`-th update belongs to, from 0 on. */
  numberOf(updates: number): number {
    return this.every === 0 ? 0 : Math.max(0, Math.floor((updates - this.warmUp.updates - 1) / this.every))
  }

  /** Whether another policy acts than the one that learns, after so many updates. */
  isYoung(updates: number): boolean {
    const youth = this.youthOf(updates)
    return youth > 0 && youth < this.warmUp.updates
  }

  /** Fresh parameters before the `updates`-th update, the first of a generation. */
  begin(
    updates: number,
    store: ParameterStore,
    groups: Record<string, ParameterGroup>,
    steps: Steps,
    sizes: ActorSizes,
  ) {
    const [, ...past] = headsOf(sizes)
    for (const [group, { trained = true }] of Object.entries(groups))
      if (trained && !GOES_ON.includes(group))
        steps.renew(group, `initialisation/${group}/generation ${this.numberOf(updates)}`)
    for (const place of past) store.steps[place] = 0 // free
    fillPlaces(store, headsOf(sizes))
  }
}
