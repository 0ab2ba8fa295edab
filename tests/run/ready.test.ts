/** @file What stands before a run: its folder has no other owner, and its logs are whole. Nothing is loaded before that is sure. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { EpisodeLog, readEpisodes } from '../../src/replay/index.ts'
import type { RobotSpec } from '../../src/robot/robot.ts'
import { describeRobot } from '../../src/robots/index.ts'
import type { RunConfig } from '../../src/run/config.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { lock } from '../../src/run/lock.ts'
import { logsAt } from '../../src/run/logs.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { openSession, type Session } from '../../src/run/session.ts'
import { type TrainEvents, train } from '../../src/run/train.ts'
import { episodeOf, record } from '../replay/scenes.ts'

const config = resolveConfig('tiny', undefined, [{ robot: { arm: 'gantry', cells: ['A', 'B'] } }])
const place = () => join(mkdtempSync(join(tmpdir(), 'duet-ready-')), 'x')
let folder: RunFolder
beforeEach(() => {
  folder = RunFolder.create(place(), config)
})

/** Episodes of a cell's robot, with numbers for all that it senses. */
function write(to: string, cell: string, numbers: readonly number[]): string {
  const robot: RobotSpec = { ...describeRobot(config.robot, cell) }
  const log = EpisodeLog.open(to, robot)
  for (const number of numbers) {
    const episode = episodeOf(number, 3, robot)
    const observations = episode.observations.map((one) => ({
      ...one,
      proprio: new Float32Array(robot.channels.length),
    }))
    record(log, { ...episode, observations })
  }
  log.close()
  return join(to, 'segment-000001.duetlog')
}

function damage(file: string, at = 0.5): void {
  const bytes = readFileSync(file)
  bytes[Math.floor(at * bytes.length)]! ^= 1
  writeFileSync(file, bytes)
}

/** How far it gets: what it says, or "opened" where a session would be opened next. */
async function begin(events: TrainEvents = {}, settings: RunConfig = config): Promise<string> {
  const opened = () => Promise.reject(new Error('opened'))
  const error = await train(folder, settings, events, opened).catch((thrown: Error) => thrown)
  if (error instanceof InputError) expect(error.message).not.toContain('\n')
  return (error as Error).message
}

describe('a run', () => {
  it('is refused while another process writes into its folder, and holds it itself until it is over', async () => {
    const release = lock(folder.path)
    expect(await begin()).toContain(`process ${process.pid} on`)
    release()
    expect(await begin()).toBe('opened')
    expect(existsSync(join(folder.path, 'process.lock'))).toBe(false)
  })

  it('with a damaged log of any cell, or demonstrations, names episode, byte and what repairs it', async () => {
    write(folder.log, 'A', [4, 6])
    damage(write(join(folder.log, 'B'), 'B', [5, 7]))
    const said = await begin()
    expect(said).toMatch(/log\/B\/segment-000001\.duetlog: episode [57], step \d, byte \d+: /)
    expect(said).toMatch(/duet log repair \S+\/x, or resume with --without-damaged$/)
  })

  it('goes on without damaged episodes where that is asked for, and tells what that cost', async () => {
    damage(write(folder.log, 'A', [4, 6]), 0.9)
    damage(write(join(folder.log, 'B'), 'B', [5, 7]), 0.3)
    const told: string[] = []
    expect(await begin({ withoutDamaged: true, onNotice: (line) => told.push(line) })).toBe('opened')
    expect(told).toEqual([
      expect.stringMatching(/log\/segment-000001\.duetlog: damaged: episode 6, /),
      expect.stringContaining('repaired, with the whole episodes, 1; as it was: segment-000001.duetlog.damaged-'),
      expect.stringMatching(/log\/B\/segment-000001\.duetlog: damaged: episode 5, /),
      expect.stringContaining('repaired, '),
    ])
    expect([...readEpisodes(folder.log)].map(({ start }) => start.episode)).toEqual([4])
    expect([...readEpisodes(join(folder.log, 'B'))].map(({ start }) => start.episode)).toEqual([7])
    expect(await begin()).toBe('opened')
  })

  it('does not repair demonstrations that lie elsewhere: they may be others, too', async () => {
    const shared = join(folder.path, '..', 'demonstrations')
    const file = write(shared, 'A', [0, 1])
    damage(file)
    const before = readFileSync(file)
    const elsewhere = { ...config, demonstrations: { ...config.demonstrations, path: shared } }
    expect(await begin({ withoutDamaged: true }, elsewhere)).toMatch(/duet log repair \S+\/demonstrations$/)
    expect(readFileSync(file)).toEqual(before)
  })
})

it('logs of a run are found by cell, those of a folder without one as they lie', () => {
  expect(() => logsAt(folder.path)).toThrow('holds no log')
  write(folder.demonstrations, 'A', [0])
  write(join(folder.log, 'B'), 'B', [1])
  expect(logsAt(folder.path).map(({ robot }) => robot!.name)).toEqual(
    ['A', 'B'].map((cell) => describeRobot(config.robot, cell).name),
  )
  expect(logsAt(folder.log)).toEqual([{ folder: join(folder.log, 'B'), own: true }])
})

describe('a run without a console', () => {
  /** What it says where its session is the usual one, but for this. */
  async function refusal(change: (session: Session) => Promise<Session>): Promise<string> {
    const one = resolveConfig('tiny', undefined, [{ robot: { arm: 'gantry' } }])
    const error = await train(RunFolder.create(place(), one), one, {}, async (settings) =>
      change(await openSession(settings)),
    ).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(InputError)
    return (error as Error).message
  }

  it('does not begin with a robot that holds since an earlier session, and says how it is let go', async () => {
    const words = await refusal(async (session) => {
      await session.robot.halt('a person at the other end')
      return session
    })
    expect(words).toContain('holds after a fault of an earlier session, stopped: a person at the other end')
    expect(words).toContain('duet robot clear')
  })

  it('does not begin with a robot whose scene a person sets', async () => {
    const words = await refusal(async (session) => ({
      ...session,
      rigs: session.rigs.map((rig) => ({ ...rig, reset: 'person' })),
    }))
    expect(words).toContain('is reset by a person')
  })
})
