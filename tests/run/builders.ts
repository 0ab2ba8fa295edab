/** @file Metrics for tests: say what matters, the rest has a plain value. */
import type { MetricOf } from '../../src/metrics/metrics.ts'

export const anEpisode = (fields: Partial<MetricOf<'episode'>>): MetricOf<'episode'> => ({
  kind: 'episode',
  time: 1,
  robotSteps: 40,
  episode: 0,
  task: 'place',
  success: true,
  length: 40,
  operatorSteps: 0,
  seed: 7,
  ...fields,
})

export const anUpdate = (fields: Partial<MetricOf<'update'>>): MetricOf<'update'> => ({
  kind: 'update',
  time: 1,
  robotSteps: 0,
  update: 1,
  phase: 'online',
  ...fields,
  figures: {
    'critic.td': 0.5,
    'critic.loss': 0.5,
    'actor.bc': 1,
    'actor.q': -0.2,
    'actor.loss': 0.4,
    'meanQ.place': 0.4,
    'weight.place': 1,
    'gradientNorm.critic': 1,
    ...fields.figures,
  },
})

export const anEvaluation = (fields: Partial<MetricOf<'evaluation'>>): MetricOf<'evaluation'> => ({
  kind: 'evaluation',
  time: 2,
  robotSteps: 0,
  update: 0,
  tasks: { place: { success: 0.2, successes: 5, trials: 25, interval: [0.09, 0.39], meanSteps: 44 } },
  ...fields,
})
