/** @file The runs in a folder, read for the console: their settings, metrics and episodes. Names from outside are looked up, never joined. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { InputError } from '../../errors.ts'
import { metricsSoFar } from '../../metrics/metrics.ts'
import type { Summary } from '../../metrics/summary.ts'
import { EpisodeIndex, type IndexedEpisode, readIndexed } from '../../replay/episode-index.ts'
import type { LoggedRobot } from '../../replay/log-header.ts'
import type { LoggedEpisode } from '../../replay/log-reader.ts'
import { recordedRate } from '../../review/recorded-rate.ts'
import type { Image, RobotSpec } from '../../robot/robot.ts'
import { describeRobot } from '../../robots/index.ts'
import type { RunConfig } from '../../run/config.ts'
import { RunFolder } from '../../run/folder.ts'
import type { EpisodeDetail, EpisodeEntry, RunDetail, RunEntry } from '../api.ts'
import { detailOf } from './episode-detail.ts'
import { camerasOf } from './pose.ts'
import { RECORDED } from './recording.ts'
import { type Library, loggedImage } from './requests.ts'

const EPISODES_KEPT = 4 // decoded; one that is scrubbed through is asked for once a frame

type Decoded = { robot: LoggedRobot; episode: LoggedEpisode; cell: string; config: RunConfig }
type Part = { folder: string; cell: string }

export class RunLibrary implements Library {
  private readonly indices = new Map<string, EpisodeIndex>() // by folder
  private readonly decoded = new Map<string, Promise<Decoded>>() // oldest first

  /** `runs`: folder of runs; null: only `live`. `live`: the run that goes on, or the one to show. */
  constructor(
    private readonly runs: string | null,
    private readonly live: { path: string; running: boolean } | null = null,
  ) {}

  list(): RunEntry[] {
    return [...this.folders()].map(([run, path]) => this.entry(run, path)).sort((a, b) => b.started - a.started)
  }

  run(run: string): RunDetail {
    const path = this.pathOf(run)
    const { folder, config } = RunFolder.open(path)
    return {
      ...this.entry(run, path),
      settings: config,
      metrics: metricsSoFar(folder.metrics),
      rate: recordedRate(folder) ?? null,
      parts: [...partsOf(folder, config).keys()],
    }
  }

  async episodes(run: string, part: string): Promise<EpisodeEntry[]> {
    const episodes = await this.index(this.partOf(run, part).folder)
    return episodes.map(({ start, end, length, operatorSteps, spokenSteps }) => ({
      episode: start.episode,
      task: start.task,
      seed: start.seed,
      ending: end.ending,
      length,
      operatorSteps,
      spokenSteps,
    }))
  }

  async episode(run: string, part: string, episode: number): Promise<EpisodeDetail> {
    const { robot, episode: logged, cell, config } = await this.decode(run, part, episode)
    const spec = knownAs(robot, config, cell)
    return detailOf(logged, spec, camerasOf(spec.cameras), config)
  }

  async image(run: string, part: string, episode: number, step: number, camera: string): Promise<Image> {
    return loggedImage((await this.decode(run, part, episode)).episode, step, camera)
  }

  /** Names and paths of all runs that may be looked at. */
  private folders(): Map<string, string> {
    const found = new Map<string, string>()
    if (this.runs !== null && existsSync(this.runs))
      for (const { name } of readdirSync(this.runs, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
        if (existsSync(new RunFolder(join(this.runs, name)).config)) found.set(name, join(this.runs, name))
    if (this.live && existsSync(new RunFolder(this.live.path).config))
      found.set(basename(this.live.path), this.live.path)
    return found
  }

  private pathOf(run: string): string {
    const path = this.folders().get(run)
    if (path === undefined) throw new InputError('console', `there is no run "${run}"`, 'GET /api/runs lists them')
    return path
  }

  private partOf(run: string, part: string): Part & { config: RunConfig } {
    const { folder, config } = RunFolder.open(this.pathOf(run))
    const found = partsOf(folder, config).get(part)
    if (!found) throw new InputError(`run ${run}`, `has no part "${part}"`, 'GET /api/runs/<run> lists them')
    return { ...found, config }
  }

  private entry(run: string, path: string): RunEntry {
    const folder = new RunFolder(path)
    const summary = summaryIn(folder)
    return {
      run,
      live: this.live?.running === true && this.live.path === path,
      finished: summary !== null,
      started: statSync(folder.config, { throwIfNoEntry: false })?.birthtimeMs ?? 0, // it may have been removed just now
      summary,
    }
  }

  private index(folder: string): Promise<IndexedEpisode[]> {
    const known = this.indices.get(folder) ?? new EpisodeIndex(folder)
    this.indices.set(folder, known)
    return known.look()
  }

  private async decode(run: string, part: string, number: number): Promise<Decoded> {
    const { folder, cell, config } = this.partOf(run, part)
    const indexed = (await this.index(folder)).find(({ start }) => start.episode === number)
    if (!indexed) throw new InputError(`run ${run}, ${part}`, `has no episode ${number}`, 'GET its episodes lists them')
    const key = `${indexed.file} ${indexed.offset} ${indexed.length} ${indexed.end.ending}`
    const decoding = this.decoded.get(key) ?? readIndexed(indexed).then((read) => ({ cell, config, ...read }))
    this.decoded.set(key, decoding)
    decoding.catch(() => this.decoded.delete(key)) // it is told to whoever asked, and tried again for the next
    const [oldest] = this.decoded.keys()
    if (this.decoded.size > EPISODES_KEPT) this.decoded.delete(oldest!)
    return decoding
  }
}

/** Null where there is none, and where it cannot be read: that hides neither the run nor the others. */
function summaryIn({ summary }: RunFolder): Summary | null {
  try {
    return JSON.parse(readFileSync(summary, 'utf8')) as Summary
  } catch {
    return null
  }
}

/** The robot that a log names, with what the run's settings know of it beside: where its cameras are, and its home. */
function knownAs(logged: LoggedRobot, { robot }: RunConfig, cell: string): LoggedRobot | RobotSpec {
  try {
    const spec = describeRobot(robot, cell)
    return spec.name === logged.name ? spec : logged
  } catch (error) {
    if (error instanceof InputError) return logged // its settings cannot be followed from here
    throw error
  }
}

/** The logs of a run: of its first robot under plain names, of a further one in cell B as "online@B". */
function partsOf(folder: RunFolder, { robot, demonstrations }: RunConfig): Map<string, Part> {
  const parts = new Map<string, Part>()
  const sources = {
    online: folder.log,
    demonstrations: demonstrations.path ?? folder.demonstrations,
    [RECORDED]: join(folder.path, RECORDED),
  }
  for (const [name, path] of Object.entries(sources))
    for (const [index, cell] of robot.cells.entries()) {
      const own = index === 0 ? path : join(path, cell)
      if (existsSync(own)) parts.set(index === 0 ? name : `${name}@${cell}`, { folder: own, cell })
    }
  return parts
}
