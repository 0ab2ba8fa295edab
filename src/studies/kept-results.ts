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

export class KeptResults {
  /** `folder`: of what is kept; `runs`: the one on this machine whose inside it mirrors. */
  constructor(
    private readonly folder: string,
    private readonly runs: string,
  ) {}

  /** What a finished run measured. */
  keepRun(run: RunFolder): void {
    const files = [run.command, run.history, run.metrics, run.config, run.summary] // the last two make it a finished one
    this.keep(run.path, files.filter(existsSync))
  }

  /** Writes the folder of a run as it was, but for policy and log. @returns whether it is kept. @throws InputError on damage */
  restoreRun(run: RunFolder): boolean {
    return this.restore(run.path, (name) => join(run.path, name))
  }

  keepValue(path: string): void {
    this.keep(path, [path])
  }

  /** As `restoreRun`. */
  restoreValue(path: string): boolean {
    return this.restore(path, () => path)
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
    const place = this.placeOf(path)
    if (!existsSync(place)) return false
    for (const [name, text] of Object.entries(parse(place).files)) {
      const file = named(name)
      mkdirSync(dirname(file), { recursive: true })
      writeWhole(file, text.replaceAll(RUNS, this.runs))
    }
    return true
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

function parse(place: string): z.infer<typeof Kept> {
  try {
    return Kept.parse(JSON.parse(gunzipSync(readFileSync(place)).toString()))
  } catch (cause) {
    const remedy = 'Take it from the repository again, or delete it to have it made anew'
    throw new InputError(place, 'is not what was kept', remedy, { cause })
  }
}
