/**
 * @file What was measured, kept in the repository: a reported run takes a quarter of an hour and more, and a table is to be
 * made again, or gone on with, on another machine. A policy is not among it, nor what each update said.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import type { RunFolder } from '../run/folder.ts'

const Kept = z.strictObject({
  processor: z.string(), // of the machine that kept it: others round otherwise
  files: z.record(z.string(), z.string()), // text by name, in the order in which they are written again
})

/** In place of the folder of all runs, where a setting or a command names something in it. */
const RUNS = '<runs>'

/** Nine tenths of what a run notes, and nothing that a table of methods reads. */
const OF_AN_UPDATE = /^\{"kind":"update"/
const OF_AN_EVALUATION = /^\{"kind":"evaluation"/

export class KeptResults {
  /** `folder`: of what is kept; `runs`: the one on this machine whose inside it mirrors. */
  constructor(
    private readonly folder: string,
    private readonly runs: string,
  ) {}

  /** What a finished run measured. @throws InputError if another run is kept under its name */
  keepRun(run: RunFolder): void {
    this.expectSameRun(run)
    const files = [run.command, run.history, run.metrics, run.summary, run.config] // without the last it is no run yet
    this.keep(run.path, files.filter(existsSync))
  }

  /** `path`: of a run or a value. */
  has(path: string): boolean {
    return existsSync(this.placeOf(path))
  }

  /** Writes the folder of a run as it was, but for policy and log. @returns whether it is kept. @throws InputError on damage */
  restoreRun(run: RunFolder): boolean {
    return this.restore(run.path, (name) => join(run.path, name))
  }

  /** @throws InputError if another value is kept under its name */
  keepValue(path: string): void {
    const kept = this.kept(path)?.files[basename(path)]?.replaceAll(RUNS, this.runs)
    if (kept !== undefined && valueIn(kept) !== valueIn(readFileSync(path, 'utf8'))) throw this.another(path)
    this.keep(path, [path])
  }

  /** As `restoreRun`. */
  restoreValue(path: string): boolean {
    return this.restore(path, () => path)
  }

  /**
   * What is kept was measured of one policy, some of it in other tables: a run that ended otherwise, on a processor that rounds
   * otherwise, say, is not that one. @throws InputError if such a run is kept under its name
   */
  private expectSameRun(run: RunFolder): void {
    const kept = this.kept(run.path)?.files[basename(run.metrics)]
    if (kept !== undefined && trialsIn(kept) !== trialsIn(readFileSync(run.metrics, 'utf8')))
      throw this.another(run.path)
  }

  /** Once: what is kept is not replaced. */
  private keep(path: string, files: readonly string[]): void {
    const place = this.placeOf(path)
    if (existsSync(place)) return
    const texts = files.map((file) => [basename(file), lasting(readFileSync(file, 'utf8')).replaceAll(this.runs, RUNS)])
    const kept: z.infer<typeof Kept> = {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      files: Object.fromEntries(texts),
    }
    mkdirSync(dirname(place), { recursive: true })
    writeWhole(place, gzipSync(JSON.stringify(kept)))
  }

  private restore(path: string, named: (name: string) => string): boolean {
    const kept = this.kept(path)
    if (!kept) return false
    for (const [name, text] of Object.entries(kept.files).sort(configLast)) {
      const file = named(name)
      mkdirSync(dirname(file), { recursive: true })
      writeWhole(file, text.replaceAll(RUNS, this.runs))
    }
    return true
  }

  private kept(path: string): z.infer<typeof Kept> | undefined {
    const place = this.placeOf(path)
    return existsSync(place) ? parse(place) : undefined
  }

  private another(path: string): InputError {
    const place = this.placeOf(path)
    const what = `is not what is kept of it in ${place}: other trials came of it`
    return new InputError(
      path,
      what,
      'Delete it, or that and all that was kept of its policy: one table shows one policy',
    )
  }

  private placeOf(path: string): string {
    return `${join(this.folder, relative(this.runs, path))}.gz`
  }
}

const lasting = (text: string) =>
  text
    .split('\n')
    .filter((line) => !OF_AN_UPDATE.test(line))
    .join('\n')

/** Of runs that were kept by earlier versions, too: a folder with a config is taken for a run, one that goes on where it has no summary. */
const configLast = ([a]: [string, unknown], [b]: [string, unknown]) =>
  Number(a === 'config.yaml') - Number(b === 'config.yaml')

/** What two runs of one policy have in common, whatever the clock said. */
const trialsIn = (metrics: string) =>
  metrics
    .split('\n')
    .filter((line) => OF_AN_EVALUATION.test(line))
    .map((line) => JSON.stringify(JSON.parse(line).tasks))
    .join('\n')

const valueIn = (text: string) => JSON.stringify(JSON.parse(text).value)

function parse(place: string): z.infer<typeof Kept> {
  try {
    return Kept.parse(JSON.parse(gunzipSync(readFileSync(place)).toString()))
  } catch (cause) {
    const remedy = 'Take it from the repository again, or delete it to have it made anew'
    throw new InputError(place, 'is not what was kept', remedy, { cause })
  }
}
