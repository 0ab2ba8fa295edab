import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { RunFolder } from '../../src/run/folder.ts'
import type { ExperimentOptions } from '../../src/studies/experiment.ts'
import type { WorkbenchParts } from '../../src/studies/workbench.ts'
import { aWorkbench, temporaryFolder, writeRun } from './fabricated.ts'

const root = temporaryFolder()
const OPTIONS: ExperimentOptions = { purpose: 'tuning', seeds: [0, 1], trials: 2, robotMinutes: 1, overrides: {} }
let runs = ''
let trained: string[] = []
let recorded: string[] = []
let together = 0
let most = 0
let finishes = true
beforeEach(() => {
  runs = join(root, String(Math.random()))
  ;[trained, recorded, together, most, finishes] = [[], [], 0, 0, true]
})

const bench = (parts: Partial<WorkbenchParts> = {}) =>
  aWorkbench({
    options: OPTIONS,
    runs,
    workers: {
      async train(folder) {
        trained.push(basename(folder.path))
        most = Math.max(most, ++together)
        await sleep(5)
        together--
        writeRun(folder, RunFolder.open(folder.path).config, finishes)
      },
      async record(path) {
        recorded.push(path)
        await sleep(5)
        mkdirSync(path, { recursive: true })
      },
    },
    ...parts,
  })

