/** @file The metrics of one kind. A file of its own, since the console's page needs it without what reads files. */
import type { Metric, MetricOf } from './metrics.ts'

export const ofKind = <K extends Metric['kind']>(metrics: readonly Metric[], kind: K): MetricOf<K>[] =>
  metrics.filter((metric): metric is MetricOf<K> => metric.kind === kind)
