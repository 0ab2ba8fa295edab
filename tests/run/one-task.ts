/** @file A whole run that is over in seconds, on one task with one demonstration; and what has to be equal in two of one seed. */
import type { Metric } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'

const SETTINGS = {
  robot: { arm: 'gantry' },
  tasks: ['pick'],
  demonstrations: { perTask: 1 },
  evaluation: { trials: 1 },
}

/** `settings`: what matters to the test. */
export const oneTask = (settings: object) => parseConfig('test', mergeSettings(presets.tiny, SETTINGS, settings))

/** All but the wall clock; the learner's figures come from another thread: how many steps had passed then is left to chance. */
export const curve = (metrics: readonly Metric[]) =>
  (['episode', 'update', 'evaluation'] as const).map((kind) =>
    ofKind(metrics, kind).map((metric) => {
      const { time: _, ...rest } = metric
      return metric.kind === 'update' ? { ...rest, robotSteps: 0 } : { ...rest, seconds: 0 }
    }),
  )