describe('train', () => {
  it('resolves preset, budget, overrides of the experiment, overrides of the user, in this order', async () => {
    const options = { ...OPTIONS, overrides: { learner: { batch: 48 } } }
    const { config } = await bench({ options }).train('a', { learner: { batch: 40, discount: 0.9 } }, 3)
    expect(config).toMatchObject({ seed: 3, learner: { batch: 48, discount: 0.9 }, warmUp: { updates: 60 } })
    expect(config.online.robotMinutes).toBe(1)
    expect(config.evaluation.trials).toBe(2)
  })

  it('evaluates reported runs on starts of their own, in a folder of their own', async () => {
    const tuned = await bench().train('a', {}, 0)
    const options = { ...OPTIONS, purpose: 'reporting' as const }
    const reported = await bench({ options }).train('a', {}, 0)
    expect(tuned.config.evaluation.firstSeed).toBe(1_000_000)
    expect(reported.config.evaluation.firstSeed).toBe(3_000_000)
    expect(trained).toEqual(['a-seed0', 'a-seed0'])
    expect(reported.folder.path).toContain(join('experiments', 'reporting', 'tiny', 'fake'))
    expect(reported.config.demonstrations.path).toContain(join('experiments', 'reporting', 'tiny', 'shared'))
  })

  it('puts a regime over the preset, and under what experiment and user set', async () => {
    const settings = { demonstrations: { perTask: 3, noise: 0.1 }, operator: { strength: 'weak' } }
    const regime = { name: 'a', title: '', sentence: '', settings }
    const options = { ...OPTIONS, overrides: { demonstrations: { noise: 0.2 } } }
    const { config } = await bench({ regime, options }).train('a', { operator: { kind: 'none' } }, 3)
    expect(config.demonstrations).toMatchObject({ perTask: 3, noise: 0.2 }) // the preset's are 2 and 0.05
    expect(config.operator).toEqual({ kind: 'none', strength: 'weak', speaks: false })
  })

  it('reads a run that has finished, whoever asks again', async () => {
    const first = await bench().train('a', {}, 0)
    const second = await bench().train('a', {}, 0)
    expect(trained).toEqual(['a-seed0'])
    expect(second.summary).toEqual(first.summary)
    expect(second.summary.tasks.pick!.success).toBe(0.5)
    expect(second.folder.path).toBe(join(runs, 'experiments', 'tiny', 'fake', 'a-seed0'))
  })

  it('keeps runs of other presets than the usual one apart: they have the same names', async () => {
    const quick = await bench({ preset: 'quick' }).train('a', {}, 0)
    const practice = await bench({ preset: 'practice' }).train('a', {}, 0)
    expect(quick.folder.path).toBe(join(runs, 'experiments', 'fake', 'a-seed0'))
    expect(practice.folder.path).toBe(join(runs, 'experiments', 'practice', 'fake', 'a-seed0'))
    expect([quick.config.learner.generation, practice.config.learner.generation]).toEqual([0, 6000])
  })

  it('reads a run that another program finished while this one waited for its place', async () => {
    let leave = () => {}
    const left = new Promise<void>((resolve) => (leave = resolve))
    const train = async (folder: RunFolder) => {
      trained.push(basename(folder.path))
      await left
      writeRun(folder, RunFolder.open(folder.path).config, true)
    }
    const record = async (path: string) => void mkdirSync(path, { recursive: true })
    const waiting = bench({ workers: { train, record } })
    const both = Promise.all([waiting.train('a', {}, 0), waiting.train('b', {}, 0)])
    while (trained.length === 0) await sleep(1)
    await bench().train('b', {}, 0)
    leave()
    await both
    expect(trained.sort()).toEqual(['a-seed0', 'b-seed0'])
  })

  it('goes on with a run that was stopped before its final evaluation', async () => {
    finishes = false
    await expect(bench().train('a', {}, 0)).rejects.toThrow('ended without a final evaluation')
    finishes = true
    await bench().train('a', {}, 0)
    expect(trained).toEqual(['a-seed0', 'a-seed0'])
  })

  it('refuses a run of other settings and names the first', async () => {
    await bench().train('a', {}, 0)
    await expect(bench().train('a', { learner: { batch: 40 } }, 0)).rejects.toThrow(
      /a-seed0: has learner\.batch 32, this call asks for 40/,
    )
    const longer = bench({ options: { ...OPTIONS, robotMinutes: 2 } })
    await expect(longer.train('a', {}, 0)).rejects.toThrow('has online.robotMinutes 1, this call asks for 2')
    const one = bench()
    await Promise.all([
      one.train('b', {}, 0),
      expect(one.train('b', { talk: { window: 3 } }, 0)).rejects.toThrow('has talk.window 5, this call asks for 3'),
    ])
    expect(trained).toEqual(['a-seed0', 'b-seed0'])
  })

  it('records demonstrations once for all runs that would record the same', async () => {
    const one = bench({ jobs: 4 })
    const [a, b, c, d] = await Promise.all([
      one.train('a', {}, 0),
      one.train('b', { learner: { batch: 40 } }, 0),
      one.train('a', {}, 1),
      one.train('c', { demonstrations: { noise: 0.1 } }, 0),
    ])
    const of = ({ config }: typeof a) => config.demonstrations.path!
    expect(of(b)).toBe(of(a))
    expect(new Set([of(a), of(c), of(d)]).size).toBe(3)
    expect(recorded).toHaveLength(3)
    for (const path of [of(a), of(c), of(d)]) expect(existsSync(path)).toBe(true)
    await bench().train('d', {}, 0)
    expect(recorded).toHaveLength(3)
  })

  it('leaves a folder of demonstrations that the settings name alone', async () => {
    const { config } = await bench().train('a', { demonstrations: { path: 'mine' } }, 0)
    expect(config.demonstrations.path).toBe('mine')
    expect(recorded).toEqual([])
  })

  it('trains as many runs at a time as it has jobs, and each once', async () => {
    const one = bench({ jobs: 2 })
    const asked = [0, 1, 2, 3].flatMap((seed) => [one.train('a', {}, seed), one.train('a', {}, seed)])
    await Promise.all(asked)
    expect(most).toBe(2)
    expect(trained.toSorted()).toEqual(['a-seed0', 'a-seed1', 'a-seed2', 'a-seed3'])
  })

  it('begins no run once it was told to stop', async () => {
    const abort = new AbortController()
    const workers = {
      async train(folder: RunFolder) {
        trained.push(basename(folder.path))
        abort.abort() // while the first run is under way
      },
      record: async (path: string) => void mkdirSync(path, { recursive: true }),
    }
    const one = bench({ signal: abort.signal, workers })
    const asked = [0, 1].map((seed) => one.train('a', {}, seed))
    const results = await Promise.allSettled(asked)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    for (const result of results) expect((result as PromiseRejectedResult).reason.name).toBe('AbortError')
    expect(trained).toEqual(['a-seed0'])
  })

  it('tells whoever records demonstrations to stop, and leaves nothing of a recording that was cut off', async () => {
    const abort = new AbortController()
    const folders: string[] = []
    const one = bench({
      signal: abort.signal,
      workers: {
        train: () => Promise.reject(new Error('begun')),
        record: async (path, _config, _onProgress, signal) => {
          folders.push(path)
          mkdirSync(path, { recursive: true })
          abort.abort()
          signal.throwIfAborted()
        },
      },
    })
    await expect(one.train('a', {}, 0)).rejects.toThrow('aborted')
    expect(folders.map((folder) => existsSync(folder))).toEqual([false])
  })

  it('a failure ends one run and leaves its place to the next', async () => {
    const one = bench({
      workers: {
        async train(folder) {
          if (basename(folder.path) === 'a-seed0') throw new Error('out of memory')
          writeRun(folder, RunFolder.open(folder.path).config, true)
        },
        record: async (path) => void mkdirSync(path, { recursive: true }),
      },
    })
    const [failed, next] = await Promise.allSettled([one.train('a', {}, 0), one.train('a', {}, 1)])
    expect((failed as PromiseRejectedResult).reason.message).toBe('out of memory')
    expect(next).toMatchObject({ status: 'fulfilled', value: { summary: { seed: 1 } } })
    await one.settled()
  })

  it("works on another experiment's runs where it says so, and keeps its own values apart", async () => {
    await bench({ experiment: { name: 'first' } }).train('a', {}, 0)
    const second = bench({ experiment: { name: 'second', runsOf: 'first' } })
    const { folder } = await second.train('a', {}, 0)
    expect(trained).toEqual(['a-seed0'])
    expect(folder.path).toContain(join('experiments', 'tiny', 'first'))
    expect(second.path).toBe(join(runs, 'experiments', 'tiny', 'second'))
  })

  it('writes beside a run the command that makes it alone', async () => {
    const { folder } = await bench().train('a', { learner: { discount: 0.9 } }, 7)
    const command = readFileSync(join(folder.path, 'command.txt'), 'utf8')
    expect(command).toMatch(/^duet train --preset tiny /)
    for (const setting of ["--set 'seed=7'", "--set 'learner.discount=0.9'", "--set 'online.robotMinutes=1'"])
      expect(command).toContain(setting)
  })

  it('adds up the wall time of what was used, also of what was found', async () => {
    await bench().train('a', {}, 0)
    const one = bench()
    await one.train('a', {}, 0)
    await one.train('b', {}, 0)
    expect(one.wallMinutes).toBeCloseTo(20, 9) // each ended after 600 s
    expect([...one.used.keys()]).toEqual(['a', 'b'])
  })
})

describe('once', () => {
  it('makes a value once and reads it back', async () => {
    let made = 0
    const make = async () => ({ value: ++made })
    expect(await bench().once('v', make)).toEqual({ value: 1 })
    expect(await bench().once('v', make)).toEqual({ value: 1 })
  })

  it('refuses a value that other options made', async () => {
    await bench().once('v', async () => 1)
    const other = bench({ options: { ...OPTIONS, trials: 3 } })
    await expect(other.once('v', async () => 1)).rejects.toThrow('has trials 2, this call asks for 3')
  })

  it('keeps a value when more seeds are asked for', async () => {
    await bench().once('v-seed0', async () => 1)
    const more = bench({ options: { ...OPTIONS, seeds: [0, 1, 2] } })
    expect(await more.once('v-seed0', async () => 2)).toBe(1)
  })

  it('names a damaged file', async () => {
    const one = bench()
    writeFileSync(join(one.path, 'v.json'), '{')
    await expect(one.once('v', async () => 1)).rejects.toThrow('v.json: is not JSON')
  })

  it('keeps nothing of a value whose making failed', async () => {
    await expect(bench().once('v', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await bench().once('v', async () => 2)).toBe(2)
  })
})
