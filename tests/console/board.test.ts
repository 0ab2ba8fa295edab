/** @file Whoever joins late shows what all show: the greeting against the events themselves, over random runs. */

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Board, boardAfter, EMPTY_BOARD, greetingOf } from '../../src/console/board.ts'
import type { Hello, ServerEvent, State } from '../../src/console/protocol.ts'
import { reduce, START } from '../../src/console/web/link/model.ts'
import type { Metric } from '../../src/metrics/metrics.ts'
import { Page } from './page.ts'
import { Stage } from './stage.ts'

type Kind = ServerEvent['kind']
type EventOf<K extends Kind> = Extract<ServerEvent, { kind: K }>

const name = fc.constantFrom('Anna', 'Ben', 'Cleo')
const person = fc.record({ client: fc.constantFrom('1', '2', '3'), name })
const count = fc.nat(1000)
const actor = fc.constantFrom(null, 'primary' as const, 'refinement' as const, 'operator' as const)
const ending = fc.constantFrom('success' as const, 'failure' as const, 'timeout' as const, 'abort' as const)
const stage = fc.constantFrom('practice' as const, 'evaluation' as const)
const verdict = fc.constantFrom(null, 'success' as const, 'failure' as const, 'abort' as const)
const source = fc.constantFrom('typed' as const, 'spoken' as const)
const command = fc.record({ text: name, said: name, source, lasts: count, left: count })
const sign = fc.record({
  sign: name,
  words: name,
  figure: name,
  advice: name,
  since: fc.constant({ time: 0, robotSteps: 0 }),
})
const metric: fc.Arbitrary<Metric> = fc.oneof(
  fc.record({ kind: fc.constant('labels' as const), time: count, robotSteps: count, counts: fc.constant({}) }),
  fc.record({
    kind: fc.constant('health' as const),
    time: count,
    robotSteps: count,
    signs: fc.array(sign, { maxLength: 2 }),
  }),
)
const status = fc.constantFrom('moving' as const, 'pausing' as const, 'paused' as const, 'stopped' as const)
const operator = fc.constantFrom('person' as const, 'simulated' as const, 'none' as const)
const phase = fc.constantFrom('off' as const, 'waiting' as const, 'recording' as const, 'review' as const)
const told = <K extends Kind>(
  kind: K,
  fields: { [F in keyof Omit<EventOf<K>, 'kind'>]: fc.Arbitrary<EventOf<K>[F]> },
) => fc.record({ kind: fc.constant(kind), ...fields }) as unknown as fc.Arbitrary<EventOf<K>>

/** What a server may tell, a kind a line: the compiler asks for one that is missing. */
const EVENTS: { [K in Exclude<Kind, 'hello' | 'history'>]: fc.Arbitrary<EventOf<K>> } = {
  state: fc
    .record({ step: fc.nat(12), actor, stage, episodeStep: fc.nat(9), robot: fc.constantFrom('A', 'B') })
    .map((state) => ({ kind: 'state', ...state }) as State),
  robot: told('robot', { status, why: name, speed: fc.constantFrom(null, 0.5) }),
  control: told('control', { holder: fc.option(person), holding: fc.boolean(), waiting: fc.array(person), operator }),
  pace: told('pace', { chosen: count, now: count, fastest: count }),
  verdict: told('verdict', { verdict, left: count, by: name }),
  command: told('command', { command: fc.option(command) }),
  recording: told('recording', {
    phase,
    task: fc.option(name),
    steps: count,
    success: fc.boolean(),
    kept: fc.constant({}),
    wanted: fc.option(count),
  }),
  scene: told('scene', {
    waits: fc.boolean(),
    robot: name,
    task: name,
    scene: fc.option(name),
    start: fc.option(name),
  }),
  fleet: told('fleet', {
    robots: fc.constant([]),
    versions: fc.record({
      newest: fc.option(count),
      acting: fc.option(count),
      chosen: fc.constant(null),
      failed: fc.constant(null),
    }),
    kept: fc.constant([]),
  }),
  evaluation: told('evaluation', { stage: name, robot: name, over: fc.boolean(), trials: fc.constant([]) }),
  progress: told('progress', { stage: name, done: fc.nat(3), total: fc.nat(3), note: name }),
  metrics: told('metrics', { metrics: fc.array(metric) }),
  metric: told('metric', { metric }),
  coach: told('coach', { line: name }),
  label: told('label', {
    ...{ episode: count, step: count, task: name, command: name, window: count },
    ...{ delta: fc.constant([0, 0, 0] as const), thumbnail: fc.constant(null) },
  }),
  episode: told('episode', {
    ...{ robot: name, stage, episode: count, task: name, ending, length: count, operatorSteps: count },
    judge: fc.constantFrom('robot' as const, 'clock' as const, 'person' as const),
  }),
  loop: told('loop', {
    ...{ latencyMedian: fc.option(count), latency99: fc.option(count) },
    ...{ rate: count, jitterMedian: count, jitter99: count, steps: count, viewers: count, framesSkipped: count },
  }),
  ended: told('ended', { summary: fc.constant(null), error: fc.option(name) }),
  late: told('late', { age: count }),
  refused: told('refused', { what: name, why: name }),
  pong: told('pong', { t: count, serverTime: count, left: count }),
}

const hello = (run: string) => ({ kind: 'hello', client: '', serverTime: 0, run }) as Hello
const happenings = fc.array(
  fc.record({ event: fc.oneof(fc.constant('other robot' as const), ...Object.values(EVENTS)), wait: fc.nat(900) }),
  { maxLength: 60 },
)

const page = (client: string) => ({ client, serverTime: 7 })
const boardOf = (board: Board): Board =>
  Object.fromEntries(Object.keys(EMPTY_BOARD).map((key) => [key, board[key as keyof Board]])) as Board
