/**
 * @file When to help the policy and for how long, in one line, from the run's own data: what the guides of HIL-SERL and
 * LeRobot advise, with the figure it rests on. Early: let it try, then help to the goal, every other episode. Later: only
 * when the same mistake returns, briefly.
 */
import { each, type Figures } from '../metrics/figure.ts'
import { judgedOnly } from '../metrics/judged.ts'
import type { Metric, MetricOf } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import { percent } from '../metrics/percent.ts'
import { mean, median } from '../metrics/statistics.ts'
import { unaided } from '../metrics/unaided.ts'

export type Advice = {
  rule: string // its name; equal names are the same advice with other figures
  line: string // the advice and its figure
}

type Episode = MetricOf<'episode'>

const RECENT = 20 // episodes that a judgement is over
const ENOUGH = 8 // episodes of a task that say something of it
const PATIENCE = 25 // steps to let it try: the guides say 20 to 30
const SHARE = 0.15 // of the steps: what the paper's runs had from interventions
const BRIEF = 3 // steps: a shorter push gives labels of hardly any motion
const LONG = 15 // steps: a longer one is a demonstration, no correction
const STEADY = 9 // episodes after which the advice is asked for, to give that of the majority
const UPDATES = 20 // lines of the metrics log that a mean value is over

/** What the advice looks at: the last episodes over all tasks, or of one task. */
type View = {
  recent: readonly Episode[]
  before: readonly Episode[] // as many again, before the recent ones
  alone: number // recent episodes that succeeded without help
  helped: readonly Episode[] // recent ones with help
  share: number // of the recent steps that the operator acted in
  lengths: readonly number[] // steps, of the recent interventions
  starts: readonly number[] // steps into the episode, of the first intervention of each recent episode with one
  patience: number // steps to let it try: as long as a success alone takes, at most PATIENCE
}

/**
 * One line for the operator, from all metrics of the run so far: what was advised most often after each of the last
 * episodes, as it was said last. A line that changes with every episode is not followed.
 */
export function coach(metrics: readonly Metric[]): Advice {
  const ends = metrics.flatMap(({ kind }, i) => (kind === 'episode' ? [i + 1] : []))
  const given = [...ends.slice(-STEADY, -1), metrics.length].map((end) => adviceAfter(metrics.slice(0, end)))
  const settled = given.filter(({ rule }) => rule !== 'begin')
  const times = ({ rule }: Advice) => settled.filter((advice) => advice.rule === rule).length
  return settled.reduce((best, advice) => (times(advice) >= times(best) ? advice : best), settled[0] ?? given.at(-1)!)
}

/** As `coach`, by the last episode alone. */
export function adviceAfter(metrics: readonly Metric[]): Advice {
  const episodes = judgedOnly(ofKind(metrics, 'episode'))
  const view = viewOf(episodes)
  if (view.recent.length < 5) {
    const line = `Watch first: ${tryThenHelp(view)} (${episodes.length} ${episodes.length === 1 ? 'episode' : 'episodes'} so far).`
    return { rule: 'begin', line }
  }
  return fallen(view) ?? (isEarly(view) ? early(view, value(metrics)) : later(view, weakest(episodes)))
}

function viewOf(episodes: readonly Episode[]): View {
  const recent = episodes.slice(-RECENT)
  const helped = recent.filter((episode) => !unaided(episode))
  const alone = episodes.filter((episode) => episode.success && unaided(episode)).slice(-RECENT)
  return {
    recent,
    before: episodes.slice(-2 * RECENT, -RECENT),
    alone: aloneOf(recent),
    helped,
    share: sum(recent.map(({ operatorSteps }) => operatorSteps)) / Math.max(1, sum(recent.map(({ length }) => length))),
    lengths: recent.flatMap(({ segments }) => (segments ?? []).map(({ steps }) => steps)),
    starts: recent.flatMap(({ segments }) => segments?.slice(0, 1).map(({ from }) => from) ?? []),
    patience: alone.length < 3 ? PATIENCE : Math.min(PATIENCE, Math.round(median(alone.map(({ length }) => length)))),
  }
}

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0)
const aloneOf = (episodes: readonly Episode[]) =>
  episodes.filter((episode) => episode.success && unaided(episode)).length
const succeeded = (episodes: readonly Episode[]) => episodes.filter(({ success }) => success).length
const steps = (count: number) => `${Number(count.toFixed(1))} ${count === 1 ? 'step' : 'steps'}`

const tryThenHelp = ({ patience }: View) =>
  `let it try for about ${steps(patience)}, then help to the goal, every other episode`
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1)

/** More than a quarter fewer successes, with help and without: two standard deviations of two rates over 20 episodes. */
function fallen({ recent, before }: View): Advice | undefined {
  if (before.length < RECENT || !(succeeded(before) - succeeded(recent) > RECENT / 4)) return undefined
  const figure = `${succeeded(recent)} of the last ${recent.length} episodes succeeded, ${succeeded(before)} of the ${before.length} before`
  return { rule: 'fallen', line: `Help again, every other episode, until it has recovered: ${figure}.` }
}

/**
 * It seldom succeeds alone. Where the operator helps often, few episodes run alone; then it counts how those ended (those
 * that look hopeless are helped, so they are the easier ones).
 */
function isEarly({ recent, helped, alone }: View): boolean {
  return alone < recent.length / 2 && !mostlySucceeds(alone, recent.length - helped.length)
}

const mostlySucceeds = (alone: number, unaided: number) => unaided >= 3 && alone >= 0.8 * unaided

