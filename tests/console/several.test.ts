/** @file A run of two robots with its console: one is tended by hand, a stop stops both, at any time, and the run goes on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { State } from '../../src/console/protocol.ts'
import { RunLibrary } from '../../src/console/server/library.ts'
import { RunObserver } from '../../src/console/server/observer.ts'
import { ConsoleServer } from '../../src/console/server/server.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'
import { readDemonstrations } from '../../src/run/demonstrations.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { train } from '../../src/run/train.ts'
import { openPlainly } from '../run/plain-encoder.ts'
import { Page } from './page.ts'

const runs = mkdtempSync(join(tmpdir(), 'duet-console-several-'))
afterAll(() => rmSync(runs, { recursive: true }))

const config = parseConfig(
  'test',
  mergeSettings(presets.tiny, {
    robot: { arm: 'gantry', cells: ['A', 'B'] },
    operator: { kind: 'none' },
    demonstrations: { perTask: 2 },
    warmUp: { updates: 5 },
    online: { robotMinutes: 0.1 },
    evaluation: { trials: 1 },
  }),
)

const z = Math.fround(0.31)

describe('two robots at a console', () => {
  const folder = RunFolder.create(join(runs, 'run'), config)
  let states: State[] = []
  let cameras: unknown[] = []
  let page: Page

  /** Stops, looks, clears, goes on. */
  async function stopAndGo() {
    page.send({ kind: 'stop' })
    await page.until('robot', ({ status }) => status === 'stopped')
    await page.takeControl()
    page.send({ kind: 'clear' })
    await page.until('robot', ({ status }) => status === 'paused')
    page.send({ kind: 'resume' })
  }

  beforeAll(async () => {
    const observer = new RunObserver()
    const library = new RunLibrary(runs, { path: folder.path, running: true })
    const server = await ConsoleServer.open({ observer, library, page: runs, port: 0 })
    page = await Page.open(server.address)
    const training = train(folder, config, { observer }, openPlainly)
    await page.until('progress', ({ stage }) => stage.startsWith('recording'), 60_000)
    await stopAndGo()
    page.send({ kind: 'control', action: 'release' })
    await page.until('state', ({ stage }) => stage === 'practice', 120_000)
    page.send({ kind: 'control', action: 'request' })
    page.send({ kind: 'focus', robot: 'B' })
    await page.until('state', ({ robot }) => robot === 'B')
    cameras = page.all('hello').map(({ cameras }) => cameras[0]!.calibration)
    await page.hold([0, 0, z, 0, 0, 0], 900)
    states = page.all('state')
    page.events.length = 0
    page.send({ kind: 'stop' })
    await page.until('robot', ({ status }) => status === 'stopped')
    page.send({ kind: 'clear' })
    await page.until('robot', ({ status }) => status === 'paused')
    page.send({ kind: 'resume' })
    page.send({ kind: 'control', action: 'release' })
    await training
    page.close()
    await server.close()
  }, 300_000)

  it('are shown and tended one at a time, with the cameras of the one', () => {
    expect(states.some(({ robot, executed }) => robot === 'B' && executed?.[2] === z)).toBe(true)
    expect(states.some(({ robot, actor }) => robot === 'A' && actor === 'operator')).toBe(false)
    expect(cameras.length).toBe(2)
    expect(cameras[0]).not.toEqual(cameras[1])
  })

  it('are both stopped, and both go on afterwards', () => {
    const [a, b] = [folder.log, join(folder.log, 'B')].map((log) => [...readEpisodes(log)])
    for (const log of [a!, b!]) {
      expect(log[0]!.end).toEqual({ ending: 'abort', verdict: { reward: 0, terminated: false } })
      expect(log.length).toBeGreaterThan(1)
    }
    const operated = (log: typeof a) => log!.flatMap(({ steps }) => steps).filter(({ actor }) => actor === 'operator')
    expect(operated(a)).toHaveLength(0)
    expect(operated(b).length).toBeGreaterThan(5)
  })

  it('have all their demonstrations, though they were stopped while one was recorded', () => {
    for (const part of ['', 'B']) {
      const tasks = [...readDemonstrations(join(folder.demonstrations, part))].map(({ start }) => start.task)
      expect(tasks).toEqual(['pick', 'pick', 'assemble', 'assemble'])
    }
  })
})
