/** @file The warm-up of several heads: each is cloned from fresh parameters in its share of the updates, then waits beside the next. */
import type { ParameterStore } from '../graph/index.ts'
import { headsOf } from './actors.ts'
import type { CloningSteps } from './cloning.ts'
import type { MethodSettings } from './method.ts'
import { fillPlaces, moveOn } from './renewal.ts'
import type { Steps } from './steps.ts'

/**
 * The mean of several heads that were cloned from the same demonstrations answers better than one of them, before anything
 * was learned online. So a run in which heads act together begins with all of them, and step 0 is not short of what cloning
 * alone can do.
 */
export class HeadsInTurn {
  constructor(
    private readonly cloning: CloningSteps,
    private readonly store: ParameterStore,
    private readonly settings: Pick<MethodSettings, 'sizes' | 'warmUp'>,
  ) {}

  /**
   * After the `update`-th of the warm-up, from 1 on: the cloning steps that its head is due, and the next head's turn where it
   * comes. `generation`: whose warm-up it is; heads of another are other ones.
   */
  async after(update: number, steps: Steps, generation = 0): Promise<void> {
    const { updates, heads, cloningSteps } = this.settings.warmUp
    const places = headsOf(this.settings.sizes)
    const share = updates / heads
    const turn = Math.floor((update - 1) / share)
    const due = (at: number) => Math.round(cloningSteps * Math.min(1, Math.max(0, at / share - turn)))
    await this.cloning.take(due(update) - due(update - 1), steps)
    const next = Math.floor(update / share)
    if (next > turn && next < heads) {
      moveOn(this.store, places)
      steps.renew('head', `initialisation/head/${next}${generation > 0 ? `/${generation}` : ''}`)
    }
    fillPlaces(this.store, places)
  }
}
