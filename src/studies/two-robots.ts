/** @file A second robot: what a policy of one is worth on the other, both learning at once, and the time that takes. */
import { InputError } from '../errors.ts'
import type { MetricOf, TaskScore } from '../metrics/metrics.ts'
import { percent } from '../metrics/percent.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import { interventionShare, operatorSeconds, operatorTime } from '../metrics/summary.ts'
import type { Plot, Series } from '../review/report/plot.ts'
import type { Cell } from '../robots/workcell/options.ts'
import { courseOf } from './curves.ts'
import type { Experiment, FinishedRun, Section, Table, Workbench } from './experiment.ts'
import { shares } from './figures.ts'
import { methodCalled, regimeOf, runName, settingsOf } from './methods.ts'
import { type Measured, measure, practice, shareOf } from './outcomes.ts'
import { overSeeds, type SeedPoint } from './over-seeds.ts'
import { tryOut } from './spoken.ts'

type Scores = Record<string, TaskScore> // by task
type Arm = { name: string; cells: Cell[]; runs: Measured[] }
/** `scores` has one entry a training seed. */
type Row = { trained: string; tested: Cell; scores: Scores[]; step0?: Scores[] }

/** Published: mean success in percent, and minutes of training (docs/method.md §9). */
const PAPER_SUCCESS: Readonly<Record<string, number>> = { 'A on B': 0, 'A+B on A': 100, 'A+B on B': 100 }
const PAPER_MINUTES: Readonly<Record<string, number>> = { A: 100, 'A+B': 47 }

/** The runs of robot A are those of `regimes`. */
const TRAININGS: readonly { name: string; run: string; cells: Cell[] }[] = [
  { name: 'A', run: 'dual', cells: ['A'] },
  { name: 'B', run: 'dual-b', cells: ['B'] },
  { name: 'A+B', run: 'dual-ab', cells: ['A', 'B'] },
]
const WANTED = [0.9, 0.95] // mean success over the tasks, on every robot of the run

export const experiment: Experiment = {
  name: 'two-robots',
  title: 'Two robots',
  question:
    'Does a policy trained on one robot serve another, mounted, tuned and seen differently? Do two that learn together serve both, and how much sooner?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench: Workbench): Promise<Section> {
    const arms = await Promise.all(
      TRAININGS.map(async ({ name, run, cells }) => ({ name, cells, runs: await trainings(bench, run, cells) })),
    )
    const rows = []
    for (const arm of arms) rows.push(...(await testsOf(bench, arm)))
    return sectionOf(arms, rows)
  },
}

async function trainings(bench: Workbench, name: string, cells: Cell[]): Promise<Measured[]> {
  const elsewhere = cells.join() === 'A' ? {} : { robot: { cells } }
  const settings = settingsOf(methodCalled('dual'), elsewhere)
  const run = runName(regimeOf(bench), { name })
  const runs = await Promise.all(bench.options.seeds.map((seed) => bench.train(run, settings, seed)))
  return runs.map(measure)
}

/** On its own robots as the run itself measured it, on the other as the finished policy does there. */
async function testsOf(bench: Workbench, { name, cells, runs }: Arm): Promise<Row[]> {
  const rows: Row[] = []
  for (const tested of ['A', 'B'] as const) {
    if (cells.includes(tested)) {
      const at = (stage: 'step 0' | 'final') => runs.map((run) => scoresOf(evaluationAt(run, stage), tested))
      rows.push({ trained: name, tested, scores: at('final'), step0: at('step 0') })
      continue
    }
    const scores: Scores[] = []
    for (const run of runs)
      scores.push(await bench.once(`${name}-on-${tested}-seed${run.config.seed}`, () => transfer(bench, run, tested)))
    rows.push({ trained: name, tested, scores })
  }
  return rows
}

async function transfer(bench: Workbench, run: FinishedRun, cell: Cell): Promise<Scores> {
  bench.progress(`${run.folder.path} in cell ${cell}`)
  return (await tryOut(await bench.whole(run), undefined, cell)).tasks
}

type Evaluation = MetricOf<'evaluation'>

const evaluationAt = (run: Measured, stage: 'step 0' | 'final'): Evaluation =>
  courseOf(run)
    .map(({ evaluation }) => evaluation)
    .findLast((evaluation) => evaluation.stage === stage)!

/** A run of one robot has no scores but its own. */
const scoresOf = ({ tasks, robots }: Evaluation, cell: Cell): Scores => robots?.[cell] ?? tasks

const meanSuccess = (scores: Scores) => mean(Object.values(scores).map(({ success }) => success))

