/** @file What an experiment works with: its runs and values on disk, each made once, found again, or gone on with. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { moveInPlace, writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { readMetrics } from '../metrics/metrics.ts'
import { ofKind } from '../metrics/of-kind.ts'
import type { Summary } from '../metrics/summary.ts'
import { RunConfig } from '../run/config.ts'
import { differences, flatSettings } from '../run/differences.ts'
import { RunFolder } from '../run/folder.ts'
import { type PresetName, presets, USUAL_PRESET } from '../run/presets.ts'
import type { OnProgress } from '../run/progress.ts'
import { mergeSettings, parseConfig } from '../run/resolve.ts'
import { version } from '../run/version.ts'
import type { Experiment, ExperimentOptions, FinishedRun, Overrides, Regime, Workbench } from './experiment.ts'
import { KeptResults } from './kept-results.ts'
import { Places } from './places.ts'
import { PROTOCOL } from './protocol.ts'

/** Who does the work. Both go on where an earlier attempt stopped, and end early, resumable, once the signal is raised. */
export type Workers = {
  train(folder: RunFolder, onProgress: OnProgress, signal: AbortSignal): Promise<void>
  /** Records the demonstrations of a config into a folder that is not there yet. */
  record(path: string, config: RunConfig, onProgress: OnProgress, signal: AbortSignal): Promise<void>
}

export type WorkbenchParts = {
  experiment: Pick<Experiment, 'name' | 'runsOf'>
  options: ExperimentOptions
  preset: PresetName
  regime?: Regime // the one that was asked for
  methods?: readonly string[] // those that were asked for
  runs: string // folder of all runs
  kept?: string // folder in which outlasts them what they measured, if it is to
  jobs: number // runs that train at the same time
  workers: Workers
  signal: AbortSignal
  /** Throws where this program may make nothing: what was made before is found all the same. */
  mayMake?: () => void
  /** Throws where what that version made does not count; `what` names it. */
  mayCount?: (what: string, version: string) => void
  onProgress: (run: string, ...progress: Parameters<OnProgress>) => void
}

export class DiskWorkbench implements Workbench {
  readonly options: ExperimentOptions
  readonly regime?: Regime
  readonly methods?: readonly string[]
  readonly path: string
  /** Names of the runs that were asked for, with the settings in which they differ from the preset. */
  readonly used = new Map<string, { settings: Overrides; seeds: number[]; versions: Set<string> }>()
  private readonly seconds = new Map<string, number>() // wall time by run or value
  private readonly root: string
  private readonly places: Places
  private readonly kept?: KeptResults
  private readonly begun = new Map<string, Promise<FinishedRun>>()
  private readonly again = new Map<string, Promise<FinishedRun>>()
  private readonly recorded = new Map<string, Promise<void>>()

  constructor(private readonly parts: WorkbenchParts) {
    this.options = parts.options
    this.regime = parts.regime
    this.methods = parts.methods
    const reporting = parts.options.purpose === 'reporting' ? ['reporting'] : []
    const preset = parts.preset === USUAL_PRESET ? [] : [parts.preset]
    this.root = resolve(parts.runs, 'experiments', ...reporting, ...preset)
    if (parts.kept) this.kept = new KeptResults(join(parts.kept, ...preset), this.root)
    this.path = join(this.root, parts.experiment.name)
    this.places = new Places(parts.jobs)
    mkdirSync(this.path, { recursive: true })
  }

  /** Wall time of all runs and values used, one after the other, whenever they were made. */
  get wallMinutes(): number {
    return [...this.seconds.values()].reduce((sum, seconds) => sum + seconds, 0) / 60
  }

  train(name: string, overrides: Overrides, seed: number): Promise<FinishedRun> {
    const run = `${name}-seed${seed}`
    const config = this.configOf(run, overrides, seed)
    const running = this.begun.get(run) ?? this.trainOnce(run, config)
    this.begun.set(run, running)
    return running.then((finished) => {
      refuseOtherSettings(finished.folder.path, finished.config, config)
      this.note(name, finished, overrides, seed)
      return finished
    })
  }

  whole(run: FinishedRun): Promise<FinishedRun> {
    const { path } = run.folder
    const whole = this.again.get(path) ?? this.trainAgain(run)
    this.again.set(path, whole)
    return whole
  }

