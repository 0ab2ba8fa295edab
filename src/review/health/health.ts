/**
 * @file Signs of a training that goes wrong, in plain words with the figure behind them (docs/method.md §11), from the metrics
 * alone. Thresholds are set so that the healthy runs we have stay silent; docstrings say what they rest on.
 */
import { REFINEMENT_BOUND } from '../../learn/actors.ts'
import { each } from '../../metrics/figure.ts'
import type { HealthSign, Metric, MetricOf } from '../../metrics/metrics.ts'
import { percent } from '../../metrics/percent.ts'
import { mean, median } from '../../metrics/statistics.ts'
import type { RunConfig } from '../../run/config.ts'
import { FallingPolicy } from './falling-policy.ts'
import { type Finding, FlatTask } from './flat-task.ts'
import { Parts } from './parts.ts'

/** What the signs need to know of the settings. */
export type HealthConfig = Pick<RunConfig, 'learner' | 'online' | 'talk'>

type Update = MetricOf<'update'>
type Episode = MetricOf<'episode'>

const UPDATES = 20 // lines of the metrics log that a mean is over
const EPISODES = 40 // of a task
const CONFIRMATIONS = 10 // lines in a row that must agree before a sign appears or clears

const decimals = (value: number, digits = 2) => value.toFixed(digits)

/**
 * The mean of γ^(T-1-t) over all steps of the episodes that succeeded, 0 for the steps of others: what Q should be on
 * average, as a reward of 1 comes with the last step. `error` is its standard error, episodes being independent (the
 * linearised variance of a ratio of sums).
 */
export function meanReturn(
  episodes: readonly Pick<Episode, 'success' | 'length'>[],
  discount: number,
): { mean: number; error: number } {
  const steps = episodes.reduce((sum, { length }) => sum + length, 0)
  const returns = episodes.map(({ success, length }) => (success ? (1 - discount ** length) / (1 - discount) : 0))
  const ratio = returns.reduce((sum, value) => sum + value, 0) / steps
  const squares = episodes.reduce((sum, { length }, i) => sum + (returns[i]! - ratio * length) ** 2, 0)
  return { mean: ratio, error: Math.sqrt(squares) / steps }
}

/** The squared error of a refinement actor that ignores its command: a shift on each axis that a mean command asks for. */
export const deafObedience = (shift: number) => (54 / 26) * shift ** 2 // 26 commands name 54 axes

/** Follows a run line by line. `hear` each metric in its order, then ask for the `signs`. */
export class HealthMonitor {
  private readonly updates: Update[] = [] // the last ones
  private readonly episodes = new Map<string, Episode[]>() // the last ones of each task
  private readonly flat = new FlatTask()
  private readonly falling: FallingPolicy
  private readonly seldom = new Map<string, number[]>() // the last values of figures that are not measured with each update
  private readonly shares: { first: Episode[]; last: Episode[] } = { first: [], last: [] }
  private labels?: MetricOf<'labels'>
  private readonly cameras = new Map<string, MetricOf<'camera'>>() // of those that look blind the last line
  private readonly parts = new Parts()
  private updatesHeard = 0
  private learnedAt = 0 // robot steps at the last update
  private robotSteps = 0
  private readonly gaps = new Map<string, number[]>() // Q̄ minus return, one value an update line
  private readonly shown = new Map<string, HealthSign>()
  private readonly pending = new Map<string, number>() // lines in a row that spoke for a change

  constructor(private readonly config: HealthConfig) {
    this.falling = new FallingPolicy(config.online.qWeight)
  }

  hear(metric: Metric): void {
    if (metric.kind === 'health') return
    this.robotSteps = Math.max(this.robotSteps, metric.robotSteps)
    if (metric.kind === 'update') this.hearUpdate(metric)
    if (metric.kind === 'episode') this.hearEpisode(metric)
    if (metric.kind === 'labels') this.labels = metric
    if (metric.kind === 'condition') this.parts.hear(metric)
    if (metric.kind === 'camera') this.cameras.set(`${metric.camera} of ${metric.robot}`, metric)
    if (metric.kind !== 'evaluation') this.weigh(metric)
  }

  /** What is wrong now, longest-standing first. */
  signs(): HealthSign[] {
    return [...this.shown.values()]
  }

