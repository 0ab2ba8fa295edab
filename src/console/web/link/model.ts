/** @file What the page knows, and how each event from the server changes it. Pure. */
import type { HealthSign, Metric } from '../../../metrics/metrics.ts'
import {
  type ActorName,
  type CommandInfo,
  type ControlEvent,
  type EpisodeEvent,
  type Hello,
  type LabelEvent,
  type LoopEvent,
  type PaceEvent,
  type RecordingEvent,
  type RobotEvent,
  type ServerEvent,
  type State,
  TIMES,
  type VerdictEvent,
} from '../../protocol.ts'

/** What acted in one step, for the ribbon below the views. */
export type Act = {
  step: number
  actor: ActorName | null
  episodeStep: number
  evaluation: boolean
  ending?: EpisodeEvent['ending']
}

export type Notice = { id: number; words: string; at: number /* ms, page's clock */ }

/** The loop's figures with the run's clock at that moment, as metrics have it. */
export type LoopSample = { time: number; robotSteps: number; loop: LoopEvent }

export type Model = {
  link: 'connecting' | 'open' | 'lost' | 'outdated'
  lostAt: number | null // ms, page's clock
  hello: Hello | null
  state: State | null
  robot: RobotEvent | null
  control: ControlEvent | null
  pace: PaceEvent | null
  verdict: (VerdictEvent & { until: number }) | null // `until` on the page's clock
  recording: RecordingEvent | null
  loop: LoopSample[]
  metrics: readonly Metric[]
  progress: { stage: string; done: number; total: number; note: string } | null
  health: readonly HealthSign[]
  coach: string
  command: (CommandInfo & { until: number }) | null
  labels: readonly LabelEvent[] // newest first
  episodes: readonly EpisodeEvent[] // newest first
  acts: readonly Act[] // oldest first
  notices: readonly Notice[]
  late: { age: number; until: number } | null // the page's inputs are too old on arrival; `until` on the page's clock
  ended: Extract<ServerEvent, { kind: 'ended' }> | null
}

export const START: Model = {
  link: 'connecting',
  lostAt: null,
  hello: null,
  state: null,
  robot: null,
  control: null,
  pace: null,
  verdict: null,
  recording: null,
  loop: [],
  metrics: [],
  progress: null,
  health: [],
  coach: '',
  command: null,
  labels: [],
  episodes: [],
  acts: [],
  notices: [],
  late: null,
  ended: null,
}

const MOST = { labels: 40, episodes: 60, acts: 400, loop: 400, notices: 4 }
const NOTICE_SHOWN = 6000 // ms
const LATE_SHOWN = 3 * TIMES.lateEvery

const prepend = <T>(list: readonly T[], item: T, most: number): T[] => [item, ...list.slice(0, most - 1)]
const append = <T>(list: readonly T[], item: T, most: number): T[] => [...list.slice(1 - most), item]

/** `now`: ms on the page's clock. */
export function reduce(model: Model, event: ServerEvent, now: number): Model {
  switch (event.kind) {
    case 'hello':
      // a new connection: what the server will tell again is forgotten, what only the page knows stays
      return { ...START, notices: model.notices, labels: model.labels, link: 'open', hello: event }
    case 'state':
      return { ...model, state: event, acts: actsAfter(model.acts, event) }
    case 'robot':
      return { ...model, robot: event }
    case 'control':
      return { ...model, control: event }
    case 'pace':
      return { ...model, pace: event }
    case 'verdict':
      return { ...model, verdict: event.verdict ? { ...event, until: now + event.left } : null }
    case 'recording':
      return { ...model, recording: event }
    case 'loop': {
      const { time = 0, robotSteps = 0 } = model.metrics.at(-1) ?? {}
      return { ...model, loop: append(model.loop, { time, robotSteps, loop: event }, MOST.loop) }
    }
    case 'metrics':
      return { ...model, metrics: event.metrics }
    case 'metric':
      return { ...model, metrics: [...model.metrics, event.metric] }
    case 'progress':
      return { ...model, progress: event.done < event.total ? event : null }
    case 'health':
      return { ...model, health: event.signs }
    case 'coach':
      return { ...model, coach: event.line }
    case 'command':
      return { ...model, command: event.command && { ...event.command, until: now + event.command.left } }
    case 'episode':
      return {
        ...model,
        episodes: prepend(model.episodes, event, MOST.episodes),
        acts: markEnding(model.acts, event.ending),
      }
    case 'label':
      return { ...model, labels: prepend(model.labels, event, MOST.labels) }
    case 'late':
      return { ...model, late: { age: event.age, until: now + LATE_SHOWN } }
    case 'refused':
      return noted(model, `Not done (${event.what}): ${event.why}`, now)
    case 'ended':
      return { ...model, ended: event, progress: null }
    case 'pong':
      return model
  }
}

/** The ribbon grows by one step; a step number that fell means another run or robot. */
function actsAfter(acts: readonly Act[], { step, actor, episodeStep, stage }: State): readonly Act[] {
  const last = acts.at(-1)
  if (last && step === last.step) return acts
  const act = { step, actor, episodeStep, evaluation: stage === 'evaluation' }
  return last && step < last.step ? [act] : append(acts, act, MOST.acts)
}

const markEnding = (acts: readonly Act[], ending: EpisodeEvent['ending']): readonly Act[] =>
  acts.length === 0 ? acts : [...acts.slice(0, -1), { ...acts[acts.length - 1]!, ending }]

let notices = 0

/** Something to tell the person, for a few seconds. */
export function noted(model: Model, words: string, now: number): Model {
  return { ...model, notices: append(current(model.notices, now), { id: ++notices, words, at: now }, MOST.notices) }
}

/** Without the notices whose time is over. */
export const current = (list: readonly Notice[], now: number) => list.filter(({ at }) => now - at < NOTICE_SHOWN)

export const lost = (model: Model, now: number): Model => ({
  ...model,
  link: 'lost',
  lostAt: model.lostAt ?? now,
})

/** Does this page have control? */
export const inControl = ({ control, hello }: Model) =>
  control?.holder != null && hello !== null && control.holder.client === hello.client

/** Who is said to act: "stopped" only when the robot has been read back. */
export function acting({ robot, state, control }: Model): ActorName | 'stopped' {
  if (robot?.status === 'stopped') return 'stopped'
  if (control?.holding && state?.stage !== 'evaluation') return 'operator'
  return state?.actor ?? 'primary'
}
