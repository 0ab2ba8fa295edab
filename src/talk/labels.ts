/** @file Tweak becomes talk: the rule that turns a physical correction into the command it stands for. */
import { InputError, ShapeError } from '../errors.ts'
import { type AxisNames, BASE_FRAME, type Direction, formatCommand } from './vocabulary.ts'

export type LabelStep = {
  action: ArrayLike<number> // [7] in [-1, 1], or at least its three translations
  intervened: boolean // the operator acted
  episode?: number // windows never cross an episode; leave out where all steps are of one
}

export type LabelRule = {
  window: number // J, steps
  threshold: number // σ, metres
  metresPerUnit: number // translation of one step at |a| = 1: RobotSpec.actionScale.translation
  axes: AxisNames
  tie: number // metres; a sum this close to the threshold counts as none
}

/** Source: docs/method.md §7 and §12; `metresPerUnit` is the robot's. */
export const LABEL_DEFAULTS = { window: 5, threshold: 0.001, axes: BASE_FRAME, tie: 1e-8 } as const

export type Label = {
  command: string
  window: number // steps summed: J, or fewer at the end of the intervention
  delta: readonly [x: number, y: number, z: number] // metres
  direction: Direction
}

/**
 * Δ_t = Σ_{j<n} a_{t+j}[0:3] in metres, n = min(J, steps left in this run of intervention and this episode); per axis
 * Δ > σ is positive, Δ < -σ negative, else none. Source: docs/method.md §7, §12.
 *
 * Returns one label a step; null where the operator did not act (those steps are not in the talk-and-tweak dataset).
 * @throws ShapeError if an action has fewer than three entries, InputError if the rule cannot work
 */
export function labelInterventions(steps: readonly LabelStep[], rule: LabelRule): (Label | null)[] {
  if (!(Number.isInteger(rule.window) && rule.window > 0)) {
    throw new InputError('labels.window', `${rule.window} is not a count of steps`, 'Use a whole number from 1 up')
  }
  if (!(rule.threshold > 0 && rule.metresPerUnit > 0)) {
    throw new InputError(
      'labels',
      `threshold ${rule.threshold} m and ${rule.metresPerUnit} m per unit must both be above 0`,
      "Take metresPerUnit from the robot's actionScale.translation",
    )
  }
  return steps.map((step, t) => {
    if (step.action.length < 3) throw new ShapeError(`labels.steps[${t}].action`, [step.action.length], [7])
    if (!step.intervened) return null
    const delta: [number, number, number] = [0, 0, 0]
    let window = 0
    for (; window < rule.window; window++) {
      const ahead = steps[t + window]
      if (!ahead?.intervened || ahead.episode !== step.episode) break
      for (let axis = 0; axis < 3; axis++) delta[axis]! += rule.metresPerUnit * ahead.action[axis]!
    }
    const direction = delta.map((d) => (Math.abs(d) > rule.threshold + rule.tie ? Math.sign(d) : 0))
    const signs = direction as unknown as Direction
    return { command: formatCommand(signs, rule.axes), window, delta, direction: signs }
  })
}
