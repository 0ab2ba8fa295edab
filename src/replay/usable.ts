/** @file Whether a logged episode can be learned from: logs of version 1 took readings that are no numbers. */
import { nameOf } from '../robot/channels.ts'
import type { RobotSpec } from '../robot/robot.ts'
import type { Step } from './episode.ts'
import type { Unpictured } from './records.ts'

/** Where an episode holds something that is not finite, in words; undefined where all of it is. */
export function whyUnusable(
  { observations, steps }: { observations: readonly Unpictured[]; steps: readonly Step[] },
  { channels }: Pick<RobotSpec, 'channels'>,
): string | undefined {
  for (const [t, { proprio }] of observations.entries()) {
    const at = proprio.findIndex((value) => !Number.isFinite(value))
    if (at >= 0) return `${nameOf(channels[at]!)} reads ${proprio[at]} in observation ${t}`
  }
  for (const { step, action, reward } of steps) {
    const at = action.findIndex((value) => !Number.isFinite(value))
    if (at >= 0) return `action[${at}] of step ${step} is ${action[at]}`
    if (!Number.isFinite(reward)) return `the reward of step ${step} is ${reward}`
  }
  return undefined
}