const shown = (board: Board) => ({ ...boardOf(board), hello: board.hello && { ...board.hello, ...page('') } })

describe('a page that joins late', () => {
  it('shows what one shows that was there from the start', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(happenings, fc.nat(60), (all, joins) => {
        let now = 0
        let server = boardAfter(EMPTY_BOARD, hello('run'), now)
        const greeted = (client: string) =>
          greetingOf(server, page(client), now).reduce((model, event) => reduce(model, event, now), START)
        let early = greeted('1')
        let late: typeof early | undefined
        for (const [i, { event, wait }] of all.entries()) {
          now += wait
          if (i === joins) late = greeted('2')
          seen.add(typeof event === 'string' ? event : event.kind)
          server = boardAfter(server, event === 'other robot' ? hello(event) : event, now)
          if (event === 'other robot') {
            early = greeted('1')
            late &&= greeted('2')
          } else {
            early = reduce(early, event, now)
            late &&= reduce(late, event, now)
          }
        }
        expect(shown(late ?? greeted('2'))).toEqual(shown(early))
        expect(shown(early)).toEqual(shown(server))
      }),
      { numRuns: 400 },
    )
    expect([...seen].sort()).toEqual([...Object.keys(EVENTS), 'other robot'].sort())
  })

  it('shows nothing of the robot that was in focus before, until the one that is has moved', () => {
    const greeted = boardAfter(EMPTY_BOARD, hello('run'), 0)
    const moved = boardAfter(greeted, { kind: 'state', step: 5, robot: 'A', actor: 'primary' } as State, 0)
    const turned = boardAfter(moved, hello('run'), 0)
    const late = greetingOf(turned, page('2'), 0).reduce((model, event) => reduce(model, event, 0), START)
    expect([moved.acts.length, late.acts, late.state]).toEqual([1, [], null])
  })

  it('hears nothing before there is a robot to show, then the hello first, as its own', () => {
    const robot = { kind: 'robot', status: 'idle', why: '', speed: null } as const
    const before = boardAfter(EMPTY_BOARD, robot, 0)
    expect(greetingOf(before, page('4'), 0)).toEqual([])
    const [first, ...more] = greetingOf(boardAfter(before, hello('run'), 0), page('4'), 0)
    expect(first).toEqual({ kind: 'hello', run: 'run', client: '4', serverTime: 7 })
    expect(more).toContainEqual(robot)
  })

  it('sees a verdict and a command pass when the others do, whatever its clock says', () => {
    const command = { text: 'move up', said: 'up', source: 'typed', lasts: 1500, left: 1500 } as const
    let server = boardAfter(EMPTY_BOARD, hello('run'), 0)
    server = boardAfter(server, { kind: 'verdict', verdict: 'success', left: 3000, by: 'Anna' }, 1000)
    server = boardAfter(server, { kind: 'command', command }, 1000)
    const told = greetingOf(server, page('2'), 1800)
    expect(told).toContainEqual({ kind: 'verdict', verdict: 'success', left: 2200, by: 'Anna' })
    const late = told.reduce((model, event) => reduce(model, event, 50_000), START)
    expect([late.verdict!.until, late.command!.until]).toEqual([52_200, 50_700])
  })

  it('is told 4000 metrics at most of a long run, all but the updates whole', () => {
    const metrics = Array.from({ length: 12_000 }, (_, i): Metric => {
      const clock = { time: i, robotSteps: i }
      return i % 12 === 0
        ? { kind: 'labels', ...clock, counts: {} }
        : { kind: 'update', ...clock, update: i, phase: 'online', figures: {} }
    })
    const server = boardAfter(boardAfter(EMPTY_BOARD, hello('run'), 0), { kind: 'metrics', metrics }, 0)
    const late = greetingOf(server, page('2'), 0).reduce((board, event) => boardAfter(board, event, 0), EMPTY_BOARD)
    const of = (kind: string) => late.metrics.filter((metric) => metric.kind === kind).map(({ time }) => time)
    expect(of('labels')).toHaveLength(1000)
    expect(of('update').length).toBeGreaterThan(2500)
    expect(of('update').length).toBeLessThanOrEqual(3000)
    expect(of('update').at(-1)).toBe(11_999) // from which curves go on
  })
})

describe('pages of a robot that acts', () => {
  it('show the same once it rests, whenever they were opened', async () => {
    const stage = await Stage.open()
    const pages = [await Page.open(stage.server.address)]
    const [first] = pages as [Page]
    await first.takeControl()
    await first.hold([0, 0.6, 0, 0, 0, 0], 900)
    first.send({ kind: 'verdict', verdict: 'failure' })
    first.send({ kind: 'confirm' })
    await first.until('label')
    await first.until('loop')
    pages.push(await Page.open(stage.server.address))
    await first.until('state', ({ episode, episodeStep }) => episode === 1 && episodeStep > 3)
    first.send({ kind: 'pause' })
    await first.until('robot', ({ status }) => status === 'paused')
    pages.push(await Page.open(stage.server.address))
    first.send({ kind: 'record', action: 'start', task: 'pick' })
    for (const page of pages) await page.until('recording', ({ phase }) => phase === 'waiting')
    await sleep(100) // what waits for its turn is told
    const boards = pages.map(({ events }) => shown(events.reduce((model, event) => reduce(model, event, 0), START)))
    for (const page of pages) page.close()
    await stage.close()
    const [board, ...others] = boards as [Board, ...Board[]]
    expect(board.labels.length).toBeGreaterThan(0)
    expect([board.episodes.length, board.acts.length > 10, board.state!.episode]).toEqual([1, true, 1])
    expect(others).toHaveLength(2)
    for (const other of others) expect(other).toEqual(board)
  }, 60_000)
})
