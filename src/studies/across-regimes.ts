/** @file The methods in every regime, each beside the control without online phase: the main tables. */

import { mean } from '../metrics/statistics.ts'
import type { SpeakerReport } from '../robot/rig.ts'
import { compareMethods, type MethodTables, READING, type Row } from './compare-methods.ts'
import type { Experiment, FinishedRun, Regime, Section, Table, Workbench } from './experiment.ts'
import { shares } from './figures.ts'
import { COMPARED, type ComparedMethod, methodCalled, runName, trainSeeds } from './methods.ts'
import { describeDemonstrations, describeEncoder, describeOperator } from './origins.ts'
import { type Measured, measure, retried, successRate } from './outcomes.ts'
import { PAPER_TABLE } from './paper.ts'
import { REGIMES } from './regimes.ts'
import { evaluateWithCommands, type Tried } from './spoken.ts'

const ALL = COMPARED.map(({ name }) => name)
const WITHOUT_FLAT = ALL.filter((name) => name !== 'hil-conrft')

/** Methods by regime. In the others: the control and the dual actor. */
const PLAN: Readonly<Record<string, readonly string[]>> = {
  standard: ALL,
  weak: ALL,
  none: WITHOUT_FLAT,
  hard: WITHOUT_FLAT,
}

/** In the order of the tables, the control first. */
export const methodsOf = ({ name }: Regime): ComparedMethod[] => (PLAN[name] ?? ['cloning', 'dual']).map(methodCalled)

/** In every table: ours, and what it is held against. */
const ALWAYS = ['cloning', 'dual']

/** `asked`: by name; all that the regime is worth where none is. */
const chosenOf = (regime: Regime, asked?: readonly string[]): readonly ComparedMethod[] =>
  asked ? COMPARED.filter(({ name }) => [...ALWAYS, ...asked].includes(name)) : methodsOf(regime)

/** What is trained before the others. */
const FIRST = ['dual', 'cloning', 'silent']

export type RegimeRows = { regime: Regime; rows: Row[]; spoken: SpeakerReport[] }

export const experiment: Experiment = {
  name: 'regimes',
  title: 'Methods by regime',
  question:
    'What does each method add to heads cloned on the demonstrations alone, on the same networks, demonstrations, training seeds and starts, and under which conditions?',
  everyRegime: true,
  comparesMethods: true,
  robotMinutes: 30,
  async run(bench) {
    const trained = await Promise.all(
      (bench.regime ? [bench.regime] : REGIMES).map(async (regime: Regime) => ({
        regime,
        rows: await trainRows(bench, regime),
      })),
    )
    const complete: RegimeRows[] = []
    for (const { regime, rows } of trained) complete.push({ regime, ...(await addCommands(bench, regime, rows)) })
    return sectionOf(complete)
  },
}

/** Begins with what is asked most, so that who stops the work early has that: ours and what it is held against. */
async function trainRows(bench: Workbench, regime: Regime): Promise<Row[]> {
  const methods = chosenOf(regime, bench.methods)
  const first = (name: string) => [...FIRST, name].indexOf(name)
  const speak = (run: FinishedRun) => withCommands(bench, regime, run)
  const trained = new Map(
    methods
      .toSorted((a, b) => first(a.name) - first(b.name))
      .map((method) => [method.name, trainSeeds(bench, regime, method, method.name === 'dual' ? speak : undefined)]),
  )
  return Promise.all(methods.map(async (method) => ({ method, runs: (await trained.get(method.name)!).map(measure) })))
}

/** The trials of the dual actor once more, beside somebody who speaks where things go wrong. */
function withCommands(bench: Workbench, regime: Regime, run: FinishedRun): Promise<Required<Tried>> {
  const { seed } = run.config
  const name = `${runName(regime, methodCalled('dual'))}-commands-seed${seed}`
  return bench.once(name, async () => {
    bench.progress(`${regime.title}, evaluation with commands, seed ${seed}`)
    return evaluateWithCommands(await bench.whole(run))
  })
}