  async once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const path = join(this.path, `${name}.json`)
    const { seeds: _, purpose: __, ...options } = this.options // a value is of one seed, and each purpose has its folder
    const made = { preset: this.parts.preset, ...options }
    if (!existsSync(path) && !this.kept?.restoreValue(path)) {
      this.parts.signal.throwIfAborted()
      this.parts.mayMake?.()
      const since = performance.now()
      const value = await make()
      const seconds = (performance.now() - since) / 1000
      writeWhole(path, `${JSON.stringify({ options: made, version: version(), seconds, value })}\n`)
    }
    const kept = readValue<T>(path)
    refuseOtherSettings(path, kept.options, made)
    if (!this.kept?.has(path)) this.refuseOtherVersion(path, kept.version)
    this.kept?.keepValue(path)
    this.seconds.set(name, kept.seconds)
    return kept.value
  }

  /** Once no run is under way: one that failed does not end the others. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.begun.values(), ...this.again.values()])
  }

  progress(text: string): void {
    this.parts.onProgress(text, { stage: '', done: 0, total: 0 })
  }

  /** Preset, then regime, then budget, then what the experiment sets, then what its user sets. */
  private configOf(run: string, overrides: Overrides, seed: number): RunConfig {
    const { purpose, robotMinutes, trials, overrides: asked } = this.options
    const budget = { online: { robotMinutes }, evaluation: { trials, firstSeed: PROTOCOL[purpose].firstStart } }
    const below = [presets[this.parts.preset], this.regime?.settings, budget]
    const settings = mergeSettings(...below, overrides, asked, { seed })
    const config = parseConfig(`run ${run}`, settings)
    const path = config.demonstrations.path ?? this.demonstrationsOf(config)
    return { ...config, demonstrations: { ...config.demonstrations, path } }
  }

  /**
   * Runs that would record the same demonstrations share them: methods are compared on the same data. Only what differs from
   * the schema's defaults counts, so that a setting that a later version adds does not part runs from theirs.
   */
  private demonstrationsOf(config: RunConfig): string {
    const recorded = ({ demonstrations, tasks, robot, seed }: RunConfig) => ({ demonstrations, tasks, robot, seed })
    const changed = differences(recorded(RunConfig.parse({})), recorded(config))
    const settings = changed.map(({ name, second }) => `${name}=${JSON.stringify(second)}`).sort()
    const hash = createHash('sha256').update(settings.join('\n')).digest('hex')
    return join(this.root, 'shared', `demonstrations-${hash.slice(0, 12)}`)
  }

  private async trainOnce(run: string, config: RunConfig): Promise<FinishedRun> {
    const path = join(this.root, this.parts.experiment.runsOf ?? this.parts.experiment.name, run)
    const folder = new RunFolder(path)
    if (!existsSync(folder.config)) this.kept?.restoreRun(folder)
    return this.finish(folder, config)
  }

  private async trainAgain(run: FinishedRun): Promise<FinishedRun> {
    const { folder, config } = run
    if (folder.latestCheckpoint()) return run
    if (!this.kept?.has(folder.path))
      throw new InputError(folder.path, 'has no policy', 'Delete it to have it trained anew')
    this.parts.mayMake?.() // before anything is deleted
    rmSync(folder.path, { recursive: true })
    return this.finish(folder, config)
  }

  /** Begins with it, goes on with it, or finds it finished. */
  private async finish(folder: RunFolder, config: RunConfig): Promise<FinishedRun> {
    const { path } = folder
    this.refuseAnotherRun(folder, config)
    if (!isFinished(folder)) await this.places.hold(() => this.work(folder, config))
    this.parts.signal.throwIfAborted()
    if (!isFinished(folder))
      throw new InputError(path, 'ended without a final evaluation', 'Run the experiment again to go on with it')
    this.refuseAnotherRun(folder, config)
    this.kept?.keepRun(folder)
    return { folder, config, summary: JSON.parse(readFileSync(folder.summary, 'utf8')) as Summary }
  }

  /** While this run waited for its place, another program may have begun or finished it. */
  private async work(folder: RunFolder, config: RunConfig): Promise<void> {
    const { workers, signal, onProgress, mayMake } = this.parts
    signal.throwIfAborted()
    this.refuseAnotherRun(folder, config)
    if (isFinished(folder)) return
    mayMake?.()
    const show: OnProgress = (progress) => onProgress(basename(folder.path), progress)
    await this.ensureDemonstrations(config, show)
    if (!existsSync(folder.config)) RunFolder.create(folder.path, config, this.commandOf(config))
    await workers.train(folder, show, signal)
  }

  private async ensureDemonstrations(config: RunConfig, show: OnProgress): Promise<void> {
    const path = config.demonstrations.path!
    if (!path.startsWith(this.root)) return
    const recordedBy = `${path}.version`
    if (existsSync(path)) {
      if (existsSync(recordedBy)) this.refuseOtherVersion(path, readFileSync(recordedBy, 'utf8').trim())
      return // earlier versions did not say who recorded
    }
    const recording =
      this.recorded.get(path) ??
      recordWhole(path, async (draft) => {
        await this.parts.workers.record(draft, config, show, this.parts.signal)
        writeWhole(recordedBy, `${version() ?? 'unknown'}\n`)
      })
    this.recorded.set(path, recording)
    await recording
  }

  /** @throws InputError if a run of that name has other settings, or was begun by a version whose runs do not count */
  private refuseAnotherRun(folder: RunFolder, config: RunConfig): void {
    if (!existsSync(folder.config)) return
    refuseOtherSettings(folder.path, RunFolder.open(folder.path).config, config)
    this.refuseOtherVersion(folder.path, beganBy(folder))
  }

  private refuseOtherVersion(path: string, made: string | undefined): void {
    if (!this.parts.mayCount) return
    if (made === undefined)
      throw new InputError(path, 'does not say which version made it', 'Delete it to have it made anew')
    this.parts.mayCount(path, made)
  }

  /** What would make this run alone; and which version of the program began it. */
  private commandOf(config: RunConfig): string {
    const { preset } = this.parts
    const changed = differences(parseConfig(`preset ${preset}`, presets[preset]), config)
    const settings = changed.map(({ name, second }) => ` --set '${name}=${JSON.stringify(second)}'`)
    return `duet train --preset ${preset}${settings.join('')}\n# version ${version() ?? 'unknown'}`
  }

  private note(name: string, { folder, summary }: FinishedRun, settings: Overrides, seed: number): void {
    const entry = this.used.get(name) ?? {
      settings: flatSettings(mergeSettings(this.regime?.settings, settings)),
      seeds: [],
      versions: new Set<string>(),
    }
    if (!entry.seeds.includes(seed)) entry.seeds.push(seed)
    const began = beganBy(folder)
    if (began) entry.versions.add(began)
    this.used.set(name, entry)
    this.seconds.set(basename(folder.path), summary.wallMinutes * 60)
  }
}