export function sectionOf(arms: readonly Arm[], rows: readonly Row[]): Section {
  const { tasks, evaluation } = arms[0]!.runs[0]!.config
  const seeds = arms[0]!.runs.length
  return {
    tables: [successTable(rows, tasks), timeTable(arms)],
    plots: [{ name: 'clock', plot: clockPlot(arms) }],
    notes: [
      `Success in percent of ${evaluation.trials} trials a task and training seed (seeds: ${seeds}), on starts that no training ` +
        'met, without operator and commands; in brackets the 95 % interval over other seeds and starts (decision 42).',
      'Minutes on the clock are steps of one robot at 10 Hz: two robots act at the same time and collect twice the data, and ' +
        'the learner makes as many updates for each step of either. Demonstrations are recorded on every robot.',
      'One robot that has to collect the same data, a cell after the other, needs the minutes of both ("data"): with updates ' +
        'tied to steps it learns the same at half the speed, which follows from how these runs are made and is no measurement. ' +
        'What is measured is how long each training took until an evaluation on the way first reached the success named, on ' +
        'every robot that it trained on; "step 0" means that the warm-up on demonstrations was enough.',
    ],
  }
}

function successTable(rows: readonly Row[], tasks: readonly string[]): Table {
  return {
    title: 'Success',
    header: ['trained on', 'tested on', ...tasks, 'mean', 'step 0', 'paper: mean'],
    rows: rows.map(({ trained, tested, scores, step0 }) => [
      trained,
      tested,
      ...tasks.map((task) => rate(scores, [task])),
      rate(scores, tasks),
      step0 ? rate(step0, tasks) : '-',
      PAPER_SUCCESS[`${trained} on ${tested}`]?.toFixed(0) ?? '-',
    ]),
  }
}

/** @throws InputError if an earlier version evaluated without keeping the trials */
function rate(scores: readonly Scores[], tasks: readonly string[]): string {
  const trials = scores.flatMap((own, seed) =>
    tasks.flatMap((task) => {
      const { outcomes } = own[task]!
      if (!outcomes) throw new InputError('two-robots', `has no trials of ${task}`, 'Train its runs again')
      return outcomes.map((trial) => ({ trainingSeed: seed, start: trial.seed, success: trial.success }))
    }),
  )
  return shares(shareOf(trials))
}

function timeTable(arms: readonly Arm[]): Table {
  return {
    title: 'Time',
    header: [
      'trained on',
      ...WANTED.map((wanted) => `${percent(wanted)} after [min on the clock]`),
      'clock [min]',
      'data [robot min]',
      'data / clock',
      'wall [min]',
      'operator, % of steps',
      'operator, s',
      'paper: min',
    ],
    rows: arms.map(({ name, cells, runs }) => {
      const clock = mean(runs.map(({ summary }) => summary.robotMinutes))
      const data = mean(runs.map((run) => robotMinutes(practice(run).reduce((sum, { length }) => sum + length, 0))))
      return [
        name,
        ...WANTED.map((wanted) => runs.map((run) => reached(run, cells, wanted)).join(', ')),
        clock.toFixed(1),
        data.toFixed(1),
        (data / clock).toFixed(2),
        mean(runs.map(({ summary }) => summary.wallMinutes)).toFixed(1),
        (100 * interventionShare(runs.flatMap(practice))).toFixed(1),
        mean(runs.map((run) => operatorSeconds(operatorTime(practice(run))))).toFixed(0),
        PAPER_MINUTES[name]?.toFixed(0) ?? '-',
      ]
    }),
  }
}

/** When a run's evaluation first had that mean success on each of its robots. */
function reached(run: Measured, cells: readonly Cell[], wanted: number): string {
  const first = courseOf(run).find(({ evaluation }) =>
    cells.every((cell) => meanSuccess(scoresOf(evaluation, cell)) >= wanted),
  )
  if (!first) return 'not reached'
  const { stage, robotSteps } = first.evaluation
  return stage === 'step 0' ? 'step 0' : robotMinutes(robotSteps).toFixed(1)
}

function clockPlot(arms: readonly Arm[]): Plot {
  const curve = (run: Measured, cell: Cell, stretch: number): SeedPoint[] =>
    courseOf(run).map(({ bin, evaluation }) => ({
      bin,
      x: stretch * robotMinutes(evaluation.robotSteps),
      y: meanSuccess(scoresOf(evaluation, cell)),
    }))
  const series: Series[] = arms.flatMap(({ name, cells, runs }, a) =>
    cells.map((cell, c) => ({
      name: `trained on ${name}, tested on ${cell}`,
      colour: a + c,
      look: 'line',
      points: overSeeds(runs.map((run) => curve(run, cell, 1))),
    })),
  )
  const together = arms.find(({ cells }) => cells.length > 1)!
  const alternately: Series[] = together.cells.map((cell, c) => ({
    name: `the same data by one robot, tested on ${cell}`,
    colour: arms.indexOf(together) + c,
    look: 'dashed',
    points: overSeeds(together.runs.map((run) => curve(run, cell, together.cells.length))).map(({ x, y }) => ({
      x,
      y,
    })),
  }))
  return {
    title: 'Success by minutes on the clock',
    caption:
      'Evaluations on fresh starts, step 0 included: mean over tasks and training seeds, the band from the worst seed to the best. Dashed: the curves of A+B, had one robot collected the data of both in turn.',
    x: { label: 'minutes on the clock' },
    y: { label: 'success', domain: [0, 1], format: percent },
    series: [...series, ...alternately],
  }
}