  private hearUpdate(update: Update): void {
    this.updatesHeard++
    this.learnedAt = update.robotSteps
    this.updates.push(update)
    if (this.updates.length > UPDATES) this.updates.shift()
    this.flat.weigh(each(update.figures, 'weight'))
    this.falling.weigh(update)
    for (const name of SELDOM) {
      const value = update.figures[name]
      if (value === undefined) continue
      this.seldom.set(name, [...(this.seldom.get(name) ?? []), value].slice(-MEASUREMENTS))
    }
    for (const task of Object.keys(each(update.figures, 'meanQ'))) {
      const gap = this.gapOf(task)
      if (gap === undefined) continue
      const past = this.gaps.get(task) ?? []
      past.push(gap.q - gap.returned)
      if (past.length > DRIFT_LINES) past.shift()
      this.gaps.set(task, past)
    }
  }

  private hearEpisode(episode: Episode): void {
    const own = this.episodes.get(episode.task) ?? []
    own.push(episode)
    if (own.length > EPISODES) own.shift()
    this.episodes.set(episode.task, own)
    this.flat.hear(episode)
    this.falling.hear(episode)
    const { first, last } = this.shares
    if (first.length < SHARE_EPISODES) first.push(episode)
    else last.push(episode)
    if (last.length > SHARE_EPISODES) last.shift()
  }

  /** A sign appears, or clears, once several lines in a row say so; while it stands its figures are kept fresh. */
  private weigh(at: Metric): void {
    const found = new Map(this.findings().map((finding) => [finding.sign, finding]))
    for (const name of new Set([...found.keys(), ...this.shown.keys()])) {
      const finding = found.get(name)
      const standing = this.shown.get(name)
      if (finding && standing) this.shown.set(name, { ...finding, since: standing.since })
      if ((finding !== undefined) === (standing !== undefined)) {
        this.pending.delete(name)
        continue
      }
      const lines = (this.pending.get(name) ?? 0) + 1
      this.pending.set(name, lines)
      if (lines < (finding?.sign === 'no number' || /^(camera|part) /.test(name) ? 1 : CONFIRMATIONS)) continue
      this.pending.delete(name)
      if (finding) this.shown.set(name, { ...finding, since: { time: at.time, robotSteps: at.robotSteps } })
      else this.shown.delete(name)
    }
    for (const name of this.pending.keys()) if (!found.has(name) && !this.shown.has(name)) this.pending.delete(name)
  }

  /** A figure of the last updates that have it. */
  private measured(name: string, among: (update: Update) => boolean = () => true): number[] {
    return this.updates.filter(among).flatMap(({ figures }) => figures[name] ?? [])
  }

  private findings(): Finding[] {
    return [
      this.notANumber(),
      this.extremeMu(),
      ...this.flat.findings((sign) => this.shown.has(sign)),
      this.silentLabels(),
      this.deafActor(),
      ...this.driftingCritics(),
      this.guessingCritics(),
      this.falling.finding(this.shown.has('critics spoil the policy')),
      this.risingOperator(),
      this.explodingGradient(),
      this.idleLearner(),
      ...this.blindCameras(),
      ...this.parts.findings(),
      this.unpunctualLoop(),
    ].filter((finding) => finding !== undefined)
  }

  private notANumber(): Finding | undefined {
    const broken = this.updates
      .slice(-1)
      .flatMap(({ figures }) => Object.entries(figures))
      .find(([, value]) => !Number.isFinite(value))
    return (
      broken && {
        sign: 'no number',
        words: 'The learner has computed something that is not a number; what it learns from here on is worthless.',
        figure: `${broken[0]}: ${broken[1]}`,
        advice: 'Stop, go back to an earlier checkpoint, and lower learner.learningRate',
      }
    )
  }

  /** Healthy runs stay below 1; beyond half of the bound the tanh takes most of the gradient away. */
  private extremeMu(): Finding | undefined {
    const shifts = this.measured('meanMu')
    if (shifts.length < UPDATES / 2 || !(mean(shifts) > REFINEMENT_BOUND / 2)) return undefined
    return {
      sign: 'extreme μ',
      words: 'The refinement actor shifts the noise so far that actions become erratic.',
      figure: `mean |μ/K| is ${decimals(mean(shifts))}, the bound is ${REFINEMENT_BOUND}`,
      advice: 'Raise learner.refinement.nullWeight, or learner.noiseGain so that a smaller shift is enough',
    }
  }

  private silentLabels(): Finding | undefined {
    const counts = this.labels?.counts ?? {}
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const share = (counts['[null]'] ?? 0) / total
    if (total < 50 || !(share > 0.4)) return undefined
    return {
      sign: 'silent corrections',
      words: 'Most corrections are too small for the label rule: they become no command, and teach none.',
      figure: `${percent(share)} of ${total} labels are "[null]" at σ = ${decimals(1000 * this.config.talk.threshold)} mm`,
      advice: 'Lower talk.threshold; `duet audit labels` suggests one',
    }
  }

