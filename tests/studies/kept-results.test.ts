import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { RunFolder } from '../../src/run/folder.ts'
import { version } from '../../src/run/version.ts'
import type { ExperimentOptions } from '../../src/studies/experiment.ts'
import type { WorkbenchParts } from '../../src/studies/workbench.ts'
import { anUpdate } from '../run/builders.ts'
import { aWorkbench, temporaryFolder, writeRun } from './fabricated.ts'

const root = temporaryFolder()
const OPTIONS: ExperimentOptions = { purpose: 'reporting', seeds: [15], trials: 2, robotMinutes: 1, overrides: {} }
let kept = ''
let trained: string[] = []
beforeEach(() => {
  kept = join(root, String(Math.random()))
  trained = []
})

const runOf = (machine: string, name: string) =>
  new RunFolder(join(`${kept}-${machine}`, 'experiments', 'reporting', 'tiny', 'fake', `${name}-seed12`))

/** `machine`: whose runs lie in a folder of their own, and which has nothing of another but what is kept. */
const bench = (machine: string, parts: Partial<WorkbenchParts> = {}) =>
  aWorkbench({
    options: OPTIONS,
    runs: join(kept, '..', `${basename(kept)}-${machine}`),
    kept,
    workers: {
      async train(folder) {
        trained.push(basename(folder.path))
        writeRun(folder, RunFolder.open(folder.path).config, true)
        appendFileSync(folder.metrics, `${JSON.stringify(anUpdate({}))}\n`)
      },
      record: async (path) => void mkdirSync(path, { recursive: true }),
    },
    ...parts,
  })