/** A run that was stopped has a summary too, but no final evaluation. */
export function isFinished(folder: RunFolder): boolean {
  if (!existsSync(folder.summary)) return false
  return ofKind(readMetrics(folder.metrics), 'evaluation').at(-1)?.stage === 'final'
}

/** Under its name a recording is complete: two programs that record the same at once do no harm. */
async function recordWhole(path: string, record: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.draft-${process.pid}`
  rmSync(draft, { recursive: true, force: true })
  await record(draft).catch((error) => {
    rmSync(draft, { recursive: true, force: true })
    throw error
  })
  if (existsSync(path)) rmSync(draft, { recursive: true })
  else moveInPlace(draft, path)
}

/** The version that a workbench noted; undefined in a run of somebody else. */
function beganBy({ command }: RunFolder): string | undefined {
  return existsSync(command) ? readFileSync(command, 'utf8').match(/^# version (.*)$/m)?.[1] : undefined
}

/** Earlier versions did not say which of them made a value. */
function readValue<T>(path: string): { options: unknown; version?: string; seconds: number; value: T } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new InputError(path, 'is not JSON', 'Delete it to have it made anew', { cause })
  }
}

/** @throws InputError naming the first setting that differs */
function refuseOtherSettings(path: string, kept: unknown, wanted: unknown): void {
  const first = differences(kept, wanted)[0]
  if (!first) return
  const what = `has ${first.name} ${JSON.stringify(first.first)}, this call asks for ${JSON.stringify(first.second)}`
  throw new InputError(path, what, 'Ask for the same settings, give another --runs folder, or delete this one')
}
