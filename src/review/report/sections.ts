/** @file What the report shows, section by section. Each returns markup, or nothing where nothing was measured. */

import { each, figureCharts } from '../../metrics/figure.ts'
import type { Metric, MetricOf } from '../../metrics/metrics.ts'
import { declaredFigures, ofKind } from '../../metrics/of-kind.ts'
import { percent } from '../../metrics/percent.ts'
import { robotMinutes } from '../../metrics/robot-time.ts'
import { mean } from '../../metrics/statistics.ts'
import {
  type OperatorTime,
  operatorSeconds,
  resultOf,
  SECONDS_A_COMMAND,
  type Summary,
  scoreRows,
} from '../../metrics/summary.ts'
import type { RunPart } from '../../run/history.ts'
import { countBars, resultStrip } from './bars.ts'
import { charts, section, table, tile } from './page.ts'
import { type Plot, plot, type Series } from './plot.ts'
import {
  assistedSuccess,
  byUpdate,
  type Clock,
  clockDomain,
  evaluated,
  healthStretches,
  movingIntervention,
  movingOperatorTime,
  robotClock,
  unaidedSuccess,
  wallClock,
  withoutRepeats,
} from './series.ts'
import { element, escapeText } from './svg.ts'

const WINDOW = 20 // episodes that a moving rate looks back on

type UpdateMetric = MetricOf<'update'>

/** Tasks in the order in which the run met them. */
export function taskNames(metrics: readonly Metric[]): string[] {
  const names = new Set<string>()
  for (const metric of metrics) {
    if (metric.kind === 'episode') names.add(metric.task)
    if (metric.kind === 'evaluation') for (const task of Object.keys(metric.tasks)) names.add(task)
    if (metric.kind === 'update') for (const task of Object.keys(each(metric.figures, 'meanQ'))) names.add(task)
  }
  return [...names]
}

const colourOf = (tasks: readonly string[], task: string) => Math.max(0, tasks.indexOf(task))

export function headline(summary: Summary): string {
  const scores = Object.values(summary.tasks)
  const over = (pick: (score: (typeof scores)[number]) => number | undefined) => {
    const known = scores.flatMap((score) => pick(score) ?? [])
    return known.length > 0 ? percent(mean(known)) : 'not evaluated'
  }
  return element(
    'div',
    { class: 'tiles' },
    tile(
      over(({ success }) => success),
      `success ${summary.soFar ? 'in the last evaluation so far' : 'at the end'}, mean over tasks`,
    ),
    tile(
      over(({ step0 }) => step0),
      'before the first online step',
    ),
    tile(percent(summary.interventionShare), 'of the online steps by the operator'),
    ...(summary.operator ? [tile(operatorSeconds(summary.operator).toFixed(0), secondsOf(summary.operator))] : []),
    tile(summary.robotMinutes.toFixed(1), 'robot minutes'),
    tile(summary.wallMinutes.toFixed(1), 'wall minutes'),
    ...(summary.learning
      ? [tile(summary.learning.updatesPerStep.toFixed(2), `updates a step, ${summary.learning.updates} online in all`)]
      : []),
    tile(String(summary.seed), 'seed'),
  )
}

const secondsOf = ({ speaking }: OperatorTime) =>
  speaking === undefined ? 'operator seconds' : `operator seconds, ${speaking.toFixed(0)} of them for commands`

export function results(summary: Summary, tasks: readonly string[]): string {
  const rows = scoreRows(summary).map(({ task, name, score }) => [
    escapeText(name),
    percent(score.step0 ?? Number.NaN),
    percent(score.success),
    `${percent(score.interval[0])} to ${percent(score.interval[1])}`,
    resultStrip(score, colourOf(tasks, task)),
    String(score.trials),
    Number.isFinite(score.meanSteps) ? score.meanSteps.toFixed(1) : '–',
  ])
  if (rows.length === 0) return ''
  return section(
    summary.soFar ? 'Step 0 against the last evaluation so far' : 'Step 0 against final',
    `Fresh seeds, no operator, no commands. Hollow: before the first online step. Filled: ${summary.soFar ? 'so far' : 'at the end'}, with its 95 % Wilson interval.`,
    table(['task', 'step 0', resultOf(summary), '95 % interval', '0 to 100 %', 'trials', 'mean steps'], rows),
  )
}