  /** The mean of the last measurements; undefined while they are too few. */
  private measuredSeldom(name: string): number | undefined {
    const values = this.seldom.get(name) ?? []
    return values.length < MEASUREMENTS ? undefined : mean(values)
  }

  /**
   * Where obedience is trained its error tells first: two thirds of what a deaf actor has is no response to speak of. In any
   * preset the learner measures what a command changes. Below 0.02 action units an axis, 1.5 mm over a window of five steps of
   * 15 mm, it drowns in the noise of practice and is hardly more than the 1 mm that the label rule hears at all; the weakest
   * of the trained actors of docs/method.md §13 has 0.11.
   */
  private deafActor(): Finding | undefined {
    return this.disobedientActor() ?? this.unmovedActor()
  }

  private unmovedActor(): Finding | undefined {
    const response = this.measuredSeldom('refine.response')
    if (response === undefined || !(response < HEARD)) return undefined
    return {
      sign: 'commands without effect',
      words: 'Actions hardly change under a command.',
      figure: `a command moves the action by ${decimals(response, 3)} along each axis that it asks for, of 1`,
      advice:
        'Set learner.noiseGain above 0, without which a head does not answer its noise, or learner.refinement.obedience; look at the labels with `duet audit labels`',
    }
  }

  private disobedientActor(): Finding | undefined {
    const errors = this.measured('refine.obedience')
    const deaf = deafObedience(this.config.learner.refinement.shift)
    if (errors.length < UPDATES || this.updatesHeard < 60 || !(mean(errors) > 0.67 * deaf)) return undefined
    return {
      sign: 'commands without effect',
      words: 'Actions hardly change under a command.',
      figure: `error ${decimals(mean(errors), 3)} where an actor that ignores commands has ${decimals(deaf, 3)}`,
      advice: 'Measure with `duet steer`; raise learner.noiseGain, and look at the labels with `duet audit labels`',
    }
  }

  private gapOf(task: string): { q: number; returned: number; error: number } | undefined {
    const episodes = this.episodes.get(task) ?? []
    const values = this.measured(`meanQ.${task}`, (update) => update.phase === 'online')
    if (episodes.length < EPISODES || values.length < UPDATES) return undefined
    const { mean: returned, error } = meanReturn(episodes, this.config.learner.discount)
    return { q: mean(values), returned, error }
  }

  /**
   * No return exceeds 1. Otherwise a gap of 0.25, and two standard errors of the returns, that has grown: a critic starts
   * far below the returns, from Cal-QL's pessimism, and climbs; that is no drift.
   */
  private driftingCritics(): Finding[] {
    return [...this.gaps].flatMap(([task, past]) => {
      const gap = this.gapOf(task)
      if (!gap) return []
      const grown = past.length === DRIFT_LINES && Math.abs(past.at(-1)!) > Math.abs(past[0]!) + 0.1
      const impossible = gap.q > 1.1
      if (!impossible && !(grown && Math.abs(gap.q - gap.returned) > 0.25 + 2 * gap.error)) return []
      return [
        {
          sign: `critic drifts, ${task}`,
          words: `The critic of ${task} promises ${gap.q > gap.returned ? 'more' : 'less'} than episodes return, and the gap ${impossible ? 'cannot close: no return exceeds 1' : 'grows'}.`,
          figure: `mean Q ${decimals(gap.q)}, mean return of the last ${EPISODES} episodes ${decimals(gap.returned)}`,
          advice: 'Lower online.qWeight until it is calibrated; check the rewards, and learner.discount',
        },
      ]
    })
  }

  /**
   * In corrected states Q should rank what the operator did above what the policy would do. Twelve measurements of a hundred
   * rows or so, which are no more than a few hundred independent ones (a takeover is several rows), have a standard error of
   * about 0.03: up to 0.55 it may be chance. The control says where a higher share would come from.
   */
  private guessingCritics(): Finding | undefined {
    const rank = this.measuredSeldom('critic.rank')
    if (rank === undefined || !(rank <= CHANCE)) return undefined
    const elsewhere = this.measuredSeldom('critic.rankElsewhere')
    return {
      sign: 'critics at chance',
      words: 'Where the operator corrected the policy, the critics cannot tell which of the two was right.',
      figure:
        `Q ranks the operator's action first in ${percent(rank)} of such states` +
        (elsewhere === undefined
          ? ''
          : `, and in ${percent(elsewhere)} where the same two are judged in another state`),
      advice: 'Let nothing follow them yet: online.qWeight=0; they need rewards of both kinds, and more of them',
    }
  }

