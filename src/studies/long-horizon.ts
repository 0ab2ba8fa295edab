/** @file Long chains: 3 to 12 operations with no reset between, operation by operation, without and with commands. */

import { type Attrition, attrition, attritionTable, type Chain, runChains } from '../loop/chain.ts'
import { evaluationNoise } from '../loop/evaluate.ts'
import { percent } from '../metrics/percent.ts'
import type { Plot, Series } from '../review/report/plot.ts'
import type { SpeakerReport } from '../robot/rig.ts'
import { operationsOf } from '../robots/workcell/operations.ts'
import { openTrained } from '../run/trained.ts'
import type { Experiment, FinishedRun, Overrides, Section, Table, Workbench } from './experiment.ts'
import { points } from './figures.ts'
import { methodCalled, regimeOf, runName, settingsOf } from './methods.ts'
import { differenceOf, shareOf } from './outcomes.ts'
import { PAPER_CHAINS } from './paper.ts'
import { heardBy, type Listener } from './spoken.ts'

const CHAINS = 20 // for each training seed and condition
const LENGTHS = [3, 6, 9, 12] as const
const BEHIND = 1_000_000 // of the first start in an evaluation, that of a chain

/**
 * A policy is measured in the scene that it was trained in; that of one bolt is the dual actor of `regimes`. With four bolts
 * there is four times as much to show and twice the time to practise, which may begin where a success ended, as the
 * operations of a chain do. So much data need less blur, and it costs the last millimetres (decision 27).
 */
const SCENES = [
  {
    name: 'one-bolt',
    title: 'one bolt',
    bolts: 1,
    length: 3,
    run: 'dual',
    training: {},
    practice: 1,
  },
  {
    name: 'four-bolts',
    title: 'four bolts',
    bolts: 4,
    length: 12,
    run: 'dual-four-bolts',
    training: {
      robot: { bolts: 4, chainStarts: 0.5 },
      demonstrations: { perTask: 80 },
      learner: { inputNoise: 0.1 },
    },
    practice: 2,
  },
] as const
type Scene = (typeof SCENES)[number]

const CONDITIONS = ['without commands', 'with pushes', 'with commands'] as const
type Condition = (typeof CONDITIONS)[number]

/** Who hears the speaker. */
export const HEARD: Readonly<Record<Condition, Listener | undefined>> = {
  'without commands': undefined,
  'with pushes': 'push',
  'with commands': 'actor',
}

/** JSON-safe. */
export type Chained = {
  scene: Scene['name']
  condition: Condition
  seed: number
  chains: Chain[]
  said?: SpeakerReport
}

export const experiment: Experiment = {
  name: 'long-horizon',
  title: 'Chains of operations',
  question:
    'How many operations in a row succeed when the end of one is the start of the next, where do chains break, and what do commands change?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench) {
    const runs = await Promise.all(
      SCENES.flatMap((scene) =>
        bench.options.seeds.map(async (seed) => ({
          scene,
          seed,
          run: await bench.train(
            runName(regimeOf(bench), { name: scene.run }),
            settingsIn(scene, bench.options.robotMinutes),
            seed,
          ),
        })),
      ),
    )
    const measured: Chained[] = []
    for (const { scene, seed, run } of runs)
      for (const condition of CONDITIONS) {
        const name = `chains-${scene.name}-${condition.replace(' ', '-')}-seed${seed}`
        measured.push(
          await bench.once(name, async () => measureChains(bench, await bench.whole(run), scene, condition, seed)),
        )
      }
    return sectionOf(measured)
  },
}

/** `practice` times the robot minutes that the experiment was asked for. */
function settingsIn({ training, practice }: Scene, minutes: number): Overrides {
  return settingsOf(methodCalled('dual'), { ...training, online: { robotMinutes: practice * minutes } })
}

async function measureChains(
  bench: Workbench,
  run: FinishedRun,
  { name: scene, title, length }: Scene,
  condition: Condition,
  seed: number,
): Promise<Chained> {
  const trained = await openTrained(run.folder.path)
  try {
    const { session, perception, config } = trained
    const { robot, simulation } = session.rigs[0]!
    const says = HEARD[condition]
    const operator = says && simulation!.speaker(session.translator)
    const chains = await runChains(
      {
        robot,
        simulation: simulation!,
        perception,
        policy: heardBy(trained, says),
        noise: evaluationNoise(config),
        operator,
      },
      {
        operations: length,
        chains: CHAINS,
        firstSeed: config.evaluation.firstSeed + BEHIND,
        onChain: ({ completed, asked }) =>
          bench.progress(`${title}, ${condition}, seed ${seed}: ${completed} of ${asked} operations`),
      },
    )
    return { scene, condition, seed, chains, said: operator?.report() }
  } finally {
    await trained.close()
  }
}

