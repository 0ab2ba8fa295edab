/** @file What a run comes to: `summary.json` and the table that the terminal shows at its end. */

import type { Metric, MetricOf, TaskScore } from './metrics.ts'
import { ofKind } from './of-kind.ts'
import { percent } from './percent.ts'
import { robotMinutes, robotSeconds } from './robot-time.ts'

export type TaskSummary = {
  step0?: number // success before the first online step; none where nothing was evaluated then, as in a fleet
  success: number // at the end, or in the last evaluation so far
  trials: number
  interval: [low: number, high: number] // Wilson, 95 %, of `success`
  meanSteps: number
}

export type RobotSummary = {
  tasks: Record<string, TaskSummary>
  interventionShare: number // of its online steps
  robotMinutes: number // its steps / 10 Hz
}

export type Summary = {
  tasks: Record<string, TaskSummary> // over all robots
  /** The robots went on after the last evaluation, or it is not the final one. Summaries of earlier versions do not say. */
  soFar?: true
  robots?: Record<string, RobotSummary> // by cell, where there are several
  interventionShare: number // of the online steps of all robots
  /** What the operator gave to all robots together. Summaries of earlier versions have none. */
  operator?: OperatorTime
  robotMinutes: number // on the clock: several robots act at the same time
  wallMinutes: number
  /** Online; as of the last checkpoint. Summaries of earlier versions have none, nor have runs that never came so far. */
  learning?: { updates: number; updatesPerStep: number }
  seed: number
}

/** Seconds. `speaking` and `told` are undefined where nobody could speak. */
export type OperatorTime = {
  steering: number // the operator acted, robot time
  speaking?: number // as long as the commands took to say
  told?: number // a command held, robot time: the policy acted, and the operator watched as ever
}

/**
 * What a command costs the operator: half a second to find the words, as the simulated speaker takes, and another to say
 * them. Stated, not measured: a takeover is counted in steps, and the two have to be added.
 */
export const SECONDS_A_COMMAND = 1

/** `rate`: Hz of the robot, 10 where nothing is said. */
export function operatorTime(episodes: readonly MetricOf<'episode'>[], rate?: number): OperatorTime {
  const sum = (counts: readonly number[]) => counts.reduce((all, each) => all + each, 0)
  const steering = robotSeconds(sum(episodes.map(({ operatorSteps }) => operatorSteps)), rate)
  const heard = episodes.filter(({ commands }) => commands !== undefined)
  if (heard.length === 0) return { steering }
  const speaking = SECONDS_A_COMMAND * sum(heard.map(({ commands }) => commands!))
  return { steering, speaking, told: robotSeconds(sum(heard.map(({ spokenSteps }) => spokenSteps ?? 0)), rate) }
}

/** By hand and by word. */
export const operatorSeconds = ({ steering, speaking = 0 }: OperatorTime): number => steering + speaking

/** Share of the steps that the operator took; 0 where there was no step. */
export function interventionShare(episodes: readonly MetricOf<'episode'>[]): number {
  const steps = episodes.reduce((sum, { length }) => sum + length, 0)
  const operated = episodes.reduce((sum, { operatorSteps }) => sum + operatorSteps, 0)
  return steps > 0 ? operated / steps : 0
}

/**
 * The first evaluation, unless online steps came before it, is step 0, the last one the result; tasks without an evaluation
 * are left out.
 * Times are those of the last event. `rate`: Hz of the robot, 10 where nothing is said.
 */
export function summarise(metrics: readonly Metric[], { seed, rate }: { seed: number; rate?: number }): Summary {
  const evaluations = ofKind(metrics, 'evaluation')
  const episodes = ofKind(metrics, 'episode')
  const cells = new Set(evaluations.flatMap(({ robots }) => Object.keys(robots ?? {})))
  const robots = [...cells].map((cell) => {
    const own = episodes.filter(({ robot }) => robot === cell)
    const tasks = firstAndLast(evaluations, ({ robots = {} }) => robots[cell] ?? {})
    const steps = own.reduce((sum, { length }) => sum + length, 0)
    return [
      cell,
      { tasks, interventionShare: interventionShare(own), robotMinutes: robotMinutes(steps, rate) },
    ] as const
  })
  const latest = (pick: (metric: Metric) => number) => metrics.reduce((most, metric) => Math.max(most, pick(metric)), 0)
  return {
    tasks: firstAndLast(evaluations, ({ tasks }) => tasks),
    ...(isSoFar(evaluations.at(-1), episodes) ? { soFar: true } : {}),
    ...(robots.length > 0 ? { robots: Object.fromEntries(robots) } : {}),
    interventionShare: interventionShare(episodes),
    operator: operatorTime(episodes, rate),
    robotMinutes: robotMinutes(
      latest(({ robotSteps }) => robotSteps),
      rate,
    ),
    wallMinutes: latest(({ time }) => time) / 60,
    ...learningOf(ofKind(metrics, 'learning').at(-1)),
    seed,
  }
}

