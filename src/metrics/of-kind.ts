/** @file The metrics of one kind. A file of its own, since the console's page needs it without what reads files. */
import type { Figure } from './figure.ts'
import type { Metric, MetricOf } from './metrics.ts'

export const ofKind = <K extends Metric['kind']>(metrics: readonly Metric[], kind: K): MetricOf<K>[] =>
  metrics.filter((metric): metric is MetricOf<K> => metric.kind === kind)

/** What the figures of a run's updates mean, as it was told last; empty for runs of earlier versions. */
export const declaredFigures = (metrics: readonly Metric[]): readonly Figure[] =>
  ofKind(metrics, 'figures').at(-1)?.declared ?? []
