/** @file The rule by which this run turns corrections into commands. */
import type { RobotSpec } from '../robot/robot.ts'
import { LABEL_DEFAULTS, type LabelRule } from '../talk/labels.ts'
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
