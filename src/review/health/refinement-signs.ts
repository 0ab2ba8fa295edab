/** @file Signs of a refinement actor that is told nothing, does not listen, or shifts the noise too far. */
import { REFINEMENT_BOUND } from '../../learn/actors.ts'
import { percent } from '../../metrics/percent.ts'
import { mean } from '../../metrics/statistics.ts'
import type { Finding } from './flat-task.ts'
import { type HealthConfig, type HeardMetrics, UPDATES } from './heard.ts'

const HEARD = 0.02 // action units

const decimals = (value: number, digits = 2) => value.toFixed(digits)

/** The squared error of a refinement actor that ignores its command: a shift on each axis that a mean command asks for. */
export const deafObedience = (shift: number) => (54 / 26) * shift ** 2 // 26 commands name 54 axes

/** Healthy runs stay below 1; beyond half of the bound the tanh takes most of the gradient away. */
export function extremeMu(heard: HeardMetrics): Finding | undefined {
  const shifts = heard.measured('meanMu')
  if (shifts.length < UPDATES / 2 || !(mean(shifts) > REFINEMENT_BOUND / 2)) return undefined
  return {
    sign: 'extreme μ',
    words: 'The refinement actor shifts the noise so far that actions become erratic.',
    figure: `mean |μ/K| is ${decimals(mean(shifts))}, the bound is ${REFINEMENT_BOUND}`,
    advice: 'Raise learner.refinement.nullWeight, or learner.noiseGain so that a smaller shift is enough',
  }
}

export function silentLabels(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  const counts = heard.labels?.counts ?? {}
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const share = (counts['[null]'] ?? 0) / total
  if (total < 50 || !(share > 0.4)) return undefined
  return {
    sign: 'silent corrections',
    words: 'Most corrections are too small for the label rule: they become no command, and teach none.',
    figure: `${percent(share)} of ${total} labels are "[null]" at σ = ${decimals(1000 * config.talk.threshold)} mm`,
    advice: 'Lower talk.threshold; `duet audit labels` suggests one',
  }
}

/**
 * Where obedience is trained its error tells first: two thirds of what a deaf actor has is no response to speak of. In any
 * preset the learner measures what a command changes. Below 0.02 action units an axis, 1.5 mm over a window of five steps of
 * 15 mm, it drowns in the noise of practice and is hardly more than the 1 mm that the label rule hears at all; the weakest
 * of the trained actors of docs/method.md §13 has 0.11.
 */
export function deafActor(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  return disobedientActor(heard, config) ?? unmovedActor(heard)
}

function unmovedActor(heard: HeardMetrics): Finding | undefined {
  const response = heard.measuredSeldom('refine.response')
  if (response === undefined || !(response < HEARD)) return undefined
  return {
    sign: 'commands without effect',
    words: 'Actions hardly change under a command.',
    figure: `a command moves the action by ${decimals(response, 3)} along each axis that it asks for, of 1`,
    advice:
      'Set learner.noiseGain above 0, without which a head does not answer its noise, or learner.refinement.obedience; look at the labels with `duet audit labels`',
  }
}

function disobedientActor(heard: HeardMetrics, config: HealthConfig): Finding | undefined {
  const errors = heard.measured('refine.obedience')
  const deaf = deafObedience(config.learner.refinement.shift)
  if (errors.length < UPDATES || heard.updatesHeard < 60 || !(mean(errors) > 0.67 * deaf)) return undefined
  return {
    sign: 'commands without effect',
    words: 'Actions hardly change under a command.',
    figure: `error ${decimals(mean(errors), 3)} where an actor that ignores commands has ${decimals(deaf, 3)}`,
    advice: 'Measure with `duet steer`; raise learner.noiseGain, and look at the labels with `duet audit labels`',
  }
}
