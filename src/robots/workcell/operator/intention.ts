/**
 * @file What the simulated operator meant: an episode is run again in the workcell, action by action, and at each step the
 * operator's plan is asked what a still hand would have pushed. Physics is deterministic, so the scene is the same.
 */
import { RandomStream } from '../../../random/stream.ts'
import type { Done } from '../../../robot/rig.ts'
import type { Action } from '../../../robot/robot.ts'
import { expertAction } from '../expert.ts'
import type { Truth } from '../truth.ts'
import type { Workcell } from '../workcell.ts'
import { OperatorHand } from './hand.ts'
import type { SimulatedOperatorOptions } from './options.ts'

/** The plan of `expert` on the scene as the hand saw it, as a still hand pushes it. Newest scene first. */
export function stillHand(options: SimulatedOperatorOptions): (seen: readonly Truth[]) => Action {
  const hand = new OperatorHand({ ...options, tremor: 0, button: 0 }, new RandomStream(0, 'still hand'))
  return (seen) => hand.push(expertAction(seen[Math.min(options.handDelay, seen.length - 1)]!, options.gain))
}

/**
 * Steps through an episode in a workcell of the kind that it was recorded in. `actions`, [7] a step: the operator's plan
 * through a hand that does not tremble, is not confused and meets no safety envelope. Only episodes with a seed can be run
 * again.
 */
export function intentionsOf(
  { task, seed, actions: executed, observations }: Done,
  workcell: Workcell,
  options: SimulatedOperatorOptions,
): { actions: Action[]; parted: number } {
  const push = stillHand(options)
  const seen: Truth[] = []
  const actions: Action[] = []
  let parted = 0
  let { proprio } = workcell.resetSync(task, seed ?? undefined)
  for (const [t, action] of executed.entries()) {
    for (const [i, value] of observations[t]!.proprio.entries())
      parted = Math.max(parted, Math.abs(value - proprio[i]!))
    seen.unshift(workcell.truth())
    seen.length = Math.min(seen.length, options.handDelay + 1)
    actions.push(push(seen))
    proprio = workcell.stepSync(action).observation.proprio
  }
  return { actions, parted }
}
