/** @file What a run is prepared from, and what it refuses. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Normaliser } from '../../src/learn/normaliser.ts'
import { NO_COPIES } from '../../src/loop/perception.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { LogSource } from '../../src/replay/log-source.ts'
import type { RobotSpec } from '../../src/robot/robot.ts'
import {
  encodeDemonstrations,
  fitNormalisers,
  NORMALISER_FILE,
  readNormalisers,
  saveNormalisers,
} from '../../src/run/preparation.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Session } from '../../src/run/session.ts'
import type { EncoderDescription } from '../../src/vla/encoder.ts'

const spec: RobotSpec = {
  name: 'test arm',
  cameras: {},
  rate: 10,
  channels: [{ name: 'x', unit: 'm' }],
  actionFrame: 'base',
  actionScale: { translation: 0.01, rotation: 0.1 },
  tasks: {},
}

/** An encoder whose h is twice the proprio entry. */
const eyes = {
  instructions: { pick: 'pick it up', place: 'put it down' },
  encoder: {
    encode: async (inputs: { proprio: Float32Array }[]) =>
      inputs.map(({ proprio }) => ({ h: proprio.map((x) => 2 * x), features: Float32Array.of(0) })),
  },
} as unknown as Pick<Session, 'encoder' | 'instructions'>

const folder = () => mkdtempSync(join(tmpdir(), 'duet-preparation-'))
const observation = (x: number) => ({ images: {}, proprio: Float32Array.of(x), time: 0 })

/** Two steps each, proprio 0, 1, 2. */
function demonstrations(tasks: string[], robot = spec): string {
  const path = folder()
  const log = EpisodeLog.open(path, robot)
  for (const task of tasks) {
    log.begin({ episode: log.nextEpisode, task, source: 'demonstration', seed: null }, observation(0))
    for (const step of [0, 1]) {
      const last = step === 1
      const happened = {
        action: new Float32Array(7),
        reward: last ? 1 : 0,
        terminated: last,
        truncated: false,
        by: 'robot',
      } as const
      log.step({ id: log.nextId, step, ...happened, actor: 'operator', command: null }, observation(step + 1))
    }
    log.end({ ending: 'success' })
  }
  log.close()
  return path
}

const config = (perTask: number) => {
  const { demonstrations: settings, ...rest } = resolveConfig('quick')
  return { ...rest, tasks: ['pick', 'place'], demonstrations: { ...settings, perTask } }
}
const encode = (path: string, perTask: number) =>
  encodeDemonstrations(eyes, [new LogSource(path, spec)], config(perTask), NO_COPIES, { onEpisode: () => {} })
const description = (hash: string) => ({ name: 'nano', hash }) as EncoderDescription

describe('demonstrations', () => {
  it('are encoded, as many of each task as are asked for, and numbered from 0', async () => {
    const encoded = await encode(demonstrations(['pick', 'pick', 'place', 'other', 'place']), 1)
    expect(encoded.map(({ episode }) => [episode.start.episode, episode.start.task])).toEqual([
      [0, 'pick'],
      [1, 'place'],
    ])
    expect(encoded[0]!.sights.map(({ h }) => h[0])).toEqual([0, 2, 4])
  })

  it('come from every robot, as many of each task from each', async () => {
    const other = { ...spec, name: 'another arm' }
    const sources = [
      new LogSource(demonstrations(['pick', 'place', 'place']), spec),
      new LogSource(demonstrations(['place', 'pick', 'pick'], other), other),
    ]
    const encoded = await encodeDemonstrations(eyes, sources, config(1), NO_COPIES, { onEpisode: () => {} })
    expect(encoded.map(({ episode }) => [episode.start.episode, episode.start.task])).toEqual([
      [0, 'pick'],
      [1, 'place'],
      [2, 'place'],
      [3, 'pick'],
    ])
    const swapped = [new LogSource(sources[0]!.name, other)]
    await expect(encodeDemonstrations(eyes, swapped, config(1), NO_COPIES, { onEpisode: () => {} })).rejects.toThrow(
      'test arm',
    )
  })

  it('give the normalisers: mean 1 and deviation √(2/3) of proprio, twice that of h', async () => {
    const { h, proprio } = fitNormalisers(await encode(demonstrations(['pick', 'place']), 1))
    expect(proprio.apply(Float32Array.of(2))[0]).toBeCloseTo(1 / Math.sqrt(2 / 3), 5)
    expect(h.apply(Float32Array.of(4))[0]).toBeCloseTo(1 / Math.sqrt(2 / 3), 5)
  })

  it('are refused where the replay cannot hold them all: the first would be forgotten before anything is learned', async () => {
    const source = new LogSource(demonstrations(['pick', 'place']), spec)
    const encodedInto = (capacity: number) => {
      const settings = { ...config(1), replay: { ...config(1).replay, capacity } }
      return encodeDemonstrations(eyes, [source], settings, NO_COPIES, { onEpisode: () => {} })
    }
    expect(await encodedInto(6)).toHaveLength(2) // of three observations each
    await expect(encodedInto(5)).rejects.toThrow(/"replay\.capacity": is 5, .*Raise it/)
  })

  it('are missed by name where a task has too few', async () => {
    await expect(encode(demonstrations(['pick']), 1)).rejects.toThrow(
      /holds 0 demonstrations of task "place", 1 are asked for.*duet demo record/,
    )
  })
})

describe('the normalisers of a checkpoint', () => {
  const normalisers = {
    h: new Normaliser({ mean: [1], deviation: [2] }),
    proprio: new Normaliser({ mean: [0], deviation: [1] }),
  }

  it('come back as they were', () => {
    const directory = folder()
    saveNormalisers(directory, normalisers, description('abc'))
    const { h } = readNormalisers(directory, description('abc'))
    expect(h.apply(Float32Array.of(5))[0]).toBe(2)
  })

  it('are refused under another encoder', () => {
    const directory = folder()
    saveNormalisers(directory, normalisers, description('abc'))
    expect(() => readNormalisers(directory, description('def'))).toThrow(
      /normalisers\.json: is of encoder nano abc, present is nano def.*Restore the weights/,
    )
  })

  it('are missed by name, and named where they are damaged', () => {
    const directory = folder()
    expect(() => readNormalisers(directory, description('abc'))).toThrow('normalisers.json: is missing')
    writeFileSync(join(directory, NORMALISER_FILE), '{"h":')
    expect(() => readNormalisers(directory, description('abc'))).toThrow(/normalisers\.json: is not what was saved/)
    rmSync(directory, { recursive: true })
    expect(existsSync(directory)).toBe(false)
  })
})
