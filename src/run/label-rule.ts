/** @file The rule by which this run turns corrections into commands. */
import { InputError } from '../errors.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { LABEL_DEFAULTS, type LabelRule } from '../talk/labels.ts'
import type { RunConfig } from './config.ts'

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
