/** @file What the refinement actor adds to a push that looks at nothing: success beside a speaker, and how far a command goes. */
import { percent } from '../metrics/percent.ts'
import { mean } from '../metrics/statistics.ts'
import { distanceAsked, type SteerResult, steer } from '../review/steer.ts'
import { openTrained } from '../run/trained.ts'
import type { Experiment, FinishedRun, Section, Table, Workbench } from './experiment.ts'
import { points, shares, signedSteps, steps } from './figures.ts'
import { methodCalled, regimeOf, runName, settingsOf } from './methods.ts'
import {
  type Measured,
  measure,
  retried,
  stepsDifference,
  stepsToSuccess,
  successDifference,
  successRate,
} from './outcomes.ts'
import { heardBy, type Listener, tryOut } from './spoken.ts'

const CELLS = ['A', 'B'] as const // where it was trained, and one with other bases, cameras and calibration
type Cell = (typeof CELLS)[number]

const SAID = [
  { says: undefined, name: 'silence', title: 'nothing is said' },
  { says: 'push', name: 'push', title: 'commands, each a scripted push' },
  { says: 'actor', name: 'commands', title: 'commands to the refinement actor' },
] as const satisfies readonly { says?: Listener; name: string; title: string }[]
type Said = (typeof SAID)[number]['name']

const STATES = 30 // of each task, from which every command is tried

/** The trials of every run in a cell, by what was said. */
export type InCell = { cell: Cell; runs: Record<Said, Measured[]> }

/** How commands were obeyed, by who heard them, of each run; `millimetres`: asked along each axis. */
export type Obeyed = Record<Listener, { result: SteerResult; millimetres: number }[]>

export const experiment: Experiment = {
  name: 'refinement',
  title: 'Is the refinement actor more than a push?',
  question:
    'Beside the same speaker, from the same starts: does the refinement actor help a policy more than adding a constant along what was said does, where it was trained and in another cell; and how far does the tool go?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench) {
    const regime = regimeOf(bench)
    const dual = methodCalled('dual')
    const { seeds } = bench.options
    const runs = await Promise.all(
      seeds.map((seed) => bench.train(runName(regime, dual), settingsOf(dual, regime.settings), seed)),
    )
    const cells: InCell[] = []
    for (const cell of CELLS) cells.push({ cell, runs: await inCell(bench, runs, cell) })
    const obeyed: Obeyed = { push: [], actor: [] }
    for (const run of runs)
      for (const heard of ['push', 'actor'] as const) {
        bench.progress(`commands from ${STATES} states a task, ${heard}, seed ${run.config.seed}`)
        obeyed[heard].push(
          await bench.once(`${heard}-obeyed-seed${run.config.seed}`, async () =>
            obedience(await bench.whole(run), heard),
          ),
        )
      }
    return sectionOf(cells, obeyed)
  },
}

async function inCell(bench: Workbench, runs: readonly FinishedRun[], cell: Cell): Promise<InCell['runs']> {
  const found: InCell['runs'] = { silence: [], push: [], commands: [] }
  for (const run of runs)
    for (const { says, name } of SAID) {
      const { seed } = run.config
      bench.progress(`cell ${cell}, ${name}, seed ${seed}`)
      const { tasks } = await bench.once(`${cell}-${name}-seed${seed}`, async () =>
        tryOut(await bench.whole(run), says, cell),
      )
      found[name].push(retried(measure(run), tasks))
    }
  return found
}

async function obedience(run: FinishedRun, heard: Listener): Promise<Obeyed[Listener][number]> {
  const trained = await openTrained(run.folder.path)
  const { config, session, perception } = trained
  try {
    const { robot, simulation } = session.rigs[0]!
    const { translator } = session
    const { shift } = config.learner.refinement
    const result = await steer(
      { robot, simulation: simulation!, perception, policy: heardBy(trained, heard), translator },
      { tasks: config.tasks, statesPerTask: STATES, seed: config.evaluation.firstSeed, noise: 'normal', shift },
    )
    return { result, millimetres: 1000 * distanceAsked(shift, robot.spec) }
  } finally {
    await trained.close()
  }
}

export function sectionOf(cells: readonly InCell[], obeyed: Obeyed): Section {
  return {
    tables: [...cells.map(successTable), obedienceTable(obeyed)],
    plots: [],
    notes: [
      'Success in percent, and points; all trials of a training seed and task from the same starts. In brackets 95 % intervals over other training seeds and other starts at once. A scripted push adds the action that commands ask for in training to what the primary actor does.',
      `Obedience: from ${STATES} states of each task that the policy visits, each command for five steps against the same five with nothing said, with the same noise. "As far as asked": the tool went so far along the command, give or take 30 %.`,
    ],
  }
}

function successTable({ cell, runs }: InCell): Table {
  const { tasks } = runs.silence[0]!.config
  return {
    title: cell === CELLS[0] ? 'Where it was trained' : `In cell ${cell}`,
    header: ['', ...tasks, 'mean', '− nothing said', '− scripted push', 'steps', 'steps − scripted push'],
    rows: SAID.map(({ name, title }) => {
      const own = runs[name]
      const against = (other: Said) => (other === name ? '-' : points(successDifference(own, runs[other], tasks)))
      return [
        title,
        ...tasks.map((task) => shares(successRate(own, 'final', [task]))),
        shares(successRate(own, 'final', tasks)),
        against('silence'),
        against('push'),
        steps(stepsToSuccess(own, tasks)),
        name === 'push' ? '-' : signedSteps(stepsDifference(own, runs.push, tasks)),
      ]
    }),
  }
}

function obedienceTable(obeyed: Obeyed): Table {
  return {
    title: 'What a command does',
    header: [
      '',
      'six directions',
      'pairs',
      'mm along one axis',
      'asked',
      'as far as asked',
      '"[null]" changes actions by',
    ],
    rows: (['push', 'actor'] as const).map((heard) => {
      const all = obeyed[heard]
      const single = all.flatMap(({ result: { commands } }) =>
        Object.entries(commands).flatMap(([command, score]) => (command.includes(' and ') ? [] : [score])),
      )
      return [
        heard === 'push' ? 'scripted push' : 'refinement actor',
        percent(mean(all.map(({ result }) => result.directions)), 1),
        percent(mean(all.map(({ result }) => result.pairs)), 1),
        mean(single.map(({ millimetres }) => millimetres)).toFixed(1),
        mean(all.map(({ millimetres }) => millimetres)).toFixed(1),
        percent(
          mean(all.flatMap(({ result: { commands } }) => Object.values(commands).map(({ asAsked }) => asAsked))),
          1,
        ),
        percent(mean(all.map(({ result }) => result.nullChange)), 1),
      ]
    }),
  }
}
