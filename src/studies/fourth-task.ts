/** @file A fourth task with other dynamics beside the three: what each task comes to with the others, and alone. */

import type { MetricOf } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { percent } from '../metrics/percent.ts'
import { robotMinutes } from '../metrics/robot-time.ts'
import { mean } from '../metrics/statistics.ts'
import { interventionShare, operatorSeconds, operatorTime } from '../metrics/summary.ts'
import type { Plot, Series } from '../review/report/plot.ts'
import { withoutRepeats } from '../review/report/series.ts'
import { OPERATIONS } from '../robots/workcell/operations.ts'
import { courseOf } from './curves.ts'
import type { Experiment, FinishedRun, Section, Table, Workbench } from './experiment.ts'
import { figure, shares } from './figures.ts'
import { type Measured, measure, practice, successRate } from './outcomes.ts'
import { overSeeds, type SeedPoint } from './over-seeds.ts'

export const FOUR_TASKS: readonly string[] = [...OPERATIONS, 'slide']
const MARK = 0.8 // of the success alone: below it a task counts as starved
const EVALUATIONS = 8 // on the way of each run
const BINS = 60 // of the updates, in a curve

/** `alone` holds the runs of each task by itself; training seeds in the same order everywhere. */
export type Runs = { together: Measured[]; alone: Record<string, Measured[]> }

export const experiment: Experiment = {
  name: 'fourth-task',
  title: 'A fourth task with other dynamics',
  question:
    'Does a task of another kind, pushing a stand along a rail to its end stop, learn beside place, pick and assemble without starving or starving them?',
  robotMinutes: 40,
  async run(bench: Workbench): Promise<Section> {
    const { robotMinutes: minutes } = bench.options
    const [together, ...alone] = await Promise.all([
      trainOn(bench, 'together', FOUR_TASKS, minutes),
      ...FOUR_TASKS.map((task) => trainOn(bench, `alone-${task}`, [task], minutes / FOUR_TASKS.length)),
    ])
    return sectionOf({
      together: together!.map(measure),
      alone: Object.fromEntries(FOUR_TASKS.map((task, i) => [task, alone[i]!.map(measure)])),
    })
  },
}

/** One whole run, whose updates are drawn, for each training seed; nothing but the tasks and the robot's time differs between them. */
function trainOn(bench: Workbench, name: string, tasks: readonly string[], minutes: number): Promise<FinishedRun[]> {
  const settings = {
    tasks: [...tasks],
    online: { robotMinutes: minutes },
    evaluation: { trialsOnTheWay: 10, everyRobotMinutes: minutes / EVALUATIONS },
  }
  return Promise.all(bench.options.seeds.map(async (seed) => bench.whole(await bench.train(name, settings, seed))))
}

export function sectionOf(runs: Runs): Section {
  const { together } = runs
  const { tasks, evaluation, online } = together[0]!.config
  const ratios = tasks.map((task) => ({ task, ratio: ratioOf(runs, task) }))
  const least = ratios.reduce((a, b) => (b.ratio < a.ratio ? b : a))
  const starved = ratios.filter(({ ratio }) => ratio < MARK).map(({ task }) => task)
  return {
    tables: [successTable(runs), shareTable(runs), weightTable(together)],
    plots: [
      { name: 'success', plot: successPlot(runs) },
      { name: 'weight', plot: updatePlot(together, 'Task weight', 'ε', (task) => `weight.${task}`) },
      { name: 'value', plot: updatePlot(together, 'Value of the policy', 'Q̄', (task) => `meanQ.${task}`) },
    ],
    notes: [
      `Success in percent of ${evaluation.trials} trials a task and training seed (seeds: ${together.length}), without operator ` +
        'and commands; in brackets the 95 % interval over other seeds and starts (decision 42). Alone: the same program on one task, with ' +
        `${(online.robotMinutes / tasks.length).toFixed(0)} of the ${online.robotMinutes} robot minutes that the tasks have together ` +
        'and all rows of every batch.',
      `Least of its success alone: ${least.task} with ${percent(least.ratio)}. ` +
        (starved.length === 0
          ? `No task is below ${percent(MARK)}.`
          : `Below ${percent(MARK)}, and so starved: ${starved.join(', ')}.`),
    ],
  }
}

/** Success together as a share of success alone. Where nothing is learned alone there is nothing to lose: 1. */
function ratioOf({ together, alone }: Runs, task: string): number {
  const mark = successRate(alone[task]!, 'final', [task]).value
  return mark > 0 ? successRate(together, 'final', [task]).value / mark : 1
}

function successTable(runs: Runs): Table {
  const { together, alone } = runs
  const final = (runs: readonly Measured[], task: string) => shares(successRate(runs, 'final', [task]))
  const step0 = (runs: readonly Measured[], task: string) => figure(100 * successRate(runs, 'step 0', [task]).value)
  return {
    title: 'Success together and alone',
    header: ['task', 'together', 'alone', 'together / alone', 'step 0 together', 'step 0 alone'],
    rows: together[0]!.config.tasks.map((task) => [
      task,
      final(together, task),
      final(alone[task]!, task),
      percent(ratioOf(runs, task)),
      step0(together, task),
      step0(alone[task]!, task),
    ]),
  }
}

