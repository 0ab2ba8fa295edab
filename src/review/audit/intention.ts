/** @file What the simulated operator meant, in words: the labels of the corrections that a still hand would have made. */
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import type { Simulation, Strength } from '../../robot/rig.ts'
import type { Action } from '../../robot/robot.ts'
import type { Label } from '../../talk/labels.ts'
import type { Translator } from '../../talk/translator.ts'

export type Intention = {
  /** [7] a step: what the operator meant to push. */
  actions: Action[]
  /** The label of that correction, one a step; null where the operator did not act. */
  labels: (Label | null)[]
  /** Largest difference between the logged proprio and that of the rerun; above 0 the scenes have parted. */
  parted: number
}

/** Has `simulation`, of the kind that the episode was recorded in, do it again. */
export function intentionOf(
  { start: { task, seed }, steps, observations }: LoggedEpisode,
  simulation: Pick<Simulation, 'intentions'>,
  strength: Strength,
  translator: Translator,
): Intention {
  const done = { task, seed, observations, actions: steps.map(({ action }) => action) }
  const { actions, parted } = simulation.intentions(done, strength)
  const meant = steps.map(({ actor }, t) => ({ action: actions[t]!, intervened: actor === 'operator' }))
  return { actions, labels: translator.label(meant), parted }
}
