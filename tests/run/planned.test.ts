/** @file A run in which a policy server plans: it does in practice, by as many actions of an answer as it may, and nowhere else. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { NumpyArray, numbersOf, pack, type Unpacked, unpack } from '../../src/formats/msgpack.ts'
import { Policy } from '../../src/learn/policy.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import { openBriefly } from './brief.ts'

const STEPS = 3 // of an answer that are taken
const AHEAD = [0.1, 0.2, 0.3, 0.4] // dx of an answer's rows; the last one is never used

const runs = mkdtempSync(join(tmpdir(), 'duet-planned-'))
const asked: Map<string, Unpacked>[] = []
let lines = 0 // connections that are open
let server: WebSocketServer
beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    lines++
    socket.on('close', () => lines--)
    socket.send(pack({}))
    socket.on('message', (data) => {
      asked.push(unpack(data as Buffer, 'question') as Map<string, Unpacked>)
      const rows = Float32Array.from(AHEAD.flatMap((dx) => [dx, 0, 0, 0, 0, 0, 0]))
      socket.send(pack({ actions: NumpyArray.floats(rows, [AHEAD.length, 7]) }))
    })
  })
  await once(server, 'listening')
})
afterAll(() => {
  server.close()
  rmSync(runs, { recursive: true })
})

describe('a run in which a policy server plans', () => {
  let own = 0 // plans of the run's own actor
  const folder = new RunFolder(join(runs, 'planned'))
  let width = 0 // of the proprioception

  beforeAll(async () => {
    const { port } = server.address() as { port: number }
    const config = parseConfig(
      'test',
      mergeSettings(presets.tiny, {
        robot: { arm: 'gantry' },
        tasks: ['pick'],
        operator: { kind: 'none' },
        demonstrations: { perTask: 1 },
        warmUp: { updates: 2 },
        online: { robotMinutes: 0.05, updatesPerStep: 0.1 },
        evaluation: { trials: 1 },
        plan: { server: `ws://127.0.0.1:${port}`, steps: STEPS, names: { front: 'observation/image' } },
      }),
    )
    const primary = Policy.prototype.primary
    const spy = vi.spyOn(Policy.prototype, 'primary').mockImplementation(function (this: Policy, ...seen) {
      own++
      return primary.apply(this, seen)
    })
    await train(RunFolder.create(folder.path, config), config, {}, async (settings) => {
      const session = await openBriefly(settings)
      width = session.robot.spec.channels.length
      return session
    })
    spy.mockRestore()
  }, 120_000)

  it('does what the server says, three actions of each answer, and asks anew with each episode', () => {
    const episodes = [...readEpisodes(folder.log)]
    expect(episodes.length).toBeGreaterThan(1)
    const steps = episodes.map(({ steps }) => steps.map(({ action }) => action[0]!))
    expect(steps.flat().length).toBeGreaterThanOrEqual(20)
    for (const [t, dx] of steps.flatMap((episode) => [...episode.entries()]))
      expect(dx).toBeCloseTo(AHEAD[t % STEPS]!, 6)
    expect(asked.length).toBe(steps.reduce((sum, { length }) => sum + Math.ceil(length / STEPS), 0))
  })

  it('tells the server what it sees, under the names of its settings', () => {
    const [first] = asked
    expect([...first!.keys()].sort()).toEqual(
      ['observation/image', 'observation/state', 'observation/wrist', 'prompt'].sort(),
    )
    expect(first!.get('observation/image')).toMatchObject({ dtype: '|u1', shape: [128, 128, 3] })
    expect(numbersOf(first!.get('observation/state') as NumpyArray, 'state').length).toBe(width)
    expect(first!.get('prompt')).toMatch(/bolt/)
  })

  it('is evaluated by its own actor, and hangs up at its end', async () => {
    expect(own).toBeGreaterThan(0)
    await expect.poll(() => lines, { timeout: 10_000 }).toBe(0)
  })
})
