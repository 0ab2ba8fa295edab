/** @file A run is a folder: config, history, log, checkpoints, metrics, frames, report. Everything that is complete is moved into place by a rename. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { moveInPlace, writeWhole } from '../durable.ts'
import { InputError, systemError } from '../errors.ts'
import type { Rig } from '../robot/rig.ts'
import type { RunConfig } from './config.ts'
import { withoutGone } from './gone-settings.ts'
import { partNow, type RunPart, readHistory, writtenHistory } from './history.ts'
import { LOCK_FILE, lock } from './lock.ts'
import { parseConfig, readSettings } from './resolve.ts'

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
  /** What was made of demonstrations that lie where nothing can be kept beside them. */
  get encodings() {
    return join(this.path, 'encodings')
  }
  get metrics() {
    return join(this.path, 'metrics.jsonl')
  }
  /** Trials of an evaluation that goes on. */
  get trials() {
    return join(this.path, 'trials.jsonl')
  }
  /** The same of one that `duet eval` makes. */
  get trialsApart() {
    return join(this.path, 'trials-apart.jsonl')
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
  get command() {
    return join(this.path, 'command.txt')
  }
  get history() {
    return join(this.path, 'history.json')
  }
  get checkpoints() {
    return join(this.path, 'checkpoints')
  }

  /** A new folder with its resolved config and the command that made it. @throws InputError if a run is there already */
  static create(path: string, config: RunConfig, command?: string): RunFolder {
    RunFolder.expectFree(path)
    const folder = new RunFolder(path)
    const made = !existsSync(folder.path)
    const release = lock(folder.path) // of two starts under one name one is the first
    try {
      RunFolder.expectFree(path)
      folder.makeFolders()
      if (command) writeWhole(folder.command, `${command}\n`)
      writeWhole(folder.history, writtenHistory([partNow({ command })]))
      writeWhole(folder.config, stringify(config))
    } catch (error) {
      if (made) rmSync(folder.path, { recursive: true, force: true }) // half a run blocks its name
      throw systemError(error) ?? error
    } finally {
      release()
    }
    return folder
  }

  /** @throws InputError if a run is there already */
  static expectFree(path: string): void {
    if (existsSync(new RunFolder(path).config))
      throw new InputError(path, 'already holds a run', `Continue it with --resume ${path}, or give another --name`)
  }

  /** @throws InputError if there is no run, or its config is not of this version */
  static open(path: string): { folder: RunFolder; config: RunConfig } {
    const folder = new RunFolder(path)
    if (!existsSync(folder.config))
      throw new InputError(path, 'holds no run (config.yaml is missing)', 'Check the path')
    folder.parts() // of a format that this version knows
    const settings = readSettings(folder.config)
    if (Object.keys(settings).length === 0)
      throw new InputError(
        folder.config,
        'is empty',
        'Restore it from a copy; the report of the run shows its settings',
      )
    return { folder, config: parseConfig(folder.config, withoutGone(folder.config, settings)) }
  }

  /** Who worked on the run; nobody is known of one that an early version made. @throws InputError if it is of another format */
  parts(): RunPart[] {
    return existsSync(this.history) ? readHistory(this.history, readFileSync(this.history, 'utf8')) : []
  }

  /** The run goes on in a new part, with these settings from now on. */
  goOn(config: RunConfig, part: RunPart): void {
    if (part.changed?.length) writeWhole(this.config, stringify(config))
    writeWhole(this.history, writtenHistory([...this.parts(), part]))
  }

  /** Removes what a killed process had half written, and makes folders that a copy left out because they were empty. For its owner only. */
  sweep(): void {
    for (const directory of [this.path, this.checkpoints, ...foldersIn(this.log), ...foldersIn(this.demonstrations)])
      for (const name of namesIn(directory))
        if (name.startsWith('.draft-') || name.endsWith('.draft'))
          rmSync(join(directory, name), { recursive: true, force: true })
    this.makeFolders()
  }

  private makeFolders(): void {
    for (const directory of [this.checkpoints, this.frames]) mkdirSync(directory, { recursive: true })
  }

  /** Nothing was recorded in it, and nobody has it: there is nothing to go on from. */
  get isUnused(): boolean {
    const made = [this.metrics, this.log, this.demonstrations, this.encodings, this.trialsApart]
    return ![...made, join(this.path, LOCK_FILE)].some(existsSync) && namesIn(this.checkpoints).length === 0
  }

  /** Gives the name free again, where it is unused: a start failed. Files of others stay. */
  removeUnused(): void {
    if (!this.isUnused) return
    for (const file of [this.command, this.history, this.config]) rmSync(file, { force: true })
    for (const directory of [this.checkpoints, this.frames, this.path])
      if (existsSync(directory) && namesIn(directory).length === 0) rmdirSync(directory)
  }

  /**
   * Runs `write` on a hidden folder, then moves it into place: a kill leaves the earlier checkpoints whole. `write` answers
   * how many updates the checkpoint holds. Steps and updates name it; one of that name is the same and stays.
   */
  async saveCheckpoint(
    robotSteps: number,
    keep: number, // checkpoints, this one among them
    write: (directory: string) => Promise<number>,
  ): Promise<string> {
    for (const name of readdirSync(this.checkpoints).filter((name) => name.startsWith(DRAFT)))
      rmSync(join(this.checkpoints, name), { recursive: true, force: true }) // of a process that was killed
    const draft = join(this.checkpoints, `${DRAFT}step-${digits(robotSteps)}`)
    let updates: number
    try {
      mkdirSync(draft, { recursive: true })
      updates = await write(draft)
    } catch (error) {
      rmSync(draft, { recursive: true, force: true })
      throw systemError(error, draft) ?? error
    }
    const final = join(this.checkpoints, `step-${digits(robotSteps)}-update-${digits(updates)}`)
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

const namesIn = (directory: string) => (existsSync(directory) ? readdirSync(directory) : [])

/** A log folder and those of further cells in it. */
const foldersIn = (log: string) => [log, ...namesIn(log).map((cell) => join(log, cell))].filter(isDirectory)
const isDirectory = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const DRAFT = '.draft-'

const digits = (count: number) => String(count).padStart(8, '0')

/** Where a robot's part of a folder lies: the first one's in the folder itself, another's in a folder of its own in it. */
export const partOf = (folder: string, { rig, index }: { rig: Pick<Rig, 'cell'>; index: number }) =>
  index === 0 ? folder : join(folder, rig.cell)
