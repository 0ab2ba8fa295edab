/** @file A place of the tool as the sign of success: for tasks that are done when the tool has come somewhere. */
import { InputError } from '../errors.ts'
import { vectorOf } from '../robot/channels.ts'
import type { RobotSpec } from '../robot/robot.ts'
import type { RewardConfig } from './config.ts'
import type { RewardSource } from './reward.ts'

type Targets = Extract<RewardConfig, { kind: 'pose' }>['targets']

/**
 * Success once the tool was within the task's distance of its place for so many steps in a row. A failure of the robot's
 * own stands. @throws InputError if the robot does not tell where its tool is
 */
export function poseReward(targets: Targets, { name, channels }: RobotSpec): RewardSource {
  const axes = vectorOf(channels, 'position')
  if (!axes)
    throw new InputError(
      'setting "reward.kind"',
      `is "pose", and ${name} does not tell where its tool is`,
      'Set reward.kind=robot, and judge at the console',
    )
  let target: Targets[string]
  let steps = 0 // in a row
  return {
    begin(task) {
      if (!targets[task])
        throw new InputError(
          'setting "reward.targets"',
          `has none for task "${task}"`,
          'Name one for each task of the run',
        )
      target = targets[task]
      steps = 0
    },
    judge({ proprio }, { reward, terminated }) {
      const away = Math.hypot(...axes.map((channel, i) => proprio[channel]! - target.position[i]!))
      steps = away <= target.within ? steps + 1 : 0
      const failed = terminated && reward <= 0
      const done = !failed && steps >= target.steps
      return { reward: done ? 1 : 0, terminated: done || failed, by: 'robot' }
    },
  }
}