describe('a run that was kept', () => {
  it('is finished on another machine, with what it measured, and nothing is trained', async () => {
    const first = await bench('a').train('x', { learner: { discount: 0.9 } }, 12)
    const other = bench('b')
    const second = await other.train('x', { learner: { discount: 0.9 } }, 12)
    expect(trained).toEqual(['x-seed12'])
    expect(second.folder.path).not.toBe(first.folder.path)
    expect(second.summary).toEqual(first.summary)
    const evaluations = (run: typeof first) => readMetrics(run.folder.metrics).filter(({ kind }) => kind !== 'update')
    expect(evaluations(second)).toEqual(evaluations(first))
    expect(evaluations(first)).toHaveLength(readMetrics(first.folder.metrics).length - 1) // all but the update
    expect([...other.used.get('x')!.versions]).toHaveLength(1) // which the recipe is asked about
  })

  it('names no folder of the machine that made it', async () => {
    await bench('a').train('x', {}, 12)
    const [file] = readdirSync(join(kept, 'tiny', 'fake'))
    expect(file).toBe('x-seed12.gz')
    const text = gunzipSync(readFileSync(join(kept, 'tiny', 'fake', file!))).toString()
    expect(text).not.toContain(root)
    expect(text).toContain('<runs>/shared/demonstrations-')
    const { config } = await bench('b').train('x', {}, 12)
    expect(RunFolder.open(join(`${kept}-b`, 'experiments', 'reporting', 'tiny', 'fake', 'x-seed12')).config).toEqual(
      config,
    )
  })

  it('is refused where other settings are asked for, and a damaged one by its file', async () => {
    await bench('a').train('x', {}, 12)
    await expect(bench('b').train('x', { learner: { batch: 40 } }, 12)).rejects.toThrow('has learner.batch 32')
    writeFileSync(join(kept, 'tiny', 'fake', 'x-seed12.gz'), 'nothing')
    await expect(bench('c').train('x', {}, 12)).rejects.toThrow(/x-seed12\.gz: is not what was kept/)
    expect(trained).toEqual(['x-seed12'])
  })

  it('is trained once more where its policy is asked for, and only there', async () => {
    await bench('a').train('x', {}, 12)
    const other = bench('b')
    const found = await other.train('x', {}, 12)
    expect(trained).toEqual(['x-seed12'])
    const [whole, same] = await Promise.all([other.whole(found), other.whole(found)])
    expect(trained).toEqual(['x-seed12', 'x-seed12'])
    expect(whole.folder.latestCheckpoint()).toContain('step-600-update-9')
    expect(ofKind(readMetrics(whole.folder.metrics), 'update')).toHaveLength(1)
    expect(same).toBe(whole)
    await bench('b').whole(await bench('b').train('x', {}, 12)) // by another program: it is there
    expect(trained).toHaveLength(2)
  })

  it('is under way until its policy is there: who waits for the runs to settle waits for that', async () => {
    await bench('a').train('x', {}, 12)
    let finish = () => {}
    const train = async (folder: RunFolder) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      writeRun(folder, RunFolder.open(folder.path).config, true)
    }
    const other = bench('b', { workers: { train, record: async (path) => void mkdirSync(path, { recursive: true }) } })
    const whole = other.whole(await other.train('x', {}, 12))
    let settled = false
    const waiting = other.settled().then(() => {
      settled = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(settled).toBe(false)
    finish()
    await Promise.all([whole, waiting])
  })

  it('is not deleted where it cannot be made again: by a program that trains otherwise, or where nothing is kept', async () => {
    await bench('a').train('x', {}, 12)
    const { metrics } = runOf('b', 'x')
    const otherwise = bench('b', {
      mayMake: () => {
        throw new Error('trains otherwise')
      },
    })
    await expect(otherwise.whole(await otherwise.train('x', {}, 12))).rejects.toThrow('trains otherwise')
    rmSync(kept, { recursive: true })
    const alone = bench('b', { kept: undefined })
    await expect(alone.whole(await alone.train('x', {}, 12))).rejects.toThrow(/x-seed12: has no policy\. Delete it/)
    expect(existsSync(metrics)).toBe(true)
    expect(trained).toEqual(['x-seed12'])
  })

  it('is taken whole, or not yet, where its writing was cut off', async () => {
    await bench('a').train('x', {}, 12)
    const { summary } = runOf('b', 'x')
    mkdirSync(summary, { recursive: true }) // in the way of the file
    await expect(bench('b').train('x', {}, 12)).rejects.toThrow()
    rmSync(summary, { recursive: true })
    await bench('b').train('x', {}, 12)
    expect(trained).toEqual(['x-seed12'])
  })

  it('has the only policy that may come under its name: a run that ended otherwise is refused, with policy or without', async () => {
    await bench('a').train('x', {}, 12)
    await bench('a').once('of-x', async () => 'of that policy')
    const elsewhere = {
      async train(folder: RunFolder) {
        writeRun(folder, RunFolder.open(folder.path).config, true, 'fs')
      },
      record: async (path: string) => void mkdirSync(path, { recursive: true }),
    }
    const other = bench('b', { workers: elsewhere })
    const found = await other.train('x', {}, 12)
    await expect(other.whole(found)).rejects.toThrow(
      /x-seed12: is not what is kept of it in .*x-seed12\.gz.*one table shows one policy/s,
    )
    await expect(bench('b').train('x', {}, 12)).rejects.toThrow('is not what is kept of it')
    const alike = bench('c') // the same trials, whatever the clock said
    await expect(alike.whole(await alike.train('x', {}, 12))).resolves.toBeDefined()
  })

  it('does not take the place of one that goes on here', async () => {
    await bench('a').train('x', {}, 12)
    rmSync(new RunFolder(join(`${kept}-a`, 'experiments', 'reporting', 'tiny', 'fake', 'x-seed12')).summary)
    await bench('a').train('x', {}, 12)
    expect(trained).toEqual(['x-seed12', 'x-seed12'])
  })
})

describe('a program that trains otherwise', () => {
  const other = (machine: string) =>
    bench(machine, {
      mayMake: () => {
        throw new Error('trains otherwise')
      },
    })

  it('finds the runs and values that were kept, and makes none', async () => {
    await bench('a').train('x', {}, 12)
    await bench('a').once('v', async () => 1)
    expect((await other('b').train('x', {}, 12)).summary).toBeDefined()
    expect(await other('b').once('v', async () => 2)).toBe(1)
    await expect(other('b').train('y', {}, 12)).rejects.toThrow('trains otherwise')
    await expect(other('b').once('w', async () => 2)).rejects.toThrow('trains otherwise')
    expect(trained).toEqual(['x-seed12'])
  })

  it('does not go on with a run that was stopped', async () => {
    await bench('a').train('x', {}, 12)
    rmSync(kept, { recursive: true })
    rmSync(new RunFolder(join(`${kept}-a`, 'experiments', 'reporting', 'tiny', 'fake', 'x-seed12')).summary)
    await expect(other('a').train('x', {}, 12)).rejects.toThrow('trains otherwise')
    expect(trained).toEqual(['x-seed12'])
  })
})

describe('what another version made', () => {
  const by = (...versions: string[]): Partial<WorkbenchParts> => ({
    mayCount: (what, version) => {
      if (!versions.includes(version)) throw new Error(`${basename(what)} was made by ${version}`)
    },
  })
  const begunBy = (version: string) => writeFileSync(runOf('a', 'x').command, `duet train\n# version ${version}\n`)
  const unkept = { kept: undefined }

  it('is not kept as a run of the recipe: once deleted it is trained, and that one is kept', async () => {
    await bench('a', unkept).train('x', {}, 12)
    begunBy('older')
    await expect(bench('a', by('newer')).train('x', {}, 12)).rejects.toThrow('x-seed12 was made by older')
    expect(existsSync(kept)).toBe(false)
    begunBy('newer')
    await bench('a', by('newer')).train('x', {}, 12)
    expect(readdirSync(join(kept, 'tiny', 'fake'))).toEqual(['x-seed12.gz'])
  })

  it('is not gone on with', async () => {
    await bench('a', unkept).train('x', {}, 12)
    rmSync(runOf('a', 'x').summary)
    begunBy('older')
    await expect(bench('a', by('newer')).train('x', {}, 12)).rejects.toThrow('x-seed12 was made by older')
    writeFileSync(runOf('a', 'x').command, 'duet train\n')
    await expect(bench('a', by('newer')).train('x', {}, 12)).rejects.toThrow('does not say which version made it')
    expect(trained).toEqual(['x-seed12'])
  })

  it('is no value of a table, unless it was kept: nothing else was', async () => {
    await bench('a', unkept).once('v', async () => 1)
    await bench('a', by(version() ?? 'unknown')).once('w', async () => 1)
    await expect(bench('a', by('newer')).once('v', async () => 2)).rejects.toThrow('v.json was made by')
    expect(readdirSync(join(kept, 'tiny', 'fake'))).toEqual(['w.json.gz'])
    expect(await bench('b', by('newer')).once('w', async () => 2)).toBe(1)
    const file = join(bench('a').path, 'v.json')
    const { version: _, ...unsaid } = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify(unsaid))
    await expect(bench('a', by('newer')).once('v', async () => 2)).rejects.toThrow('does not say which version made it')
  })

  it('is no demonstration of a run that begins', async () => {
    const mine = version() ?? 'unknown'
    await bench('a', unkept).train('x', {}, 12)
    await expect(bench('a', by('newer')).train('y', {}, 12)).rejects.toThrow(/demonstrations-\w+ was made by/)
    await bench('a', by(mine)).train('y', {}, 12)
    expect(trained).toEqual(['x-seed12', 'y-seed12'])
  })
})