/** What each task had of the batches and of the robot in the runs together. */
function shareTable({ together, alone }: Runs): Table {
  const { tasks, learner } = together[0]!.config
  const rows = Math.floor(learner.batch / tasks.length)
  const updates = together.reduce((sum, run) => sum + onlineUpdates(run), 0)
  const all = together.flatMap(practice)
  const steps = (episodes: readonly { length: number }[]) => episodes.reduce((sum, { length }) => sum + length, 0)
  return {
    title: 'Shares of the tasks together',
    header: [
      'task',
      'rows of a batch',
      'episodes',
      'robot steps',
      'robot min',
      'robot min alone',
      'online draws a step',
      'operator, % of its steps',
      'operator, s',
    ],
    rows: tasks.map((task) => {
      const own = all.filter((episode) => episode.task === task)
      return [
        task,
        `${rows} of ${learner.batch}`,
        percent(own.length / all.length),
        percent(steps(own) / steps(all)),
        (robotMinutes(steps(own)) / together.length).toFixed(1),
        mean(alone[task]!.map(({ summary }) => summary.robotMinutes)).toFixed(1),
        ((updates * rows) / steps(own)).toFixed(1),
        figure(100 * interventionShare(own)),
        (operatorSeconds(operatorTime(own)) / together.length).toFixed(0),
      ]
    }),
  }
}

/** Number of joint updates after the warm-up; only some of them are in the metrics. */
const onlineUpdates = ({ metrics, config }: Measured): number =>
  Math.max(0, ...ofKind(metrics, 'update').map(({ update }) => update - config.warmUp.updates))

/** What the noted updates say; a value that was not measured, or not finite, is left out. */
function valuesOf(updates: readonly MetricOf<'update'>[], name: string): { update: number; value: number }[] {
  return updates.flatMap((update) => {
    const value = update.figures[name]
    return value !== undefined && Number.isFinite(value) ? [{ update: update.update, value }] : []
  })
}

/** Q̄ and ε at the end of the warm-up and of the run: means over the last tenth of the updates of each. */
function weightTable(together: readonly Measured[]): Table {
  const noted = (phase: 'warm-up' | 'online') =>
    together.map(({ metrics }) => withoutRepeats(ofKind(metrics, 'update')).filter((update) => update.phase === phase))
  const all = { 'warm-up': noted('warm-up'), online: noted('online') }
  const late = (phase: 'warm-up' | 'online', name: string) => {
    const values = all[phase].flatMap((updates) => valuesOf(updates.slice(Math.floor(0.9 * updates.length)), name))
    return values.length > 0 ? mean(values.map(({ value }) => value)).toFixed(2) : '-'
  }
  const range = (name: string) => {
    const values = valuesOf(all.online.flat(), name).map(({ value }) => value)
    if (values.length === 0) return '-'
    const [least, most] = values.reduce(
      ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
      [Infinity, -Infinity],
    )
    return `${least.toFixed(2)} to ${most.toFixed(2)}`
  }
  return {
    title: 'Value and weight of the tasks together',
    header: ['task', 'Q̄ after warm-up', 'Q̄ at the end', 'ε after warm-up', 'ε at the end', 'ε online'],
    rows: together[0]!.config.tasks.map((task) => {
      const [value, weight] = [`meanQ.${task}`, `weight.${task}`]
      return [
        task,
        late('warm-up', value),
        late('online', value),
        late('warm-up', weight),
        late('online', weight),
        range(weight),
      ]
    }),
  }
}

/** Together over the whole budget; alone over its share, drawn over the same stretch so that equal shares lie above each other. */
function successPlot({ together, alone }: Runs): Plot {
  const { tasks, online } = together[0]!.config
  const curve = (runs: readonly Measured[], task: string, stretch: number) =>
    overSeeds(
      runs.map((run) =>
        courseOf(run).map(
          ({ bin, evaluation }): SeedPoint => ({
            bin,
            x: stretch * robotMinutes(evaluation.robotSteps),
            y: evaluation.tasks[task]!.success,
          }),
        ),
      ),
    )
  const series = tasks.flatMap((task, colour): Series[] => [
    { name: task, colour, look: 'line', points: curve(together, task, 1) },
    { name: `${task} alone`, colour, look: 'dashed', points: curve(alone[task]!, task, tasks.length) },
  ])
  return {
    title: 'Success of the tasks, together and alone',
    caption: `Mean over training seeds, the band from the worst to the best. Alone (dashed) a minute of the axis is 1/${tasks.length} minute of the robot: the share of one task.`,
    x: { label: 'robot minutes of all tasks', domain: [0, online.robotMinutes] },
    y: { label: 'success', domain: [0, 1], format: percent },
    series,
  }
}

function updatePlot(
  together: readonly Measured[],
  title: string,
  label: string,
  nameOf: (task: string) => string,
): Plot {
  const { tasks, warmUp } = together[0]!.config
  const longest = Math.max(...together.flatMap(({ metrics }) => ofKind(metrics, 'update').map(({ update }) => update)))
  const width = Math.max(1, Math.ceil(longest / BINS))
  return {
    title: `${title} of each task`,
    caption: 'Runs with all tasks; mean over training seeds, the band from the least to the most.',
    x: { label: 'updates', domain: [0, longest] },
    y: { label },
    boundary: { x: warmUp.updates, label: 'online' },
    series: tasks.map((task, colour) => ({
      name: task,
      colour,
      look: 'line',
      points: overSeeds(together.map((run) => binnedUpdates(run, width, nameOf(task)))),
    })),
  }
}

/** One sample for each stretch of `width` updates in which the value was measured, at its middle. */
function binnedUpdates({ metrics }: Measured, width: number, name: string): SeedPoint[] {
  const bins = new Map<number, number[]>()
  for (const { update, value } of valuesOf(withoutRepeats(ofKind(metrics, 'update')), name)) {
    const bin = Math.floor((update - 1) / width)
    bins.set(bin, [...(bins.get(bin) ?? []), value])
  }
  return [...bins].map(([bin, values]) => ({ bin, x: (bin + 0.5) * width, y: mean(values) }))
}
