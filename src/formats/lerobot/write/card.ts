/** @file The card of a set, README.md: what is in it and what its columns mean, for people and for the Hub. */
import type { Features } from './features.ts'
import type { EpisodeRow } from './tables.ts'

export type Described = {
  robot: string
  fps: number
  features: Features
  tasks: readonly string[]
  rows: readonly EpisodeRow[]
}

const COLUMNS: readonly [name: string, meaning: string][] = [
  ['action', 'what was executed, after the safety envelope: a bounded twist and the gripper, each in [-1, 1]'],
  ['policy_plan', 'what the policy would have done; all 0 where `policy_planned` is false'],
  [
    'actor',
    '`primary`, `refinement` (acts while a command holds), `operator` (a person or a simulated one) or `exploration` (something was tried at random)',
  ],
  [
    'intervention',
    'whether the operator acted in an episode of the policy; the same in `complementary_info.is_intervention`',
  ],
  ['judge', 'whose word reward and end are: `robot`, `classifier`, `person` or `clock`'],
  ['command', 'what was said and held while the step was taken, or nothing'],
  ['language_events', 'a command on the frame at which it began to hold'],
  ['language_persistent', 'for corrections by hand, the command that each stood for (style `motion`)'],
  ['next.done', 'the last frame of an episode; `next.truncated` where the clock or a stop ended it'],
]

export function cardOf({ robot, fps, features, tasks, rows }: Described): string {
  const frames = rows.reduce((sum, { length }) => sum + length, 0)
  const of = (source: string) => rows.filter((row) => row.source === source).length
  const cameras = Object.entries(features)
    .filter(([, { dtype }]) => dtype === 'image' || dtype === 'video')
    .map(([name, { shape, dtype }]) => `\`${name}\` (${shape[1]} × ${shape[0]}, ${dtype})`)
  return `---
tags:
- LeRobot
- robotics
task_categories:
- robotics
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# ${robot}

A LeRobotDataset v3.0 by [Duet](https://arxiv.org/abs/2509.13774): ${rows.length} episodes, ${frames} frames at ${fps} Hz;
${of('demonstration')} are demonstrations, ${of('online')} rollouts of a policy that a person could correct.

Tasks:
${tasks.map((task) => `- ${task}: ${rows.filter((row) => row.task === task).length} episodes`).join('\n')}

Cameras: ${cameras.join(', ') || 'none'}.

| column | meaning |
| --- | --- |
${COLUMNS.map(([name, meaning]) => `| \`${name}\` | ${meaning} |`).join('\n')}
`
}