async function addCommands(bench: Workbench, regime: Regime, rows: Row[]): Promise<Omit<RegimeRows, 'regime'>> {
  const { method, runs } = rows.find((row) => row.method.name === 'dual')!
  const again: Measured[] = []
  const spoken: SpeakerReport[] = []
  for (const run of runs) {
    const { tasks, report } = await withCommands(bench, regime, run)
    again.push(retried(run, tasks))
    spoken.push(report)
  }
  const row = { method: { ...method, name: 'commands', title: 'dual actor, with commands' }, runs: again }
  return { rows: [...rows, { ...row, evaluatedOnly: true }], spoken }
}

export function sectionOf(compared: readonly RegimeRows[]): Section {
  const comparisons: MethodTables[] = compared.map(({ regime, rows }) => compareMethods(rows, regime.title))
  const { config } = compared[0]!.rows[0]!.runs[0]!
  return {
    tables: [overview(compared), ...comparisons.flatMap(({ tables }) => tables), published(config.tasks)],
    plots: comparisons
      .map(({ plot }, i) => ({ name: `interventions-${compared[i]!.regime.name}`, plot }))
      .filter(({ plot }) => plot.series.some(({ points }) => points.some(({ y }) => y > 0))), // somebody corrected
    notes: [...READING, describeEncoder(config), ...compared.map(describeRegime)],
  }
}

/** Every method in every regime, at the end. */
function overview(compared: readonly RegimeRows[]): Table {
  const methods = [...new Map(compared.flatMap(({ rows }) => rows.map(({ method }) => [method.name, method]))).values()]
  return {
    title: 'Success, mean over the tasks',
    header: ['method', ...compared.map(({ regime }) => regime.title)],
    rows: methods.map(({ name, title }) => [
      title,
      ...compared.map(({ rows }) => {
        const row = rows.find(({ method }) => method.name === name)
        if (!row) return '-'
        return shares(successRate(row.runs, 'final', row.runs[0]!.config.tasks))
      }),
    ]),
  }
}

/** The paper's figures, for orientation. */
function published(tasks: readonly string[]): Table {
  return {
    title: 'Published, percent of 25 trials a task of a real robot, with other objects and people',
    header: ['method', ...tasks, 'mean', 'steps'],
    rows: PAPER_TABLE.map(({ title, tasks: own, meanLength }) => {
      const known = tasks.flatMap((task) => own[task] ?? [])
      return [
        title,
        ...tasks.map((task) => own[task]?.toFixed(0) ?? '-'),
        known.length === tasks.length ? mean(known).toFixed(1) : '-',
        meanLength?.toFixed(1) ?? '-',
      ]
    }),
  }
}

function describeRegime({ regime, rows, spoken }: RegimeRows): string {
  const { runs } = rows[0]!
  const { config } = runs[0]!
  const before = rows.find(({ method }) => method.name === 'dual')!
  const shown = new Set(rows.map(({ method }) => method.name))
  const missing = methodsOf(regime).filter(({ name }) => !shown.has(name))
  const step0 = successRate(before.runs, 'step 0', config.tasks)
  const total = (pick: (report: SpeakerReport) => number) => spoken.reduce((sum, report) => sum + pick(report), 0)
  return (
    `**${regime.title}** (\`${regime.name}\`): ${regime.sentence} ${describeDemonstrations(config)}; the dual actor's step 0 is ${(100 * step0.value).toFixed(1)} %. ` +
    `${describeOperator(config)} With commands: a simulated speaker, who sees late what an operator would take over for, and says ` +
    `the direction in which the scripted expert would go: ${total(({ commands }) => commands)} commands, in force for ` +
    `${((100 * total(({ spokenSteps }) => spokenSteps)) / total(({ steps }) => steps)).toFixed(1)} % of the steps.` +
    (missing.length > 0 ? ` Not in these tables: ${missing.map(({ title }) => title).join(', ')}.` : '')
  )
}
