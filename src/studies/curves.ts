/** @file Success over robot time and wall time, with critics and without; on the runs of `regimes`. */

import { judgedOnly } from '../metrics/judged.ts'
import type { MetricOf } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { percent } from '../metrics/percent.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import { unaided } from '../metrics/unaided.ts'
import type { Plot, Point, Series } from '../review/report/plot.ts'
import type { Experiment, Section, Table, Workbench } from './experiment.ts'
import { type ComparedMethod, methodCalled, regimeOf, trainSeeds } from './methods.ts'
import { type Measured, measure, practice } from './outcomes.ts'
import { binned, minutesOf, overSeeds, type SeedPoint } from './over-seeds.ts'
import { PAPER_CURVES } from './paper.ts'

type Evaluation = MetricOf<'evaluation'>
type Row = { method: ComparedMethod; runs: Measured[] }
const SHOWN = ['cloning', 'hg-dagger', 'dual'] // the control first

export const experiment: Experiment = {
  name: 'curves',
  title: 'Success over time',
  question:
    'How fast do the dual actor (without commands: the single actor) and cloning alone learn, in robot minutes and in wall minutes?',
  runsOf: 'regimes',
  robotMinutes: 30,
  async run(bench: Workbench): Promise<Section> {
    const rows = await Promise.all(
      SHOWN.map(methodCalled).map(async (method) => ({
        method,
        runs: (await trainSeeds(bench, regimeOf(bench), method)).map(measure),
      })),
    )
    return sectionOf(rows)
  },
}

export function sectionOf(rows: readonly Row[]): Section {
  const { evaluation, online } = rows.at(-1)!.runs[0]!.config
  return {
    tables: [milestones(rows)],
    plots: [
      {
        name: 'robot-minutes',
        plot: evaluated(rows, 'robot minutes', ({ robotSteps }) => robotMinutes(robotSteps), true),
      },
      { name: 'wall-minutes', plot: evaluated(rows, 'wall minutes', ({ time }) => time / 60, false) },
      { name: 'practice', plot: unaidedPlot(rows, online.robotMinutes) },
    ],
    notes: [
      `Evaluations: mean over tasks and ${rows[0]!.runs.length} training seeds, ${evaluation.trials} trials a task at step 0 and ` +
        `at the end, ${evaluation.trialsOnTheWay} on the way, the first of the same starts; without operator and commands. ` +
        'Wall minutes are those of warm-up and practice, encoding included; evaluations and the recording of the shared demonstrations are left out.',
    ],
  }
}

const practised = ({ runs }: Row) => runs.some(({ config }) => config.online.robotMinutes > 0)

/** All evaluations of a run that count, their wall time without the evaluations up to and including them. */
export function courseOf({ metrics, config }: Measured): { bin: number; evaluation: Evaluation }[] {
  const all = ofKind(metrics, 'evaluation')
  const final = all.at(-1)!
  let evaluating = 0
  return all.flatMap((evaluation) => {
    evaluating += evaluation.seconds ?? 0
    if (evaluation !== final && evaluation.stage === 'on the way' && evaluation.robotSteps === final.robotSteps)
      return []
    const rounded = Math.round(robotMinutes(evaluation.robotSteps) / config.evaluation.everyRobotMinutes)
    const bin = evaluation.stage === 'step 0' ? 0 : Math.max(1, rounded) // the end of a short run is not step 0
    return [{ bin, evaluation: { ...evaluation, time: evaluation.time - evaluating } }]
  })
}

const meanSuccess = ({ tasks }: Evaluation) => mean(Object.values(tasks).map(({ success }) => success))

const curveOf = (run: Measured, at: (evaluation: Evaluation) => number): SeedPoint[] =>
  courseOf(run).map(({ bin, evaluation }) => ({ bin, x: at(evaluation), y: meanSuccess(evaluation) }))

function evaluated(
  rows: readonly Row[],
  unit: string,
  at: (evaluation: Evaluation) => number,
  besidePaper: boolean,
): Plot {
  const ours: Series[] = rows.filter(practised).map(({ method, runs }) => ({
    name: method.title,
    colour: method.colour,
    look: 'line',
    points: overSeeds(runs.map((run) => curveOf(run, at))),
  }))
  const published: Series[] = Object.values(PAPER_CURVES).map(({ title, colour, points }) => ({
    name: `paper, ${title}`,
    colour,
    look: 'dots',
    points: points.map(({ minutes, success }) => ({ x: minutes, y: success })),
  }))
  const timed = besidePaper ? [...ours, ...published] : ours
  const latest = Math.max(...timed.flatMap(({ points }) => points.map(({ x }) => x)))
  /** It stands where it stands, whatever the time. */
  const controls: Series[] = rows
    .filter((row) => !practised(row))
    .map(({ method, runs }) => {
      const end = overSeeds(runs.map((run) => curveOf(run, at).slice(-1))).at(-1)
      const points = end ? [0, latest].map((x) => ({ x, y: end.y })) : []
      return { name: method.title, colour: method.colour, look: 'dashed', points }
    })
  const series = [...controls, ...timed]
  return {
    title: `Success by ${unit}`,
    caption:
      'Evaluations on fresh starts, step 0 included: mean over tasks and training seeds, the band from the worst seed to the best.',
    x: { label: unit, domain: [0, latest] },
    y: { label: 'success', domain: [0, 1], format: percent },
    series,
  }
}

/** While practising: exploration noise is on, and episodes in which the operator took a step do not count as successes. */
function unaidedPlot(rows: readonly Row[], budget: number): Plot {
  const stretches = 12
  return {
    title: 'Unaided success in practice',
    caption: `Share of the training episodes of each ${minutesOf({ budget, stretches })} robot minutes that succeeded without a step or a word of the operator; exploration noise is on. Mean over training seeds, the band from the worst to the best.`,
    x: { label: 'robot minutes', domain: [0, budget] },
    y: { label: 'success', domain: [0, 1], format: percent },
    series: rows.filter(practised).map(({ method, runs }) => ({
      name: method.title,
      colour: method.colour,
      look: 'line',
      points: overSeeds(
        runs.map((run) =>
          binned(judgedOnly(practice(run)), { budget, stretches }, (episodes) =>
            mean(episodes.map((episode) => Number(episode.success && unaided(episode)))),
          ),
        ),
      ),
    })),
  }
}

function milestones(rows: readonly Row[]): Table {
  const header = ['method', 'step 0', '20 robot min', 'end', 'robot min at the end']
  return {
    header: [...header, 'paper: 20 min', 'paper: end', 'paper: min at the end'],
    rows: rows.map(({ method, runs }) => {
      const curve = overSeeds(runs.map((run) => curveOf(run, ({ robotSteps }) => robotMinutes(robotSteps))))
      const at = (minutes: number) => curve.find(({ x }) => Math.abs(x - minutes) < 1)
      const [early, late] = PAPER_CURVES[method.name]?.points ?? []
      const end = curve.at(-1)
      return [
        method.title,
        shareOf(at(0)),
        shareOf(at(20)),
        shareOf(end),
        end?.x.toFixed(1) ?? '-',
        early ? percent(early.success) : '-',
        late ? percent(late.success) : '-',
        late?.minutes.toFixed(0) ?? '-',
      ]
    }),
  }
}

const shareOf = (point: Point | undefined) => (point ? percent(point.y) : '-')
