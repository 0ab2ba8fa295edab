/** @file The reward sources that a run's settings name. A person's word is above all of them. */
import type { RobotSpec } from '../robot/robot.ts'
import type { RewardConfig } from './config.ts'
import { poseReward } from './pose.ts'
import { type RewardSource, robotsOwn } from './reward.ts'

/** Of one robot. @throws InputError if it lacks what they need */
export const rewardSources = (config: RewardConfig, spec: RobotSpec): RewardSource[] =>
  config.kind === 'pose' ? [poseReward(config.targets, spec)] : [robotsOwn]
