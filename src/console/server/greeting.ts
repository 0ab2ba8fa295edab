/** @file What a page is told when it opens, so that it shows what the others show. */
import { basename } from 'node:path'
import type { Metric } from '../../metrics/metrics.ts'
import { type Hello, PROTOCOL_VERSION, type ServerEvent } from '../protocol.ts'
import type { Desk, Live } from './desk.ts'

const METRICS_TOLD = 4000 // of longer runs updates are thinned out

/** All there is, in order. */
export function greetingOf(desk: Desk, live: Live, client: string): ServerEvent[] {
  const { folder, config, session, reins, recording, show } = live
  const { spec } = session.robot
  const hello: Hello = {
    kind: 'hello',
    protocol: PROTOCOL_VERSION,
    client,
    mode: 'live',
    run: basename(folder.path),
    settings: config,
    robots: session.rigs.map(({ cell, robot }) => ({ cell, name: robot.spec.name })),
    cameras: show.cameras,
    tasks: Object.entries(spec.tasks).map(([name, task]) => ({ name, ...task, trained: config.tasks.includes(name) })),
    actionScale: spec.actionScale,
    controlRate: spec.rate,
    serverTime: Date.now(),
  }
  const health = desk.metrics.findLast((metric) => metric.kind === 'health')
  const { verdict } = reins
  const state = show.state(desk.command)
  return [
    hello,
    { kind: 'metrics', metrics: thinned(desk.metrics) },
    ...(health ? [{ kind: 'health' as const, signs: health.signs }] : []),
    ...(desk.lastProgress ? [desk.lastProgress] : []),
    desk.coachEvent(),
    reins.state,
    desk.controlEvent(),
    desk.paceEvent(),
    recording.event,
    ...(verdict ? [{ kind: 'verdict' as const, ...verdict, left: verdict.until - desk.now() }] : []),
    ...(state ? [state] : []),
  ]
}

/** Where no run goes on. `run`: the one to begin with. */
export const replayHello = (client: string, run: string): Hello => ({
  kind: 'hello',
  protocol: PROTOCOL_VERSION,
  client,
  mode: 'replay',
  run,
  settings: {},
  robots: [],
  cameras: [],
  tasks: [],
  actionScale: { translation: 0, rotation: 0 },
  controlRate: 0, // of a run that is over its episodes tell
  serverTime: Date.now(),
})

/** All lines but updates, and of those as many, evenly, as a page can be told at once. */
export function thinned(metrics: readonly Metric[]): Metric[] {
  const updates = metrics.filter(({ kind }) => kind === 'update').length
  const room = Math.max(1, METRICS_TOLD - (metrics.length - updates))
  const every = Math.max(1, Math.ceil(updates / room))
  let seen = 0
  return metrics.filter(({ kind }) => kind !== 'update' || seen++ % every === 0)
}
