/** @file Methods side by side in one regime: success, each method against each, lengths, and what the operator gave. */

import { percent } from '../metrics/percent.ts'
import { mean } from '../metrics/statistics.ts'
import { interventionShare, operatorTime, SECONDS_A_COMMAND } from '../metrics/summary.ts'
import type { Plot } from '../review/report/plot.ts'
import type { Table } from './experiment.ts'
import { figure, points, shares, signedSteps, steps } from './figures.ts'
import type { ComparedMethod } from './methods.ts'
import {
  type EvaluationKind,
  type Measured,
  practice,
  stepsDifference,
  stepsToSuccess,
  successDifference,
  successRate,
} from './outcomes.ts'
import { binned, minutesOf, overSeeds } from './over-seeds.ts'

/** `evaluatedOnly`: the policies of another row, tried in another way; what their training took stands there. */
export type Row = {
  method: Pick<ComparedMethod, 'name' | 'title' | 'colour'>
  runs: Measured[]
  evaluatedOnly?: boolean
}

export type MethodTables = { tables: Table[]; plot: Plot }

/** `rows` hold the same training seeds each, in the same order; `title` names the regime where there are several. */
export function compareMethods(rows: readonly Row[], title?: string): MethodTables {
  const { tasks } = rows[0]!.runs[0]!.config
  const called = (what: string) => (title ? `${title}: ${what.toLowerCase()}` : what)
  return {
    tables: [
      { title: called('Success'), ...successTable(rows, tasks) },
      { title: called('Success of the row minus that of the column, points'), ...differenceTable(rows, tasks) },
      { title: called('Length and effort'), ...effortTable(rows, tasks) },
    ],
    plot: interventionPlot(rows, title),
  }
}

/** How the figures of these tables are to be read. */
export const READING = [
  'Success in percent, without operator and commands unless a row says otherwise, on starts that no training met: the mean ' +
    'over tasks and training seeds; by seed step 0 → end. In brackets 95 % intervals over other training seeds and other ' +
    'starts at once (decision 42), of one seed over starts alone. Each is about its own figure: of twenty that show ' +
    'nothing one is expected to leave 0 out.',
  'Differences are taken trial by trial, over the same training seed, demonstrations, task and start. Steps to success count ' +
    'the trials that succeed; their differences those in which both succeed. Seconds are of one run, in robot time: ' +
    `"steering", the operator acted in the place of the policy; "speaking", ${SECONDS_A_COMMAND} s for each command ("-": nobody could speak).`,
]

function successTable(rows: readonly Row[], tasks: readonly string[]): Table {
  const seeds = rows[0]!.runs.map(({ config }) => config.seed)
  const rate = (runs: readonly Measured[], kind: EvaluationKind, of: readonly string[]) =>
    shares(successRate(runs, kind, of))
  return {
    header: ['method', ...tasks, 'mean', 'step 0', ...seeds.map((seed) => `seed ${seed}`)],
    rows: rows.map(({ method, runs }) => {
      const [before, after] = (['step 0', 'final'] as const).map((kind) => successRate(runs, kind, tasks).bySeed)
      return [
        method.title,
        ...tasks.map((task) => rate(runs, 'final', [task])),
        rate(runs, 'final', tasks),
        rate(runs, 'step 0', tasks),
        ...seeds.map((_, s) => `${figure(100 * before![s]!)} → ${figure(100 * after![s]!)}`),
      ]
    }),
  }
}

/** Every method against every one above it. */
function differenceTable(rows: readonly Row[], tasks: readonly string[]): Table {
  const compared = rows.slice(0, -1)
  return {
    header: ['method', ...compared.map(({ method }) => `− ${method.title}`)],
    rows: rows
      .slice(1)
      .map(({ method, runs }, i) => [
        method.title,
        ...compared.map((other, k) => (k <= i ? points(successDifference(runs, other.runs, tasks)) : '')),
      ]),
  }
}

function effortTable(rows: readonly Row[], tasks: readonly string[]): Table {
  const dual = rows.find(({ method }) => method.name === 'dual')
  return {
    header: [
      ...['method', 'steps to success', ...(dual ? [`steps − ${dual.method.title}`] : [])],
      ...['operator, % of steps', 'steering, s', 'speaking, s', 'robot min', 'wall min'],
    ],
    rows: rows.map(({ method, runs, evaluatedOnly }) => [
      method.title,
      steps(stepsToSuccess(runs, tasks)),
      ...(dual ? [runs === dual.runs ? '-' : signedSteps(stepsDifference(runs, dual.runs, tasks))] : []),
      ...(evaluatedOnly ? EFFORT.map(() => '-') : EFFORT.map((effort) => effort(runs))),
    ]),
  }
}

const EFFORT: readonly ((runs: readonly Measured[]) => string)[] = [
  (runs) => figure(100 * interventionShare(runs.flatMap(practice))),
  (runs) => seconds(runs.map((run) => operatorTime(practice(run)).steering)),
  (runs) => seconds(runs.map((run) => operatorTime(practice(run)).speaking)),
  (runs) => mean(runs.map(({ summary }) => summary.robotMinutes)).toFixed(1),
  (runs) => mean(runs.map(({ summary }) => summary.wallMinutes)).toFixed(1),
]

/** Mean over the runs. */
const seconds = (values: readonly (number | undefined)[]) =>
  values.every((value) => value !== undefined) ? mean(values).toFixed(0) : '-'

function interventionPlot(rows: readonly Row[], title?: string): Plot {
  const practised = rows.filter(({ runs, evaluatedOnly }) => !evaluatedOnly && runs.some((run) => practice(run).length))
  const longest = Math.max(...rows.flatMap(({ runs }) => runs.map(({ config }) => config.online.robotMinutes)))
  const stretches = 12
  const series = practised.map(({ method, runs }) => ({
    name: method.title,
    colour: method.colour,
    look: 'line' as const,
    points: overSeeds(runs.map((run) => binned(practice(run), { budget: longest, stretches }, interventionShare))),
  }))
  const most = Math.max(0.1, ...series.flatMap(({ points }) => points.map(({ high }) => high!)))
  return {
    title: `Steps taken by the operator${title ? `: ${title}` : ''}`,
    caption: `Share of the steps of each ${minutesOf({ budget: longest, stretches })} robot minutes; mean over training seeds, the band from the least to the most.`,
    x: { label: 'robot minutes', domain: [0, longest] },
    y: { label: 'share of steps', domain: [0, most], format: percent },
    series,
  }
}
