/** @file What translates between corrections and commands in this run. */
import type { RobotSpec } from '../robot/robot.ts'
import { LABEL_DEFAULTS, type LabelRule } from '../talk/labels.ts'
import type { TranslatorSettings } from '../talk/translator.ts'
import type { RunConfig } from './config.ts'

export const labelRule = (
  { talk }: Pick<RunConfig, 'talk'>,
  { actionScale }: Pick<RobotSpec, 'actionScale'>,
): LabelRule => ({
  ...LABEL_DEFAULTS,
  window: talk.window,
  threshold: talk.threshold,
  metresPerUnit: actionScale.translation,
})

/** As data, since the learner's thread needs an equal one. */
export const translatorSettings = (...run: Parameters<typeof labelRule>): TranslatorSettings => ({
  kind: 'rule',
  rule: labelRule(...run),
})