  private risingOperator(): Finding | undefined {
    const { first, last } = this.shares
    if (last.length < SHARE_EPISODES) return undefined
    const share = (episodes: readonly Episode[]) =>
      mean(episodes.map(({ operatorSteps }) => operatorSteps)) / mean(episodes.map(({ length }) => length))
    if (!(share(last) > share(first) + 0.1)) return undefined
    return {
      sign: 'operator works more',
      words: 'The operator takes over more than at the beginning: the policy gets worse, or the operator less patient.',
      figure: `${percent(share(last))} of the steps in the last ${SHARE_EPISODES} episodes, ${percent(share(first))} in the first`,
      advice: 'Compare with success without help; if that falls too, lower online.qWeight or learner.interventionShare',
    }
  }

  private explodingGradient(): Finding | undefined {
    if (this.updatesHeard < 3 * UPDATES) return undefined // the first updates of fresh networks are clipped, too
    const { maxGradientNorm } = this.config.learner
    const groups = Object.keys(each(this.updates.at(-1)?.figures ?? {}, 'gradientNorm'))
    const norms = groups.map((group) => {
      const values = this.measured(`gradientNorm.${group}`)
      return { group, norm: values.length === UPDATES ? median(values) : 0 }
    })
    const worst = norms.reduce((most, one) => (one.norm > most.norm ? one : most), { group: '', norm: 0 })
    if (!(worst.norm > maxGradientNorm)) return undefined
    return {
      sign: 'exploding gradient',
      words: `The gradient of group "${worst.group}" is cut in most updates.`,
      figure: `median norm ${decimals(worst.norm, 1)}, the clip is at ${maxGradientNorm}`,
      advice: 'Lower learner.learningRate',
    }
  }

  /** The robot's envelope has counted; it stops the robot where that goes on. */
  private blindCameras(): Finding[] {
    return [...this.cameras].flatMap(([name, { look }]) =>
      look === null
        ? []
        : [
            {
              sign: `camera ${name} ${look}`,
              words: `The arm moves, but camera ${name} shows ${look === 'flat' ? 'nothing' : 'the same picture'}.`,
              figure: look === 'flat' ? 'the picture is black or white all over' : 'the picture does not change',
              advice: 'Look at lens, light and cable; the robot is stopped if it goes on',
            },
          ],
    )
  }

  /**
   * Of robots in real time. A command that rests on a picture older than a period steers by what the step before has changed
   * already; a quarter of a period of jitter can be felt.
   */
  private unpunctualLoop(): Finding | undefined {
    const timed = [...this.episodes.values()]
      .flatMap((own) => own.slice(-LATE_EPISODES))
      .flatMap(({ timing }) => timing ?? [])
    if (timed.length < LATE_EPISODES) return undefined
    const { period } = timed[0]!
    const latency = median(timed.map(({ latency99 }) => latency99))
    const jitter = median(timed.map(({ jitter99 }) => jitter99))
    if (!(latency > period) && !(jitter > LATE_SHARE * period)) return undefined
    const ms = (value: number) => `${value.toFixed(0)} ms`
    return {
      sign: 'late commands',
      words: 'The robot is commanded late or unevenly: it acts on old pictures.',
      figure: `99 % of the commands leave within ${ms(latency)} of their picture, and within ${ms(jitter)} of their time; the period is ${ms(period)}`,
      advice: 'Close what else works on this computer, give its encoder a GPU (device), or lower the rate of the robot',
    }
  }

  private idleLearner(): Finding | undefined {
    const silent = this.robotSteps - Math.max(this.learnedAt, this.config.online.startAfter)
    if (this.updatesHeard === 0 || silent < IDLE_STEPS) return undefined
    return {
      sign: 'idle learner',
      words: 'The robot goes on, but the learner has not reported an update for long: it acts on stale parameters.',
      figure: `${silent} robot steps since the last update`,
      advice: 'Stop and resume the run; in lock-step mode look at online.updatesPerStep',
    }
  }
}

const SELDOM = ['refine.response', 'critic.rank', 'critic.rankElsewhere']
const MEASUREMENTS = 12 // of a figure that comes with every 50th update
const HEARD = 0.02 // action units
const CHANCE = 0.55 // share
const LATE_EPISODES = 5 // of each task
const LATE_SHARE = 0.25 // of a period
const DRIFT_LINES = 50 // update lines over which a gap must have grown
const SHARE_EPISODES = 40 // over all tasks
const IDLE_STEPS = 1200 // two robot minutes; the default settings report every 34 steps

/** What is wrong at the end of these metrics. */
export function assess(metrics: readonly Metric[], config: HealthConfig): HealthSign[] {
  const monitor = new HealthMonitor(config)
  for (const metric of metrics) monitor.hear(metric)
  return monitor.signs()
}
