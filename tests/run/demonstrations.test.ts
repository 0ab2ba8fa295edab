/** @file Demonstrations survive the disk, repeat themselves exactly, and can be looked at. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PNG } from 'pngjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LoggedEpisode } from '../../src/replay/log-reader.ts'
import type { Simulation } from '../../src/robot/rig.ts'
import type { Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { demonstrator } from '../../src/robots/workcell/demonstrator.ts'
import { Workcell } from '../../src/robots/workcell/workcell.ts'
import {
  pictureDemonstrations,
  readDemonstrations,
  recordDemonstrations,
  replayDemonstration,
} from '../../src/run/demonstrations.ts'
import { hurry } from './brief.ts'

const tasks = ['pick', 'assemble']
const settings = { tasks, perTask: 2, noise: 0.1, seed: 3 }
let cell: Workcell
let robot: Robot
let folder: string
let episodes: LoggedEpisode[]
const expert: Simulation['demonstrator'] = (seed, hand) => demonstrator(() => cell.truth(), seed, hand)
const temporary: string[] = []
const newFolder = () => {
  temporary.push(fs.mkdtempSync(path.join(os.tmpdir(), 'duet-demonstrations-')))
  return temporary.at(-1)!
}

beforeAll(async () => {
  cell = await Workcell.create()
  robot = new SafeRobot(cell)
  folder = newFolder()
  await recordDemonstrations(folder, { ...settings, robot, demonstrator: expert })
  episodes = [...readDemonstrations(folder, cell.spec)]
})
afterAll(() => {
  cell.free()
  for (const each of temporary) fs.rmSync(each, { recursive: true })
})

describe('recorded demonstrations', () => {
  it('are as many of each task as asked for, all of them successes', () => {
    expect(episodes.map(({ start }) => start.task)).toEqual(['pick', 'pick', 'assemble', 'assemble'])
    for (const { start, steps, observations } of episodes) {
      expect(start.source).toBe('demonstration')
      expect(observations.length).toBe(steps.length + 1)
      expect(steps.at(-1)).toMatchObject({ reward: 1, terminated: true, truncated: false })
      expect(steps.slice(0, -1).every(({ reward, terminated }) => reward === 0 && !terminated)).toBe(true)
      expect(Object.keys(observations[0]!.images)).toEqual(['front', 'wrist'])
    }
  })

  it('are not all alike: other starts, and an unsteady hand', () => {
    const [first, second] = episodes
    expect(first!.start.seed).not.toBe(second!.start.seed)
    expect(Array.from(first!.steps[3]!.action)).not.toEqual(Array.from(second!.steps[3]!.action))
  })

  it('repeat themselves exactly from seed and actions', async () => {
    for (const episode of episodes)
      expect(await replayDemonstration(robot, episode)).toEqual({ success: true, deviation: 0 })
  })

  it('do not repeat with another action: the comparison sees it', async () => {
    const steps = structuredClone(episodes[0]!.steps)
    steps[2]!.action[0] = -steps[2]!.action[0]! || 0.5
    const { deviation } = await replayDemonstration(robot, { ...episodes[0]!, steps })
    expect(deviation).toBeGreaterThan(1e-4)
  })

  it('go on where a recording stopped, and end up the same', async () => {
    const other = newFolder()
    await recordDemonstrations(other, { ...settings, perTask: 1, robot, demonstrator: expert })
    const reports: number[][] = []
    await recordDemonstrations(other, {
      ...settings,
      robot,
      demonstrator: expert,
      onEpisode: (done, total) => reports.push([done, total]),
    })
    const seeds = (all: Iterable<LoggedEpisode>) => [...all].map(({ start }) => start.seed).sort()
    expect(seeds(readDemonstrations(other))).toEqual(seeds(episodes))
    expect(reports).toEqual([
      [3, 4],
      [4, 4],
    ])
  })

  it('let a signal in while they are recorded, however little there is to wait for', async () => {
    const other = newFolder()
    let heard = 0
    const ear = setInterval(() => heard++, 1)
    const { length } = episodes[0]!.steps
    await recordDemonstrations(other, { ...settings, tasks: ['pick'], perTask: 1, robot, demonstrator: expert })
    clearInterval(ear)
    expect(heard).toBeGreaterThan(Math.min(length, 5))
  })

  it('leave failures out, and give up with advice when there are only failures', async () => {
    const blind = await Workcell.create({ cameras: false })
    hurry(blind)
    const shaky: Simulation['demonstrator'] = (seed, hand) => demonstrator(() => blind.truth(), seed, hand)
    const unable = { tasks: ['assemble'], perTask: 1, noise: 3 }
    const clumsy = { ...settings, ...unable, robot: new SafeRobot(blind), demonstrator: shaky }
    const other = newFolder()
    await expect(recordDemonstrations(other, clumsy)).rejects.toThrow('Lower demonstrations.noise')
    expect([...readDemonstrations(other)]).toEqual([])
    blind.free()
  })
})

describe('showDemonstrations', () => {
  it('draws one row a demonstration, both cameras side by side', () => {
    const file = path.join(newFolder(), 'sheet.png')
    pictureDemonstrations(folder, file, { frames: 5, demonstrations: 3 })
    const { width, height } = PNG.sync.read(fs.readFileSync(file))
    expect([width, height]).toEqual([5 * 256 + 4 * 2, 3 * 128 + 2 * 2])
  })

  it('makes a film', () => {
    const file = path.join(newFolder(), 'film.gif')
    pictureDemonstrations(folder, file, { demonstrations: 1 })
    expect(fs.readFileSync(file).subarray(0, 6).toString()).toBe('GIF89a')
  })

  it('says what is missing', () => {
    expect(() => pictureDemonstrations(newFolder(), 'x.png')).toThrow('holds no demonstrations')
    expect(() => pictureDemonstrations(folder, 'x.bmp')).toThrow('neither a .png nor a .gif')
  })
})
