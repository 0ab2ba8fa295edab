/** @file How far the tool comes where a command says how far: by the refinement actor, a scripted push, or nobody. */
import { percent } from '../metrics/percent.ts'
import { mean } from '../metrics/statistics.ts'
import { type DistanceScore, distances } from '../review/distances.ts'
import { openTrained } from '../run/trained.ts'
import { secondsFor } from '../talk/distance.ts'
import type { Experiment, FinishedRun, Section, Table } from './experiment.ts'
import { methodCalled, regimeOf, runName, settingsOf } from './methods.ts'
import { heardBy, type Listener } from './spoken.ts'

const CELLS = ['A', 'B'] as const // where it was trained, and one with other bases, cameras and calibration
const ASKED = [10, 20, 40] // mm
const STATES = 5 // of each task, from each of which the tool is sent along six directions

const SAID = [
  { as: 'silent', name: 'silence', title: 'nothing is said' },
  { as: 'asks', heard: 'push', name: 'push', title: 'a direction, to a scripted push' },
  { as: 'asks', heard: 'actor', name: 'actor', title: 'a direction, to the refinement actor' },
  { as: 'carries', heard: 'actor', name: 'distance', title: 'a distance' },
] as const satisfies readonly { as: 'silent' | 'asks' | 'carries'; heard?: Listener; name: string; title: string }[]
type Said = (typeof SAID)[number]

/** Of every run, in the order of the seeds, by what was said. */
type InCell = { cell: string; came: Record<Said['name'], DistanceScore[][]> }

export const experiment: Experiment = {
  name: 'distances',
  title: 'How far does a command go that says how far?',
  question:
    'From states that the policy visits, in the cell that it was trained in and in another: where does the tool stand once a command such as "left 20 mm" is over?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench) {
    const [regime, dual] = [regimeOf(bench), methodCalled('dual')]
    const runs = await Promise.all(
      bench.options.seeds.map((seed) => bench.train(runName(regime, dual), settingsOf(dual, regime.settings), seed)),
    )
    const cells: InCell[] = []
    for (const cell of CELLS) {
      const came: InCell['came'] = { silence: [], push: [], actor: [], distance: [] }
      for (const run of runs)
        for (const said of SAID) {
          const { seed } = run.config
          bench.progress(`cell ${cell}, ${said.title}, seed ${seed}`)
          came[said.name].push(
            await bench.once(`${cell}-${said.name}-seed${seed}`, async () => sent(await bench.whole(run), cell, said)),
          )
        }
      cells.push({ cell, came })
    }
    return sectionOf(cells, bench.options.seeds)
  },
}

async function sent(run: FinishedRun, cell: string, said: { as: Said['as']; heard?: Listener }) {
  const trained = await openTrained(run.folder.path, { cells: [cell] })
  const { config, session, perception } = trained
  const { robot, simulation } = session.rigs[0]!
  const { translator } = session
  try {
    return await distances(
      { robot, simulation: simulation!, perception, policy: heardBy(trained, said.heard), translator },
      {
        tasks: config.tasks,
        statesPerTask: STATES,
        seed: config.evaluation.firstSeed,
        noise: 'normal',
        millimetres: ASKED,
        as: said.as,
      },
    )
  } finally {
    await trained.close()
  }
}

export function sectionOf(cells: readonly InCell[], seeds: readonly number[]): Section {
  return {
    tables: cells.map((inCell) => tableOf(inCell, seeds)),
    plots: [],
    notes: [
      `From ${STATES} states of each task, along each of the six directions, until the tool, as the robot tells it, has come so far, or for ${secondsFor(0)} s and a second for each centimetre; where the tool truly is then counts. "As far as asked": give or take 30 %. A direction is what commands are in training; a distance also carries the tool along the axis that was said, and leaves all else to the policy. Where nothing is said the tool is watched alike: so often it comes that far by itself. By seed: as far as asked.`,
    ],
  }
}

function tableOf({ cell, came }: InCell, seeds: readonly number[]): Table {
  return {
    title: cell === CELLS[0] ? 'Where it was trained' : `In cell ${cell}`,
    header: [
      ...['asked, mm', 'said', 'came, mm', 'as far as asked'],
      ...seeds.map((seed) => `seed ${seed}`),
      ...['over in time', 'seconds'],
    ],
    rows: ASKED.flatMap((asked, i) =>
      SAID.map(({ name, title }) => {
        const scores = came[name].map((run) => run[i]!)
        const over = (value: (score: DistanceScore) => number) => mean(scores.map(value))
        return [
          ...[String(asked), title, over((score) => score.came).toFixed(1), percent(over(({ asAsked }) => asAsked))],
          ...scores.map(({ asAsked }) => percent(asAsked)),
          percent(over(({ inTime }) => inTime)),
          over(({ seconds }) => seconds).toFixed(1),
        ]
      }),
    ),
  }
}
