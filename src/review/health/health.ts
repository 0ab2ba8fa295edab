/**
 * @file Signs of a training that goes wrong, in plain words with the figure behind them (docs/method.md §11), from the metrics
 * alone. Thresholds are set so that the healthy runs we have stay silent; docstrings say what they rest on.
 */
import { each } from '../../metrics/figure.ts'
import type { HealthSign, Metric } from '../../metrics/metrics.ts'
import { driftingCritics, guessingCritics } from './critic-signs.ts'
import { FallingPolicy } from './falling-policy.ts'
import { type Finding, FlatTask } from './flat-task.ts'
import { type HealthConfig, HeardMetrics } from './heard.ts'
import { explodingGradient, idleLearner, notANumber } from './learner-signs.ts'
import { Parts } from './parts.ts'
import { deafActor, extremeMu, silentLabels } from './refinement-signs.ts'
import { blindCameras, risingOperator, unpunctualLoop } from './robot-signs.ts'

const CONFIRMATIONS = 10 // lines in a row that must agree before a sign appears or clears

/** Follows a run line by line. `hear` each metric in its order, then ask for the `signs`. */
export class HealthMonitor {
  private readonly heard: HeardMetrics
  private readonly flat = new FlatTask()
  private readonly falling: FallingPolicy
  private readonly parts = new Parts()
  private readonly shown = new Map<string, HealthSign>()
  private readonly pending = new Map<string, number>() // lines in a row that spoke for a change

  constructor(private readonly config: HealthConfig) {
    this.heard = new HeardMetrics(config)
    this.falling = new FallingPolicy(config.online.qWeight)
  }

  hear(metric: Metric): void {
    if (metric.kind === 'health') return
    this.heard.hear(metric)
    if (metric.kind === 'update') {
      this.flat.weigh(each(metric.figures, 'weight'))
      this.falling.weigh(metric)
    }
    if (metric.kind === 'episode' && !metric.aborted) {
      this.flat.hear(metric)
      this.falling.hear(metric)
    }
    if (metric.kind === 'condition') this.parts.hear(metric)
    if (metric.kind !== 'evaluation') this.weigh(metric)
  }

  /** What is wrong now, longest-standing first. */
  signs(): HealthSign[] {
    return [...this.shown.values()]
  }

  /** A sign appears, or clears, once several lines in a row say so; while it stands its figures are kept fresh. */
  private weigh(at: Metric): void {
    const found = new Map(this.findings().map((finding) => [finding.sign, finding]))
    for (const name of new Set([...found.keys(), ...this.shown.keys()])) {
      const finding = found.get(name)
      const standing = this.shown.get(name)
      if (finding && standing) this.shown.set(name, { ...finding, since: standing.since })
      if ((finding !== undefined) === (standing !== undefined)) {
        this.pending.delete(name)
        continue
      }
      const lines = (this.pending.get(name) ?? 0) + 1
      this.pending.set(name, lines)
      if (lines < (finding?.sign === 'no number' || /^(camera|part) /.test(name) ? 1 : CONFIRMATIONS)) continue
      this.pending.delete(name)
      if (finding) this.shown.set(name, { ...finding, since: { time: at.time, robotSteps: at.robotSteps } })
      else this.shown.delete(name)
    }
    for (const name of this.pending.keys()) if (!found.has(name) && !this.shown.has(name)) this.pending.delete(name)
  }

  private findings(): Finding[] {
    const { heard, config } = this
    const standing = (sign: string) => this.shown.has(sign)
    return [
      notANumber(heard),
      extremeMu(heard),
      ...this.flat.findings(standing),
      silentLabels(heard, config),
      deafActor(heard, config),
      ...driftingCritics(heard),
      guessingCritics(heard, config),
      this.falling.finding(standing('critics spoil the policy')),
      risingOperator(heard),
      explodingGradient(heard, config),
      idleLearner(heard, config),
      ...blindCameras(heard),
      ...this.parts.findings(),
      unpunctualLoop(heard),
    ].filter((finding) => finding !== undefined)
  }
}

/** What is wrong at the end of these metrics. */
export function assess(metrics: readonly Metric[], config: HealthConfig): HealthSign[] {
  const monitor = new HealthMonitor(config)
  for (const metric of metrics) monitor.hear(metric)
  return monitor.signs()
}