/** Counted, not asked for: updates that were made, for the steps that all robots took. */
function learningOf(last: MetricOf<'learning'> | undefined): Pick<Summary, 'learning'> {
  return last ? { learning: { updates: last.updates, updatesPerStep: last.updates / last.steps } } : {}
}

type Evaluation = MetricOf<'evaluation'>

function firstAndLast(
  evaluations: readonly Evaluation[],
  scoresOf: (evaluation: Evaluation) => Record<string, TaskScore>,
): Record<string, TaskSummary> {
  const tasks: Record<string, TaskSummary> = {}
  for (const evaluation of evaluations)
    for (const [task, { success, trials, interval, meanSteps }] of Object.entries(scoresOf(evaluation))) {
      const before = tasks[task] ? tasks[task].step0 : evaluation.stage === 'on the way' ? undefined : success
      tasks[task] = { ...(before === undefined ? {} : { step0: before }), success, trials, interval, meanSteps }
    }
  return tasks
}

/** Metrics of earlier versions do not tell which evaluation was the final one: the last is taken for it. */
const isSoFar = (last: Evaluation | undefined, episodes: readonly MetricOf<'episode'>[]): boolean =>
  last?.stage !== undefined &&
  (last.stage !== 'final' || episodes.some(({ robotSteps }) => robotSteps > last.robotSteps))

/** A line for each task and, where there are several robots, below it one for each of them. */
export const scoreRows = ({ tasks, robots = {} }: Pick<Summary, 'tasks' | 'robots'>) =>
  Object.entries(tasks).flatMap(([task, score]) => [
    { task, name: task, score },
    ...Object.entries(robots).flatMap(([cell, { tasks: own }]) =>
      own[task] ? [{ task, name: `${task}, robot ${cell}`, score: own[task] }] : [],
    ),
  ])

/** What the success of a summary is called. */
export const resultOf = ({ soFar }: Pick<Summary, 'soFar'>) => (soFar ? 'so far' : 'final')

/** The end-of-run table, plain text. */
export function formatSummary(summary: Summary): string {
  const rows = scoreRows(summary).map(({ name, score: t }) => [
    name,
    percent(t.step0 ?? Number.NaN),
    percent(t.success),
    `${percent(t.interval[0])} to ${percent(t.interval[1])}`,
    String(t.trials),
    Number.isFinite(t.meanSteps) ? t.meanSteps.toFixed(1) : '-',
  ])
  const several = Object.keys(summary.robots ?? {}).length
  return [
    formatTable(['task', 'step 0', resultOf(summary), '95 % interval', 'trials', 'mean steps'], rows),
    '',
    `robot time ${summary.robotMinutes.toFixed(1)} min${several ? ` on each of ${several} robots` : ''}, wall time ${summary.wallMinutes.toFixed(1)} min, ` +
      `operator took ${percent(summary.interventionShare)} of the steps${secondsOf(summary.operator)}, seed ${summary.seed}`,
    ...(summary.learning ? [learningLine(summary.learning)] : []),
  ].join('\n')
}

function secondsOf(time: OperatorTime | undefined): string {
  if (!time) return ''
  const { steering, speaking, told = 0 } = time
  const words =
    speaking === undefined ? '' : `, and ${speaking.toFixed(0)} s for commands, in force for ${told.toFixed(0)} s`
  return ` (${steering.toFixed(0)} s${words})`
}

const learningLine = ({ updates, updatesPerStep }: NonNullable<Summary['learning']>) =>
  `${updates} online updates, ${updatesPerStep.toFixed(2)} for each step of a robot`

/** Columns padded to their widest entry: the first to the left, figures to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}
