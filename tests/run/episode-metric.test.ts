/** @file What the metrics keep of an episode of practice. */
import { expect, it } from 'vitest'
import type { Practised } from '../../src/loop/practice.ts'
import { episodeMetric } from '../../src/run/episode-metric.ts'

const practised = (ending: Practised['ending']): Practised => ({
  ...{ task: 'push', seed: 3, episode: 7, ending, length: 9, by: 'robot' as const },
  ...{ operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] },
})
const of = (ending: Practised['ending']) =>
  episodeMetric(practised(ending), { time: 1, robotSteps: 9, robot: 'A' }, { operator: { speaks: false } as never })

it.each([
  ['success', true, undefined],
  ['failure', false, undefined],
  ['timeout', false, undefined],
  ['abort', false, true],
] as const)('tells of one that ended in %s whether it succeeded, and whether it counts', (ending, success, aborted) => {
  expect([of(ending).success, of(ending).aborted]).toEqual([success, aborted])
})