export function success(metrics: readonly Metric[], tasks: readonly string[], rate?: number): string {
  const panel = (task: string, clock: Clock) => {
    const episodes = ofKind(metrics, 'episode').filter((episode) => episode.task === task)
    const colour = colourOf(tasks, task)
    return plot({
      title: `${task}, by ${clock.label}`,
      x: { label: clock.label, domain: clockDomain(metrics, clock) },
      y: { label: 'success', domain: [0, 1], format: percent },
      series: [
        { name: 'training, with help', colour, look: 'line', points: assistedSuccess(episodes, clock, WINDOW) },
        { name: 'training, unaided', colour, look: 'dashed', points: unaidedSuccess(episodes, clock, WINDOW) },
        { name: 'evaluation', colour, look: 'dots', points: evaluated(ofKind(metrics, 'evaluation'), task, clock) },
      ],
    })
  }
  const panels = [robotClock(rate), wallClock(rate)].map((clock) => charts(...tasks.map((task) => panel(task, clock))))
  return section(
    'Success',
    `Dots: evaluations on fresh seeds. Lines: the last ${WINDOW} training episodes of the task, with and without help of the operator. Bars and bands: 95 % Wilson intervals.`,
    ...panels,
  )
}

export function interventions(metrics: readonly Metric[], tasks: readonly string[], rate?: number): string {
  const episodes = ofKind(metrics, 'episode')
  if (episodes.length === 0) return ''
  const chart = (clock: Clock): Plot => {
    const series: Series[] = tasks.map((task) => {
      const own = episodes.filter((episode) => episode.task === task)
      return { name: task, colour: colourOf(tasks, task), look: 'line', points: movingIntervention(own, clock, WINDOW) }
    })
    const given = movingOperatorTime(episodes, clock, WINDOW)
    if (given.length > 0)
      series.push({ name: 'time, words included', colour: tasks.length, look: 'dashed', points: given })
    const largest = Math.max(0.1, ...series.flatMap(({ points }) => points.map(({ y }) => y)))
    return {
      title: `Steps taken by the operator, by ${clock.label}`,
      x: { label: clock.label, domain: clockDomain(metrics, clock) },
      y: { label: 'share of steps', domain: [0, largest], format: percent },
      series,
    }
  }
  return section(
    'Interventions',
    `Over the last ${WINDOW} episodes of each task. The share says as much about the policy as about the operator: read it beside the success rate.` +
      (episodes.some(({ commands }) => commands !== undefined)
        ? ` Dashed, over all tasks: the operator's seconds, ${SECONDS_A_COMMAND} for each command, as a share of the robot's.`
        : ''),
    charts(plot(chart(robotClock(rate))), plot(chart(wallClock(rate)))),
  )
}

/** The update at which the online phase began, for charts over updates. */
function onlineStart(updates: readonly UpdateMetric[]): Plot['boundary'] {
  const first = updates.find(({ phase }) => phase === 'online')
  return first && first !== updates[0] ? { x: first.update, label: 'online' } : undefined
}

/** Charts over the updates of every figure that was measured; `which` of them, by whether they tell the tasks apart. */
function plotsOf(metrics: readonly Metric[], tasks: readonly string[], which: 'per task' | 'others'): string[] {
  const updates = withoutRepeats(ofKind(metrics, 'update'))
  const measured = updates.map(({ figures }) => figures)
  return figureCharts(declaredFigures(metrics), measured)
    .filter(({ perTask }) => perTask === (which === 'per task'))
    .map(({ title, unit, perTask, lines }) =>
      plot({
        title,
        x: { label: 'updates' },
        y: { label: unit },
        series: lines.map((line, i) => ({
          name: line.title,
          colour: perTask ? colourOf(tasks, line.title) : i,
          look: 'line',
          points: byUpdate(updates, ({ figures }) => figures[line.key]),
        })),
        boundary: onlineStart(updates),
      }),
    )
}

