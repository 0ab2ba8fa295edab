/** @file An episode from a log as a page scrubs through it: who acted, what was said, what a correction says. */
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { nameOf } from '../../robot/channels.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import type { RunConfig } from '../../run/config.ts'
import { translatorSettings } from '../../run/label-rule.ts'
import { openTranslator } from '../../talk/translator.ts'
import type { EpisodeDetail } from '../api.ts'
import type { CameraInfo, Vector3 } from '../protocol.ts'
import { ProprioReader } from './pose.ts'

export function detailOf(
  { start, observations, steps, end }: LoggedEpisode,
  spec: Pick<RobotSpec, 'channels' | 'home' | 'actionFrame' | 'actionScale'>,
  cameras: CameraInfo[],
  config: Pick<RunConfig, 'talk'>,
): EpisodeDetail {
  const intervened = steps.map(({ action, actor }) => ({
    action,
    intervened: actor === 'operator' && start.source === 'online',
  }))
  const labels = openTranslator(translatorSettings(config, spec)).label(intervened)
  const reader = new ProprioReader(spec)
  const { episode, task, seed } = start
  return {
    episode,
    task,
    seed,
    ending: end.ending,
    length: steps.length,
    operatorSteps: steps.filter(({ actor }) => actor === 'operator').length,
    spokenSteps: steps.filter(({ command }) => command !== null).length,
    cameras,
    proprio: spec.channels.map(nameOf),
    observations: observations.map(({ proprio }) => [...proprio]),
    tcp: observations.map(({ proprio }) => reader.tcp(proprio)),
    steps: steps.map(({ action, actor, command, reward, terminated, truncated }, t) => ({
      action: [...action],
      motion: [...action.subarray(0, 3)].map((value) => value * spec.actionScale.translation) as unknown as Vector3,
      actor,
      command,
      label: labels[t]?.command ?? null,
      reward,
      terminated,
      truncated,
    })),
  }
}
