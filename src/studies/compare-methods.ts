/** @file The five methods side by side: success, lengths, what the operator did, and each against the dual actor. */

import { evaluate, evaluationNoise } from '../loop/evaluate.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { percent } from '../metrics/percent.ts'
import { bootstrapInterval, mean, type PairedDifference, wilsonInterval } from '../metrics/statistics.ts'
import { interventionShare } from '../metrics/summary.ts'
import { RandomStream } from '../random/stream.ts'
import type { Plot } from '../review/report/plot.ts'
import type { SpeakerReport } from '../robot/rig.ts'
import { OPERATORS } from '../robots/workcell/operator/options.ts'
import { openTrained } from '../run/trained.ts'
import type { Overrides, Section, Table, Workbench } from './experiment.ts'
import { COMPARED, type ComparedMethod, trainSeeds } from './methods.ts'
import { compare, type Measured, measure, outcomes, pooledOutcomes, practice } from './outcomes.ts'
import { binned, overSeeds } from './over-seeds.ts'
import { PAPER_TABLE } from './paper.ts'

export type Row = { method: ComparedMethod; runs: Measured[] }

const WITH_COMMANDS: ComparedMethod = {
  name: 'dual with commands',
  title: 'dual actor, with commands',
  colour: 0,
  onTheWay: false,
}

/** Trains all methods with the settings on top, and lays them side by side. */
export async function compareMethods(bench: Workbench, settings: Overrides): Promise<Section> {
  const rows = await Promise.all(
    COMPARED.map(async (method) => ({ method, runs: (await trainSeeds(bench, method, settings)).map(measure) })),
  )
  const dual = rows.find(({ method }) => method.name === 'dual')!
  const spoken = await spokenTo(bench, dual.runs)
  const section = sectionOf([...rows, { method: WITH_COMMANDS, runs: spoken.map(({ run }) => run) }])
  return { ...section, notes: [...section.notes, describeCommands(spoken.map(({ report }) => report))] }
}

type Spoken = { run: Measured; report: SpeakerReport }

/** The same trials of the same policies once more, beside somebody who speaks where things go wrong. */
async function spokenTo(bench: Workbench, runs: readonly Measured[]): Promise<Spoken[]> {
  const spoken: Spoken[] = []
  for (const run of runs) {
    const { seed } = run.config
    bench.progress(`evaluation with commands, seed ${seed}`)
    const { tasks, report } = await bench.once(`commands-seed${seed}`, () => evaluateWithCommands(run))
    const final = ofKind(run.metrics, 'evaluation').findLast(({ stage }) => stage === 'final')!
    spoken.push({ run: { ...run, metrics: [...run.metrics, { ...final, tasks }] }, report })
  }
  return spoken
}

async function evaluateWithCommands({ folder }: Measured) {
  const trained = await openTrained(folder.path)
  const { config, session, perception, policy } = trained
  try {
    const { robot, simulation } = session.rigs[0]!
    const speaker = simulation!.speaker(session.translator)
    const crew = { robot, perception, policy, noise: evaluationNoise(config), operator: speaker }
    const tasks = await evaluate(crew, config.tasks, config.evaluation)
    return { tasks, report: speaker.report() }
  } finally {
    await trained.close()
  }
}

function describeCommands(reports: readonly SpeakerReport[]): string {
  const total = (pick: (report: SpeakerReport) => number) => reports.reduce((sum, report) => sum + pick(report), 0)
  const [steps, said] = [total((report) => report.steps), total((report) => report.spokenSteps)]
  return (
    'Without a command the dual actor is the single actor: the refinement actor learns beside the primary and moves ' +
    'nothing of it, so that both rows come of the same runs. With commands: the same trials and policies beside a ' +
    'simulated speaker, who sees late what the operator above would take over for, and says the direction in which the ' +
    `scripted expert would go: ${total((report) => report.commands)} commands, in force for ${figure((100 * said) / steps)} % of the steps.`
  )
}

/** `rows` hold the same training seeds each, in the same order. */
export function sectionOf(rows: readonly Row[]): Section {
  const { tasks, evaluation } = rows[0]!.runs[0]!.config
  const seeds = rows[0]!.runs.map(({ config }) => config.seed)
  return {
    tables: [successTable(rows, tasks), effortTable(rows, tasks), seedTable(rows, tasks, seeds)],
    plots: [{ name: 'interventions', plot: interventionPlot(rows) }],
    notes: [
      `Success in percent of ${evaluation.trials} trials a task and training seed (seeds: ${seeds.length}), on starts that ` +
        'no training met, without operator and commands; in brackets the 95 % Wilson interval over all of them. The ' +
        'intervals are about trials with these policies: how much training seeds differ stands in the last table.',
      describeOperator(rows[0]!.runs[0]!.config.operator.strength),
    ],
  }
}