describe('a value that was kept', () => {
  it('is not mixed with another of its name', async () => {
    await bench('a').once('v', async () => ({ successes: 3 }))
    await bench('b', { kept: undefined }).once('v', async () => ({ successes: 4 }))
    await expect(bench('b').once('v', async () => 0)).rejects.toThrow(/v\.json: is not what is kept of it/)
    await bench('c', { kept: undefined }).once('v', async () => ({ successes: 3 }))
    expect(await bench('c').once('v', async () => 0)).toEqual({ successes: 3 }) // made in another time
  })

  it('is read on another machine', async () => {
    let made = 0
    const make = async () => ({ value: ++made })
    expect(await bench('a').once('v', make)).toEqual({ value: 1 })
    expect(await bench('b').once('v', make)).toEqual({ value: 1 })
  })
})

it('nothing is kept where nothing is to be', async () => {
  await bench('a', { kept: undefined }).train('x', {}, 12)
  await bench('a', { kept: undefined }).once('v', async () => 1)
  expect(existsSync(kept)).toBe(false)
})

it('lies where git follows it, or nobody else would ever find it', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const ignored = (path: string) =>
    spawnSync('git', ['check-ignore', '--no-index', '--quiet', path], { cwd: root }).status
  // 0: ignored, 1: followed; 128 where there is no repository
  expect([1, 128]).toContain(ignored('docs/results/runs/abc/regimes/standard-dual-seed17.gz'))
  expect([0, 128]).toContain(ignored('runs/quick/metrics.jsonl'))
})
