/** @file Watches the health of a run while it writes its metrics: notes every change as a line of its own, and tells of it. */

import type { HealthSign, Metric, MetricsWriter } from '../../metrics/metrics.ts'
import { ofKind } from '../../metrics/of-kind.ts'
import type { RunListener } from '../../run/train.ts'
import { HealthMonitor } from './health.ts'
import type { HealthConfig } from './heard.ts'

export type HealthChange = { appeared: HealthSign[]; cleared: HealthSign[] }

/** Watches a run that `train` makes, and tells of each change. */
export const healthListener = (onChange: (change: HealthChange) => void = () => {}): RunListener => ({
  started: ({ config, metrics, past }) => watchHealth(metrics, past, config, onChange),
})

/**
 * `past` are the metrics of earlier parts of the run; signs that they noted last are not told again. Those may be others than
 * the same metrics would be given now: a resume may change settings, and a kill may come between a line and what follows of it.
 */
export function watchHealth(
  metrics: MetricsWriter,
  past: readonly Metric[],
  config: HealthConfig,
  onChange: (change: HealthChange) => void,
): void {
  const monitor = new HealthMonitor(config)
  for (const metric of past) monitor.hear(metric)
  let standing: readonly HealthSign[] = ofKind(past, 'health').at(-1)?.signs ?? []
  metrics.listen((metric) => {
    if (metric.kind === 'health') return
    monitor.hear(metric)
    const signs = monitor.signs()
    const appeared = withoutThose(signs, standing)
    const cleared = withoutThose(standing, signs)
    standing = signs
    if (appeared.length + cleared.length === 0) return
    metrics.write({ kind: 'health', time: metric.time, robotSteps: metric.robotSteps, signs })
    onChange({ appeared, cleared })
  })
}

const withoutThose = (signs: readonly HealthSign[], others: readonly HealthSign[]) =>
  signs.filter(({ sign }) => !others.some((other) => other.sign === sign))
