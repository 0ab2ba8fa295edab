/** @file A run is a folder: config, log, checkpoints, metrics, frames, report. Everything that is complete is moved into place by a rename. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { moveInPlace, writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { parseConfig, type RunConfig } from './config.ts'

export class RunFolder {
  readonly path: string
  constructor(path: string) {
    this.path = resolve(path)
  }

  get log() {
    return join(this.path, 'log')
  }
  get demonstrations() {
    return join(this.path, 'demonstrations')
  }
  get metrics() {
    return join(this.path, 'metrics.jsonl')
  }
  get summary() {
    return join(this.path, 'summary.json')
  }
  get report() {
    return join(this.path, 'report.html')
  }
  get frames() {
    return join(this.path, 'frames')
  }
  get config() {
    return join(this.path, 'config.yaml')
  }
  get checkpoints() {
    return join(this.path, 'checkpoints')
  }

  /** A new folder with its resolved config and the command that made it. @throws InputError if a run is there already */
  static create(path: string, config: RunConfig, command?: string): RunFolder {
    const folder = new RunFolder(path)
    if (existsSync(folder.config))
      throw new InputError(path, 'already holds a run', `Continue it with --resume ${path}, or give another --name`)
    for (const directory of [folder.path, folder.checkpoints, folder.frames]) mkdirSync(directory, { recursive: true })
    if (command) writeWhole(join(folder.path, 'command.txt'), `${command}\n`)
    writeWhole(folder.config, stringify(config))
    return folder
  }

  /** @throws InputError if there is no run, or its config is not of this version */
  static open(path: string): { folder: RunFolder; config: RunConfig } {
    const folder = new RunFolder(path)
    if (!existsSync(folder.config))
      throw new InputError(path, 'holds no run (config.yaml is missing)', 'Check the path')
    return { folder, config: parseConfig(folder.config, parse(readFileSync(folder.config, 'utf8'))) }
  }

  /**
   * Runs `write` on a hidden folder, then moves it into place: a kill leaves the earlier checkpoints whole. Steps and
   * updates name a checkpoint; one of that name is the same and stays.
   */
  async saveCheckpoint(
    robotSteps: number,
    updates: number,
    keep: number, // checkpoints, this one among them
    write: (directory: string) => Promise<void>,
  ): Promise<string> {
    const name = `step-${digits(robotSteps)}-update-${digits(updates)}`
    const draft = join(this.checkpoints, `.draft-${name}`)
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { recursive: true })
    await write(draft)
    const final = join(this.checkpoints, name)
    if (existsSync(final)) rmSync(draft, { recursive: true })
    else moveInPlace(draft, final)
    for (const old of this.checkpointNames().slice(0, -keep))
      rmSync(join(this.checkpoints, old), { recursive: true, force: true })
    return final
  }

  /** The newest whole checkpoint, if any. */
  latestCheckpoint(): string | undefined {
    const newest = this.checkpointNames().at(-1)
    return newest && join(this.checkpoints, newest)
  }

  private checkpointNames(): string[] {
    if (!existsSync(this.checkpoints)) return []
    return readdirSync(this.checkpoints)
      .filter((name) => /^step-\d+-update-\d+$/.test(name))
      .sort()
  }
}

/** A checkpoint folder, given itself, or a run folder (its newest), or its `checkpoints` folder. @throws InputError */
export function findCheckpoint(path: string): { checkpoint: string; run: string } {
  const at = resolve(path)
  if (existsSync(join(at, 'policy.safetensors'))) return { checkpoint: at, run: resolve(at, '..', '..') }
  const run = basename(at) === 'checkpoints' ? resolve(at, '..') : at
  const newest = new RunFolder(run).latestCheckpoint()
  if (!newest)
    throw new InputError(path, 'holds no checkpoint', 'Give a run folder or one of its checkpoints/step-* folders')
  return { checkpoint: newest, run }
}

const digits = (count: number) => String(count).padStart(8, '0')
