/** @file What translates between corrections and commands in this run. */
import { InputError } from '../errors.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { LABEL_DEFAULTS, type LabelRule } from '../talk/labels.ts'
import type { TranslatorSettings } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'

/** @throws InputError where the robot's actions are in another frame than the commands' */
export const labelRule = (
  { talk }: Pick<RunConfig, 'talk'>,
  { actionFrame, actionScale }: Pick<RobotSpec, 'actionFrame' | 'actionScale'>,
): LabelRule => {
  if (actionFrame !== 'base')
    throw new InputError(
      'label rule',
      `the robot's actions are in the frame of its ${actionFrame}`,
      'Commands name directions of the base: turn the actions before they are recorded',
    )
  return {
    ...LABEL_DEFAULTS,
    window: talk.window,
    threshold: talk.threshold,
    metresPerUnit: actionScale.translation,
  }
}

/** As data, since the learner's thread needs an equal one. */
export const translatorSettings = (...run: Parameters<typeof labelRule>): TranslatorSettings => ({
  kind: 'rule',
  rule: labelRule(...run),
})