/** What the person who corrected was like, in figures. */
function describeOperator(strength: keyof typeof OPERATORS): string {
  const { reaction, delay, handDelay, patience, tolerance, offset, shortest, longest, ...hand } = OPERATORS[strength]
  const ms = (steps: number) => `${100 * steps} ms`
  return (
    `Operator (${strength}): takes over when the way to the goal, counted in steps of the scripted expert, shrank by less than ` +
    `${patience.fall} within ${ms(patience.steps)}, grew by ${tolerance} over its best, or the tool is more than ` +
    `${1000 * offset} mm off its axis near a contact; sees that with ${ms(delay)} of delay and needs ${ms(reaction)} to act; ` +
    `holds on for ${ms(shortest)} to ${ms(longest)}, seeing with ${ms(handDelay)} of delay; pushes with ${hand.strength} of the ` +
    `expert's action, a gain of ${hand.gain} and a tremor of ${hand.tremor} (standard deviation, of the largest action); ` +
    `${100 * hand.confusion} % of takeovers begin with left and right mixed up.`
  )
}

function successTable(rows: readonly Row[], tasks: readonly string[]): Table {
  const header = ['method', ...tasks, 'mean', 'step 0', ...tasks.map((task) => `paper: ${task}`), 'paper: mean']
  return { title: 'Success', header, rows: rows.map((row) => successRow(row, tasks)) }
}

function successRow({ method, runs }: Row, tasks: readonly string[]): string[] {
  const paper = PAPER_TABLE[method.name]
  const published = tasks.map((task) => paper?.tasks[task])
  const known = published.filter((value) => value !== undefined)
  return [
    method.title,
    ...tasks.map((task) => rate(runs, 'final', [task])),
    rate(runs, 'final', tasks),
    rate(runs, 'step 0', tasks),
    ...published.map((value) => value?.toFixed(0) ?? '-'),
    known.length === tasks.length ? mean(known).toFixed(1) : '-',
  ]
}

function rate(runs: readonly Measured[], kind: 'step 0' | 'final', tasks: readonly string[]): string {
  const trials = pooledOutcomes(runs, kind, tasks)
  const successes = trials.filter(({ success }) => success).length
  const [low, high] = wilsonInterval(successes, trials.length)
  return `${figure((100 * successes) / trials.length)} (${range(100 * low, 100 * high)})`
}

function effortTable(rows: readonly Row[], tasks: readonly string[]): Table {
  const dual = rows.find(({ method }) => method.name === 'dual')
  const header = [
    'method',
    'minus dual, points',
    'steps to success',
    'paper: steps',
    'operator, % of steps',
    'robot min',
    'wall min',
  ]
  return {
    title: 'Against the dual actor, length, and effort',
    header,
    rows: rows.map(({ method, runs }) => [
      method.title,
      dual && method !== dual.method ? points(compare(runs, dual.runs, tasks)) : '-',
      length(runs, tasks),
      PAPER_TABLE[method.name]?.meanLength?.toFixed(1) ?? '-',
      figure(100 * interventionShare(runs.flatMap(practice))),
      mean(runs.map(({ summary }) => summary.robotMinutes)).toFixed(1),
      mean(runs.map(({ summary }) => summary.wallMinutes)).toFixed(1),
    ]),
  }
}

/** Difference of success over the same trials, with its interval. */
const points = ({ difference, interval: [low, high] }: PairedDifference) =>
  `${signed(100 * difference)} (${signed(100 * low)} to ${signed(100 * high)})`

/** Mean length of the successful trials with a bootstrap interval. */
function length(runs: readonly Measured[], tasks: readonly string[]): string {
  const won = pooledOutcomes(runs, 'final', tasks).filter(({ success }) => success)
  if (won.length === 0) return '-'
  const lengths = won.map((trial) => trial.length)
  const [low, high] = bootstrapInterval(lengths, mean, new RandomStream(0, 'experiments/lengths'))
  return `${mean(lengths).toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`
}

function seedTable(rows: readonly Row[], tasks: readonly string[], seeds: readonly number[]): Table {
  const of = (run: Measured, kind: 'step 0' | 'final') => {
    const trials = tasks.flatMap((task) => outcomes(run, kind, task))
    return figure((100 * trials.filter(({ success }) => success).length) / trials.length)
  }
  return {
    title: 'Mean over the tasks by training seed: step 0 → end',
    header: ['method', ...seeds.map((seed) => `seed ${seed}`)],
    rows: rows.map(({ method, runs }) => [
      method.title,
      ...runs.map((run) => `${of(run, 'step 0')} → ${of(run, 'final')}`),
    ]),
  }
}

function interventionPlot(rows: readonly Row[]): Plot {
  const longest = Math.max(...rows.flatMap(({ runs }) => runs.map(({ config }) => config.online.robotMinutes)))
  const stretches = 12
  const practised = rows.filter(({ method }) => method !== WITH_COMMANDS && !method.runsOf)
  const series = practised.map(({ method, runs }) => ({
    name: method.title,
    colour: method.colour,
    look: 'line' as const,
    points: overSeeds(runs.map((run) => binned(practice(run), { budget: longest, stretches }, interventionShare))),
  }))
  const most = Math.max(0.1, ...series.flatMap(({ points }) => points.map(({ high }) => high!)))
  return {
    title: 'Steps taken by the operator',
    caption: `Share of the steps of each ${(longest / stretches).toFixed(1)} robot minutes; mean over training seeds, the band from the least to the most.`,
    x: { label: 'robot minutes', domain: [0, longest] },
    y: { label: 'share of steps', domain: [0, most], format: percent },
    series,
  }
}

const figure = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1))
const range = (low: number, high: number) => `${low.toFixed(0)} to ${high.toFixed(0)}`
const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`