/** `measured`: every scene, condition and training seed; those of one scene and condition are pooled. */
export function sectionOf(measured: readonly Chained[]): Section {
  const rowsOf = (scene: Scene, condition: Condition) =>
    attrition(chainsOf(measured, scene.name, condition), operationsOf(scene.length, scene.bolts))
  const [one, four] = SCENES
  return {
    tables: [
      lengthTable(measured),
      differenceTable(measured),
      ...CONDITIONS.map((condition) => ({
        title: `Four bolts, ${condition}`,
        ...attritionTable(rowsOf(four, condition)),
      })),
      ...CONDITIONS.map((condition) => ({
        title: `One bolt, ${condition}`,
        ...attritionTable(rowsOf(one, condition)),
      })),
    ],
    plots: [{ name: 'attrition', plot: attritionPlot(CONDITIONS.map((condition) => rowsOf(four, condition))) }],
    notes: [
      `${CHAINS} chains for each training seed and condition, from the same starts in each. Chains of 12 were run once: ` +
        'those of 3, 6 and 9 operations are their beginnings. The policy sees all four bolts; the active cradle and slot ' +
        'are coloured, nothing else tells it which bolt is meant. A chain ends with its first failed operation. With pushes, ' +
        'each command adds a constant to what the primary actor does (`refinement`).',
      ...CONDITIONS.slice(1).flatMap((condition) => SCENES.map((scene) => spoken(measured, scene, condition))),
    ],
  }
}

const of = (measured: readonly Chained[], scene: Scene['name'], condition: Condition) =>
  measured.filter((each) => each.scene === scene && each.condition === condition)
const chainsOf = (...where: Parameters<typeof of>): Chain[] => of(...where).flatMap(({ chains }) => chains)

/** Success of chains by their length: a chain of 12 counts for 6 if its first six operations succeeded. */
function lengthTable(measured: readonly Chained[]): Table {
  const cell = (scene: Scene, condition: Condition, length: number) => {
    if (length > scene.length) return '-'
    const { value, interval } = shareOf(
      of(measured, scene.name, condition).flatMap(({ seed, chains }) =>
        chains.map(({ completed }, k) => ({ trainingSeed: seed, start: k, success: completed >= length })),
      ),
    )
    return `${percent(value)} (${percent(interval[0])} to ${percent(interval[1])})`
  }
  const columns = SCENES.flatMap((scene) => CONDITIONS.map((condition) => ({ scene, condition })))
  return {
    title: 'Chains completed, with 95 % intervals over other training seeds and starts',
    header: ['operations', ...columns.map(({ scene, condition }) => `${scene.title}, ${condition}`), 'paper (of 10)'],
    rows: LENGTHS.map((length) => [
      String(length),
      ...columns.map(({ scene, condition }) => cell(scene, condition, length)),
      percent(PAPER_CHAINS[length]!),
    ]),
  }
}

/** Whole chains of the last condition against the others, chain by chain, in points. */
function differenceTable(measured: readonly Chained[]): Table {
  const [last, ...others] = CONDITIONS.toReversed()
  const whole = ({ name, length }: Scene, condition: Condition) =>
    of(measured, name, condition)
      .toSorted((a, b) => a.seed - b.seed)
      .flatMap(({ seed, chains }) =>
        chains.map(({ completed }, k) => ({ trainingSeed: seed, start: k, success: completed >= length })),
      )
  return {
    title: `Whole chains, ${last} minus others, points`,
    header: ['scene', ...others],
    rows: SCENES.map((scene) => [
      scene.title,
      ...others.map((condition) => {
        const other = whole(scene, condition)
        return points(
          differenceOf(
            whole(scene, last!).map(({ success, ...trial }, i) => ({
              ...trial,
              first: success,
              second: other[i]!.success,
            })),
          ),
        )
      }),
    ]),
  }
}

function spoken(measured: readonly Chained[], scene: Scene, condition: Condition): string {
  const reports = of(measured, scene.name, condition).flatMap(({ said }) => (said ? [said] : []))
  const total = (pick: (report: SpeakerReport) => number) => reports.reduce((sum, report) => sum + pick(report), 0)
  const share = total(({ spokenSteps }) => spokenSteps) / total(({ steps }) => steps)
  return (
    `Commands, ${scene.title}, ${condition}: ${total(({ commands }) => commands)} given by the simulated operator who speaks, in force ` +
    `for ${percent(share)} of the steps.`
  )
}

/** `rows`: one attrition a condition. */
function attritionPlot(rows: readonly (readonly Attrition[])[]): Plot {
  const series: Series[] = rows.map((attritions, i) => ({
    name: CONDITIONS[i]!,
    colour: i,
    look: 'line',
    points: attritions.map(({ operation, reached, interval: [low, high] }) => ({
      x: operation,
      y: reached,
      low,
      high,
    })),
  }))
  const paper = Object.entries(PAPER_CHAINS).map(([length, share]) => ({ x: Number(length), y: share }))
  return {
    title: 'Chains still alive after each operation',
    caption: 'Four bolts. Bands: 95 % Wilson intervals. Dots: the paper, 10 chains of each length.',
    x: { label: 'operation', domain: [1, 12] },
    y: { label: 'share of the chains', domain: [0, 1], format: percent },
    series: [...series, { name: 'paper', colour: 5, look: 'dots', points: paper }],
  }
}