function early(view: View, trend: Value | undefined): Advice {
  const { recent, helped, alone, starts, lengths, patience } = view
  const figure = `${alone} of the last ${recent.length} succeeded alone, you helped in ${helped.length}`
  if (helped.length < 0.3 * recent.length)
    return { rule: 'help more', line: `Help more: ${tryThenHelp(view)} (${figure}).` }
  const reached = succeeded(helped)
  if (reached < helped.length / 2) {
    const known = trend ? `; mean Q of ${trend.task} is ${trend.now.toFixed(2)}` : ''
    const line = `Stay until the goal is reached: ${reached} of the last ${helped.length} episodes with your help succeeded, and without a success it learns no value${known}.`
    return { rule: 'to the goal', line }
  }
  if (starts.length >= 3 && median(starts) < patience / 2) {
    const line = `Wait longer: you step in after ${steps(median(starts))} on median; ${tryThenHelp(view)}.`
    return { rule: 'wait', line }
  }
  if (helped.length > 0.8 * recent.length && recent.length === RECENT) {
    const line = `Let every other episode run alone: you helped in ${helped.length} of the last ${recent.length}, so nobody knows what it can do.`
    return { rule: 'every other', line }
  }
  if (lengths.length >= 3 && median(lengths) < BRIEF) return tooBrief(lengths)
  const rising = trend && trend.now > trend.before + 0.05
  const why = rising
    ? `mean Q of ${trend.task} rises, ${trend.before.toFixed(2)} to ${trend.now.toFixed(2)}: it learns`
    : figure
  return { rule: 'early', line: `${capital(tryThenHelp(view))} (${why}).` }
}

/** It mostly succeeds alone. */
function later(view: View, weak: Weak | undefined): Advice {
  const { recent, helped, alone, share, lengths } = view
  if (weak) {
    const line = `Help with ${weak.task}: ${weak.alone} of its last ${weak.episodes} succeeded alone, ${percent(weak.others)} of the others; leave those to the policy.`
    return { rule: 'weakest task', line }
  }
  const only = 'Only when the same mistake returns'
  if (alone >= 0.9 * recent.length)
    return { rule: 'hands off', line: `${only}: ${alone} of the last ${recent.length} succeeded alone.` }
  const unaided = recent.length - helped.length
  if (helped.length >= unaided && alone >= 0.9 * unaided) {
    const line = `Hold back: ${alone} of the ${unaided} last episodes that ran alone succeeded, yet you helped in ${helped.length} of ${recent.length}; help ${only.toLowerCase()}.`
    return { rule: 'let it try', line }
  }
  if (lengths.length >= 3 && median(lengths) > LONG) {
    const line = `Let go sooner: your corrections last ${steps(median(lengths))} on median, ${BRIEF} to ${LONG} mend a mistake.`
    return { rule: 'let go', line }
  }
  if (lengths.length >= 3 && median(lengths) < BRIEF) return tooBrief(lengths)
  if (share > 2 * SHARE) {
    const line = `Hold back: ${percent(share)} of the last steps were yours, the paper's runs had about ${percent(SHARE)}; help ${only.toLowerCase()}.`
    return { rule: 'hold back', line }
  }
  if (lengths.length >= 3)
    return { rule: 'later', line: `${only}; your corrections last ${steps(median(lengths))} on median, that is right.` }
  const figure = `${alone} of the last ${recent.length} succeeded alone, you helped in ${helped.length}`
  return { rule: 'later', line: `${only} (${figure}).` }
}

const tooBrief = (lengths: readonly number[]): Advice => ({
  rule: 'too brief',
  line: `Hold a correction longer: yours last ${steps(median(lengths))} on median; from ${BRIEF} on their motion says what you meant.`,
})

type Weak = { task: string; alone: number; episodes: number; others: number }

/** The task that succeeds alone in less than half of its last episodes, 30 points below the others; not one that is merely helped often. */
function weakest(episodes: readonly Episode[]): Weak | undefined {
  const tasks = [...new Set(episodes.map(({ task }) => task))].map((task) => {
    const own = episodes.filter((episode) => episode.task === task).slice(-RECENT)
    return { task, alone: aloneOf(own), episodes: own.length, unaided: own.filter(unaided).length }
  })
  if (tasks.length < 2 || tasks.some(({ episodes }) => episodes < ENOUGH)) return undefined
  const worst = tasks.reduce((least, one) => (one.alone / one.episodes < least.alone / least.episodes ? one : least))
  const others = mean(tasks.filter((one) => one !== worst).map(({ alone, episodes }) => alone / episodes))
  const rate = worst.alone / worst.episodes
  const able = mostlySucceeds(worst.alone, worst.unaided)
  return rate < 0.5 && others - rate > 0.3 && !able ? { ...worst, others } : undefined
}

/** Those whose own critics are heard of. */
const tasksOf = (figures: Readonly<Figures>) => Object.keys(each(figures, 'meanQ'))

type Value = { task: string; now: number; before: number }

/** Mean Q over the last lines and over as many before, of the task whose Q is least; undefined before there are enough. */
function value(metrics: readonly Metric[]): Value | undefined {
  const updates = ofKind(metrics, 'update').filter(
    ({ phase, figures }) => phase === 'online' && tasksOf(figures).length > 0,
  )
  const recent = updates.slice(-UPDATES)
  const before = updates.slice(-2 * UPDATES, -UPDATES)
  if (before.length < UPDATES) return undefined
  const over = (lines: typeof updates, task: string) =>
    mean(lines.map(({ figures }) => figures[`meanQ.${task}`] ?? Number.NaN))
  return tasksOf(recent.at(-1)!.figures)
    .map((task) => ({ task, now: over(recent, task), before: over(before, task) }))
    .filter(({ now, before }) => Number.isFinite(now) && Number.isFinite(before))
    .reduce<Value | undefined>((least, one) => (least && least.now <= one.now ? least : one), undefined)
}