export function balance(metrics: readonly Metric[], tasks: readonly string[]): string {
  const drawn = plotsOf(metrics, tasks, 'per task')
  if (drawn.length === 0) return '' // a method whose critics do not tell the tasks apart
  return section(
    'Balance between the tasks',
    'A task whose critic promises little gets more weight, and the reverse. Lines that part for good show one task dominating.',
    charts(...drawn),
  )
}

export function losses(metrics: readonly Metric[], tasks: readonly string[]): string {
  const drawn = plotsOf(metrics, tasks, 'others')
  if (drawn.length === 0) return ''
  return section(
    'Losses',
    'Means over neighbouring updates. The axis leaves out the most extreme half percent on each side.',
    charts(...drawn),
  )
}

/** How the robots of a fleet did beside one another. */
export function fleet(metrics: readonly Metric[]): string {
  const clock = wallClock()
  const told = ofKind(metrics, 'fleet')
  const drawn = figureCharts(
    declaredFigures(metrics),
    told.map(({ figures }) => figures),
  ).map(({ title, unit, lines }) =>
    plot({
      title,
      x: { label: clock.label, domain: clockDomain(metrics, clock) },
      y: { label: unit },
      series: lines.map((line, i) => ({
        name: line.title,
        colour: i,
        look: 'line',
        points: told.map((one) => ({ x: clock.at(one), y: one.figures[line.key] ?? Number.NaN })),
      })),
    }),
  )
  if (drawn.length === 0) return ''
  return section(
    'Robots of the fleet',
    'Policy age: updates that the learner had made since those that a robot’s newest step was planned with.',
    charts(...drawn),
  )
}

export function labels(metrics: readonly Metric[]): string {
  const latest = ofKind(metrics, 'labels').at(-1)
  if (!latest) return ''
  const total = Object.values(latest.counts).reduce((sum, count) => sum + count, 0)
  return section(
    'Talk-and-tweak labels',
    `${total} corrected steps became commands. Too many "[null]" labels: the threshold is too high for the operator’s hand.`,
    element('div', { class: 'card scroll' }, countBars(latest.counts)),
  )
}

/** Signs of trouble as the run noted them, each from where it appeared to where it cleared. Runs of earlier versions noted none. */
export function health(metrics: readonly Metric[], rate?: number): string {
  const stretches = healthStretches(ofKind(metrics, 'health'))
  if (stretches.length === 0) return ''
  const minutes = (robotSteps: number) => `${robotMinutes(robotSteps, rate).toFixed(1)} min`
  const rows = stretches.map(({ last: { sign, words, figure, advice, since }, cleared }) => [
    escapeText(sign),
    minutes(since.robotSteps),
    cleared === undefined ? 'still there' : minutes(cleared),
    element('div', { class: 'words' }, escapeText(`${words} ${figure}. ${advice}.`)),
  ])
  return section(
    'Health',
    'Signs of trouble while training, on the clock of the robot. They are hints with a figure, not verdicts.',
    table(['sign', 'appeared', 'cleared', 'what it means'], rows),
  )
}

/** `png` is the file's content. */
export function cameraFrames(frames: readonly { name: string; png: Buffer }[]): string {
  if (frames.length === 0) return ''
  const shown = frames.map(({ name, png }) =>
    element(
      'figure',
      {},
      element('img', { alt: name, src: `data:image/png;base64,${png.toString('base64')}` }),
      element('p', { class: 'caption' }, escapeText(name)),
    ),
  )
  return section('Camera frames', 'As the policy sees them.', element('div', { class: 'frames' }, ...shown))
}

export function origin(command: string | undefined, parts: readonly RunPart[], config: string): string {
  const rows = parts.map(({ duet, at, changed = [] }) => [
    escapeText(at),
    escapeText(duet),
    escapeText(
      changed.map(({ name, from, to }) => `${name}: ${JSON.stringify(from)} -> ${JSON.stringify(to)}`).join('; '),
    ),
  ])
  return section(
    'How to run this again',
    'The command, the version of Duet at the start and at each resume, and every setting as it was resolved.',
    command ? element('pre', {}, escapeText(command.trim())) : '',
    rows.length > 0 ? table(['began', 'Duet', 'settings changed'], rows) : '',
    element('details', {}, element('summary', {}, 'Settings'), element('pre', {}, escapeText(config.trim()))),
  )
}
