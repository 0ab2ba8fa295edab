/**
 * @file What every page shows of a run, and how each event changes it. Pure. The server keeps a board, and greets a page that
 * opens with the events that bring it there; the page builds on the same reducer, so whoever joins late shows what all show.
 */
import type { HealthSign, Metric } from '../metrics/metrics.ts'
import type {
  Act,
  CommandInfo,
  ControlEvent,
  EpisodeEvent,
  EvaluationEvent,
  FleetEvent,
  Hello,
  LabelEvent,
  LoopSample,
  PaceEvent,
  RecordingEvent,
  RobotEvent,
  SceneEvent,
  ServerEvent,
  State,
  VerdictEvent,
} from './protocol.ts'

/** What passes by itself: `until` is a time on the clock of whoever keeps the board, ms. */
type Passing<T extends { left: number }> = Omit<T, 'left'> & { until: number }

export type Board = {
  hello: Hello | null
  state: State | null
  robot: RobotEvent | null
  control: ControlEvent | null
  pace: PaceEvent | null
  verdict: Passing<VerdictEvent> | null
  command: Passing<CommandInfo> | null
  recording: RecordingEvent | null
  scene: SceneEvent | null // while one waits
  evaluation: EvaluationEvent | null
  fleet: FleetEvent | null
  progress: Extract<ServerEvent, { kind: 'progress' }> | null
  metrics: readonly Metric[]
  health: readonly HealthSign[]
  coach: string
  labels: readonly LabelEvent[] // newest first
  episodes: readonly EpisodeEvent[] // newest first
  acts: readonly Act[] // oldest first
  loop: readonly LoopSample[] // oldest first
  ended: Extract<ServerEvent, { kind: 'ended' }> | null
}

export const EMPTY_BOARD: Board = {
  hello: null,
  state: null,
  robot: null,
  control: null,
  pace: null,
  verdict: null,
  command: null,
  recording: null,
  scene: null,
  evaluation: null,
  fleet: null,
  progress: null,
  metrics: [],
  health: [],
  coach: '',
  labels: [],
  episodes: [],
  acts: [],
  loop: [],
  ended: null,
}

const MOST = { labels: 40, episodes: 60, acts: 400, loop: 400 }
const METRICS_TOLD = 4000 // of longer runs updates are thinned out

const prepend = <T>(list: readonly T[], item: T, most: number): T[] => [item, ...list.slice(0, most - 1)]
export const append = <T>(list: readonly T[], item: T, most: number): T[] => [...list.slice(1 - most), item]

/** The board after an event; whatever else `board` has stays as it is. `now`: ms on the keeper's clock. */
export function boardAfter<B extends Board>(board: B, event: ServerEvent, now: number): B {
  switch (event.kind) {
    case 'hello':
      return { ...board, hello: event, state: null, acts: [] } // the ribbon is of the robot in focus
    case 'state':
      return { ...board, state: event, acts: actsAfter(board.acts, event) }
    case 'robot':
    case 'control':
    case 'pace':
    case 'recording':
    case 'evaluation':
    case 'fleet':
      return { ...board, [event.kind]: event }
    case 'scene':
      return { ...board, scene: event.waits ? event : null }
    case 'verdict':
      return { ...board, verdict: event.verdict && until(event, now) }
    case 'command':
      return { ...board, command: event.command && until(event.command, now) }
    case 'progress':
      return { ...board, progress: event.done < event.total ? event : null }
    case 'metrics':
      return { ...board, metrics: event.metrics, health: healthAfter([], event.metrics) }
    case 'metric':
      return {
        ...board,
        metrics: [...board.metrics, event.metric],
        health: healthAfter(board.health, [event.metric]),
      }
    case 'coach':
      return { ...board, coach: event.line }
    case 'label':
      return { ...board, labels: prepend(board.labels, event, MOST.labels) }
    case 'episode':
      return {
        ...board,
        episodes: prepend(board.episodes, event, MOST.episodes),
        acts: event.robot === board.state?.robot ? markEnding(board.acts, event.ending) : board.acts,
      }
    case 'loop': {
      const { time = 0, robotSteps = 0 } = board.metrics.at(-1) ?? {}
      return { ...board, loop: append(board.loop, { time, robotSteps, loop: event }, MOST.loop) }
    }
    case 'history': {
      const { kind: _, ...lists } = event
      return { ...board, ...lists }
    }
    case 'ended':
      return { ...board, ended: event, progress: null }
    case 'late': // to one page alone
    case 'refused':
    case 'pong':
      return board
  }
}

/**
 * The events that bring an empty board to this one, in order, the hello first; none before there is one. `page`: what its
 * hello says of the page itself.
 */
export function greetingOf(board: Board, page: Pick<Hello, 'client' | 'serverTime'>, now: number): ServerEvent[] {
  const { hello, state, robot, control, pace, verdict, command, recording, progress, metrics, coach, ended } = board
  const { scene, evaluation, fleet } = board
  const { acts, loop, episodes, labels } = board
  if (!hello) return []
  const events: (ServerEvent | null)[] = [
    { ...hello, ...page },
    metricsEvent(metrics),
    { kind: 'history', acts, loop, episodes, labels },
    ended, // ends the progress of before
    progress,
    coach === '' ? null : { kind: 'coach', line: coach },
    robot,
    control,
    pace,
    recording,
    scene,
    evaluation,
    fleet,
    verdict && left(verdict, now),
    command && { kind: 'command', command: left(command, now) },
    state,
  ]
  return events.filter((event) => event !== null)
}

const until = <T extends { left: number }>({ left, ...passing }: T, now: number) => ({ ...passing, until: now + left })
const left = <T extends { until: number }>({ until, ...passing }: T, now: number) => ({ ...passing, left: until - now })

/** All metrics so far, of updates as many, evenly and with the last one, as a page can be told at once. */
export function metricsEvent(metrics: readonly Metric[]): Extract<ServerEvent, { kind: 'metrics' }> {
  const updates = metrics.filter(({ kind }) => kind === 'update').length
  const room = Math.max(1, METRICS_TOLD - (metrics.length - updates))
  const every = Math.max(1, Math.ceil(updates / room))
  let seen = 0
  return {
    kind: 'metrics',
    metrics: metrics.filter(({ kind }) => kind !== 'update' || (updates - ++seen) % every === 0),
  }
}

/** The signs that stand after these metrics: a line of the log tells all of them. */
function healthAfter(before: readonly HealthSign[], metrics: readonly Metric[]): readonly HealthSign[] {
  return metrics.findLast((metric) => metric.kind === 'health')?.signs ?? before
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
