/** @file Where a policy stands on its way from step 0 to the end, each time on the same starts, and whether it falls. */
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import { interventionShare } from '../metrics/summary.ts'
import { mergeSettings } from '../run/resolve.ts'
import { courseOf } from './curves.ts'
import type { Experiment, Overrides, Section, Table, Workbench } from './experiment.ts'
import { figure, points, shares } from './figures.ts'
import { methodCalled, regimeOf, runName, settingsOf } from './methods.ts'
import { describeDemonstrations, describeEncoder, describeOperator } from './origins.ts'
import { type Measured, measure, practice, retried, successDifference, successRate } from './outcomes.ts'

/** Parts of a run, with an evaluation after each. */
const PARTS = 6

export const experiment: Experiment = {
  name: 'climb',
  title: 'From step 0 to the end',
  question: 'Does the dual actor climb from its step 0, and does it fall below it on the way?',
  robotMinutes: 60,
  async run(bench: Workbench): Promise<Section> {
    const [dual, regime] = [methodCalled('dual'), regimeOf(bench)]
    const settings = mergeSettings(settingsOf(dual, regime.settings), evaluatedOnTheWay(bench.options))
    const runs = bench.options.seeds.map((seed) => bench.train(runName(regime, dual), settings, seed))
    return sectionOf((await Promise.all(runs)).map(measure))
  },
}

/** All of the trials each time: whether it falls is asked of the same starts. */
const evaluatedOnTheWay = ({ trials, robotMinutes: budget }: Workbench['options']): Overrides => ({
  evaluation: { trialsOnTheWay: trials, everyRobotMinutes: budget / PARTS },
})

export function sectionOf(runs: readonly Measured[]): Section {
  const { config } = runs[0]!
  return {
    tables: [tableOf(runs)],
    plots: [],
    notes: [
      'Success in percent, without operator and commands, on the same starts in every row. In brackets 95 % intervals, over ' +
        'other training seeds and other starts at once where there are several seeds, over starts alone where there is one. ' +
        '"Operator": its share of the steps since the row above. Wall minutes without evaluations and the recording of demonstrations.',
      describeEncoder(config),
      `${describeDemonstrations(config)}. ${describeOperator(config)}`,
    ],
  }
}

function tableOf(runs: readonly Measured[]): Table {
  const { tasks } = runs[0]!.config
  const courses = runs.map(courseOf)
  const stops = courses[0]!.map(({ bin }) => bin).filter((bin) => courses.every((course) => at(course, bin)))
  /** The runs as if they had ended there. */
  const endedAt = (bin: number) => runs.map((run, i) => retried(run, at(courses[i]!, bin)!.tasks))
  const begun = endedAt(stops[0]!)
  return {
    header: [
      ...['robot min', ...tasks, 'mean', '− step 0, points'],
      ...runs.map(({ config }) => `seed ${config.seed}`),
      ...['operator, % of steps', 'wall min'],
    ],
    rows: stops.map((bin, i) => {
      const [ended, evaluations] = [endedAt(bin), courses.map((course) => at(course, bin)!)]
      const since = courses.map((course) => (i === 0 ? 0 : at(course, stops[i - 1]!)!.robotSteps))
      const between = runs.flatMap((run, k) =>
        practice(run).filter(({ robotSteps: end }) => end > since[k]! && end <= evaluations[k]!.robotSteps),
      )
      return [
        mean(evaluations.map(({ robotSteps }) => robotMinutes(robotSteps))).toFixed(1),
        ...tasks.map((task) => shares(successRate(ended, 'final', [task]))),
        shares(successRate(ended, 'final', tasks)),
        i === 0 ? '' : points(successDifference(ended, begun, tasks)),
        ...ended.map((run) => figure(100 * successRate([run], 'final', tasks).value)),
        i === 0 ? '' : figure(100 * interventionShare(between)),
        mean(evaluations.map(({ time }) => time / 60)).toFixed(1),
      ]
    }),
  }
}

const at = (course: ReturnType<typeof courseOf>, bin: number) => course.find((stop) => stop.bin === bin)?.evaluation
