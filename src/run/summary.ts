/** @file What a run comes to: `summary.json` and the table that the terminal shows at its end. */
import { type Metric, type MetricOf, ofKind } from './metrics.ts'
import { robotMinutes } from './pace.ts'

export type TaskSummary = {
  step0: number // success before the first online step
  success: number // at the end
  trials: number
  interval: [low: number, high: number] // Wilson, 95 %, of `success`
  meanSteps: number
}

export type Summary = {
  tasks: Record<string, TaskSummary>
  interventionShare: number // of the online steps
  robotMinutes: number
  wallMinutes: number
  seed: number
}

/** Share of the steps that the operator took; 0 where there was no step. */
export function interventionShare(episodes: readonly MetricOf<'episode'>[]): number {
  const steps = episodes.reduce((sum, { length }) => sum + length, 0)
  const operated = episodes.reduce((sum, { operatorSteps }) => sum + operatorSteps, 0)
  return steps > 0 ? operated / steps : 0
}

/**
 * The first evaluation is step 0, the last one the result; tasks without an evaluation are left out.
 * Times are those of the last event.
 */
export function summarise(metrics: readonly Metric[], { seed }: { seed: number }): Summary {
  const evaluations = ofKind(metrics, 'evaluation')
  const tasks: Record<string, TaskSummary> = {}
  for (const { tasks: scores } of evaluations) {
    for (const [task, { success, trials, interval, meanSteps }] of Object.entries(scores)) {
      tasks[task] = { step0: tasks[task]?.step0 ?? success, success, trials, interval, meanSteps }
    }
  }
  const latest = (pick: (metric: Metric) => number) => metrics.reduce((most, metric) => Math.max(most, pick(metric)), 0)
  return {
    tasks,
    interventionShare: interventionShare(ofKind(metrics, 'episode')),
    robotMinutes: robotMinutes(latest(({ robotSteps }) => robotSteps)),
    wallMinutes: latest(({ time }) => time) / 60,
    seed,
  }
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`

/** The end-of-run table, plain text. */
export function formatSummary(summary: Summary): string {
  const rows = Object.entries(summary.tasks).map(([task, t]) => [
    task,
    percent(t.step0),
    percent(t.success),
    `${percent(t.interval[0])} to ${percent(t.interval[1])}`,
    String(t.trials),
    Number.isFinite(t.meanSteps) ? t.meanSteps.toFixed(1) : '-',
  ])
  return [
    formatTable(['task', 'step 0', 'final', '95 % interval', 'trials', 'mean steps'], rows),
    '',
    `robot time ${summary.robotMinutes.toFixed(1)} min, wall time ${summary.wallMinutes.toFixed(1)} min, ` +
      `operator took ${percent(summary.interventionShare)} of the steps, seed ${summary.seed}`,
  ].join('\n')
}

/** Columns padded to their widest entry: the first to the left, figures to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ')
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}
