/**
 * @file What the simulated operator meant: the logged episodes are run again in the workcell, action by action, and at each
 * step the operator's plan is asked what a still hand would have pushed. Physics is deterministic, so the scene is the same.
 */

import { RandomStream } from '../../random/stream.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import type { Action } from '../../robot/robot.ts'
import { expertAction } from '../../robots/workcell/expert.ts'
import { Hand } from '../../robots/workcell/operator/hand.ts'
import type { SimulatedOperatorOptions } from '../../robots/workcell/operator/options.ts'
import type { Truth } from '../../robots/workcell/truth.ts'
import type { Workcell } from '../../robots/workcell/workcell.ts'
import type { Label } from '../../talk/labels.ts'
import type { Translator } from '../../talk/translator.ts'

export type Intention = {
  /** [7] a step: the operator's plan through a hand that does not tremble, is not confused and meets no safety envelope. */
  actions: Action[]
  /** The label of that correction, one a step; null where the operator did not act. */
  labels: (Label | null)[]
  /** Largest difference between the logged proprio and that of the rerun; above 0 the scenes have parted. */
  parted: number
}

/** The plan of `expert` on the scene as the hand saw it, as a still hand pushes it. Newest scene first. */
export function stillHand(options: SimulatedOperatorOptions): (seen: readonly Truth[]) => Action {
  const hand = new Hand({ ...options, tremor: 0 }, new RandomStream(0, 'still hand'))
  return (seen) => hand.push(expertAction(seen[Math.min(options.handDelay, seen.length - 1)]!, options.gain))
}

/** Steps through `episode` in a workcell of the kind that it was recorded in. Only episodes with a seed can be run again. */
export function intentionOf(
  episode: LoggedEpisode,
  workcell: Workcell,
  options: SimulatedOperatorOptions,
  translator: Translator,
): Intention {
  const { start, steps, observations } = episode
  const push = stillHand(options)
  const seen: Truth[] = []
  const actions: Action[] = []
  let parted = 0
  let { proprio } = workcell.resetSync(start.task, start.seed ?? undefined)
  for (const [t, { action }] of steps.entries()) {
    for (const [i, value] of observations[t]!.proprio.entries())
      parted = Math.max(parted, Math.abs(value - proprio[i]!))
    seen.unshift(workcell.truth())
    seen.length = Math.min(seen.length, options.handDelay + 1)
    actions.push(push(seen))
    proprio = workcell.stepSync(action).observation.proprio
  }
  const meant = steps.map(({ actor }, t) => ({ action: actions[t]!, intervened: actor === 'operator' }))
  return { actions, labels: translator.label(meant), parted }
}
