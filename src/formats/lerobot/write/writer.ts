/**
 * @file Writes a LeRobotDataset 3.0, episode by episode. Files of an episode come first, under names that nobody has read before,
 * then the tables, and info.json last: what it counts is there. So a process killed at any moment leaves a set that opens.
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { moveInPlace, writeWhole } from '../../../durable.ts'
import { InputError, systemError } from '../../../errors.ts'
import type { LoggedEpisode } from '../../../replay/log-reader.ts'
import type { RobotSpec } from '../../../robot/robot.ts'
import type { Label } from '../../../talk/labels.ts'
import { INFO_FILE } from '../info.ts'
import { cardOf } from './card.ts'
import { cameraKey, type Features, featuresOf } from './features.ts'
import { findSet, type Kept, sweep } from './found.ts'
import { type FrameColumns, framesOf } from './frames.ts'
import { CHUNK, dataFile, episodesFile, infoOf, KEPT_FILE, STATS_FILE, TASKS_FILE, videoFile } from './layout.ts'
import { huggingFaceMetadata, parquetBytes, schemaOf, type TableColumn } from './parquet.ts'
import { jpegsOf, sizesOf } from './pictures.ts'
import { SetStatistics } from './set-statistics.ts'
import { type EpisodeRow, episodesTable, tasksTable } from './tables.ts'
import { writeVideo } from './video.ts'

/** An episode for a set. */
export type Taken = {
  robot: Pick<RobotSpec, 'name' | 'rate' | 'channels'>
  log: string // in which it was recorded
  task: string // in words
  episode: LoggedEpisode // of at least one step
  labels: readonly (Label | null)[] // one a step: what a correction stood for
}

/** What is known of a set once it has an episode, or is about to. */
type Opened = { robot: string; fps: number; features: Features; statistics: SetStatistics }

export class DatasetWriter {
  private opened: Opened | undefined
  private tasks: string[] = []
  private rows: EpisodeRow[] = []
  private readonly known = new Set<string>()
  private failure: unknown

  private constructor(
    readonly folder: string,
    private readonly video: boolean,
  ) {}

  /** A new set, or one of ours that goes on. `video`: pictures as mp4. @throws InputError if the folder holds anything else */
  static async open(folder: string, { video = false } = {}): Promise<DatasetWriter> {
    const writer = new DatasetWriter(folder, video)
    const found = await findSet(folder)
    if (!found) return writer
    const { robot, fps, features, levels, tasks, rows } = found
    const statistics = new SetStatistics(features, levels)
    sweep(folder, rows.length, videosOf(features))
    await statistics.readAll(folder, rows.length)
    writer.opened = { robot, fps, features, statistics }
    writer.tasks = tasks
    writer.rows = rows
    for (const row of rows) writer.known.add(keyOf(row))
    return writer
  }

  get episodes(): number {
    return this.rows.length
  }

  get frames(): number {
    return this.rows.reduce((sum, { length }) => sum + length, 0)
  }

  /** Whether it holds this episode of a log. */
  has(log: string, logged: number): boolean {
    return this.known.has(keyOf({ log, logged }))
  }

  /**
   * One more episode; those before it stay whatever becomes of it. @throws InputError if it is of another robot, or the disk
   * does not take it; after that nothing more is taken
   */
  async append(taken: Taken): Promise<void> {
    if (this.failure) throw this.failure
    try {
      const opened = this.openFor(taken)
      await this.commit(opened, taken)
    } catch (error) {
      this.failure = systemError(error, this.folder) ?? error
      if (this.opened) sweep(this.folder, this.rows.length, videosOf(this.opened.features))
      throw this.failure
    }
  }

  /** Writes the set's card. A set without it is whole, too. */
  close(): void {
    if (this.failure || !this.opened || this.rows.length === 0) return
    this.put('README.md', cardOf({ ...this.opened, tasks: this.tasks, rows: this.rows }))
  }

  /** @throws InputError where the set is of another robot, or of other pictures */
  private openFor({ robot, episode }: Taken): Opened {
    const features = featuresOf(robot, sizesOf(episode.observations[0]!), this.video)
    this.opened ??= this.begin({
      robot: robot.name,
      fps: robot.rate,
      features,
      statistics: new SetStatistics(features),
    })
    const { features: own, fps } = this.opened
    const differs = Object.keys({ ...own, ...features }).find((name) => json(own[name]) !== json(features[name]))
    if (differs !== undefined)
      throw new InputError(
        `${this.folder}, feature ${differs}`,
        `is ${json(own[differs])}, and that of ${robot.name} is ${json(features[differs])}`,
        'A set is of one robot and of one kind of pictures: choose another folder',
      )
    if (fps !== robot.rate)
      throw new InputError(
        this.folder,
        `has ${fps} frames a second, ${robot.name} ${robot.rate}`,
        'Choose another folder',
      )
    return this.opened
  }

  private begin(opened: Opened): Opened {
    this.put(KEPT_FILE, json(keptOf({ 0: opened.statistics })))
    return opened
  }

  private async commit({ robot, fps, features, statistics }: Opened, taken: Taken): Promise<void> {
    const { log, task, episode } = taken
    const { start, end, steps } = episode
    const index = this.rows.length
    const tasks = this.tasks.includes(task) ? this.tasks : [...this.tasks, task]
    const standing = { episode: index, firstFrame: this.frames, task: tasks.indexOf(task), rate: fps }
    const columns = framesOf(episode, taken.labels, standing)
    const videos = videosOf(features)
    this.put(dataFile(index), await this.dataBytes(features, columns, episode))
    for (const key of videos) await this.putVideo(key, index, episode, fps)
    if (tasks !== this.tasks) this.put(TASKS_FILE, tasksTable(tasks))
    const told = { source: start.source, ending: end.ending, judge: steps.at(-1)!.by }
    const rows = [...this.rows, { task, length: steps.length, log, logged: start.episode, ...told }]
    this.put(episodesFile(index), episodesTable(rows, index - (index % CHUNK), videos, fps))
    const before = statistics.levels
    await statistics.add(columns, episode)
    this.put(STATS_FILE, json(statistics.figures))
    this.put(KEPT_FILE, json(keptOf({ [index]: { levels: before }, [index + 1]: statistics })))
    const counted = { episodes: rows.length, frames: this.frames + steps.length, tasks: tasks.length }
    this.put(INFO_FILE, json(infoOf({ robot, fps, features, video: videos.length > 0 }, counted)))
    this.tasks = tasks
    this.rows = rows
    this.known.add(keyOf(rows.at(-1)!))
  }

  private async dataBytes(features: Features, columns: FrameColumns, episode: LoggedEpisode): Promise<Uint8Array> {
    const written: TableColumn[] = []
    for (const [name, feature] of Object.entries(features)) {
      if (feature.dtype === 'video') continue
      const schema = schemaOf(name, feature)
      const isPicture = feature.dtype === 'image'
      const data = isPicture ? await picturesOf(episode, name) : columnOf(columns, name, feature.dtype)
      written.push({ schema, data, plain: isPicture })
    }
    return parquetBytes(written, [huggingFaceMetadata(features)])
  }

  private async putVideo(key: string, index: number, episode: LoggedEpisode, fps: number): Promise<void> {
    const file = join(this.folder, videoFile(key, index))
    mkdirSync(dirname(file), { recursive: true })
    await writeVideo(`${file}.draft`, framesSeen(episode, key), fps)
    moveInPlace(`${file}.draft`, file)
  }

  private put(file: string, content: string | Uint8Array): void {
    const path = join(this.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeWhole(path, content)
  }
}

const json = (value: unknown) => JSON.stringify(value)

const keyOf = ({ log, logged }: Pick<EpisodeRow, 'log' | 'logged'>) => `${logged} of ${log}`

const videosOf = (features: Features) => Object.keys(features).filter((key) => features[key]!.dtype === 'video')

const keptOf = (statistics: Record<number, Pick<SetStatistics, 'levels'>>): Kept => ({
  format: 'duet-lerobot',
  version: 1,
  levels: Object.fromEntries(Object.entries(statistics).map(([episodes, { levels }]) => [episodes, levels])),
})

/** A camera's pictures, one a step, by the name of its feature. */
function framesSeen({ observations, steps }: LoggedEpisode, key: string) {
  const camera = Object.keys(observations[0]!.images).find((name) => cameraKey(name) === key)!
  return steps.map((_, t) => observations[t]!.images[camera]!)
}

const picturesOf = async (episode: LoggedEpisode, key: string) =>
  (await jpegsOf(framesSeen(episode, key))).map((bytes) => ({ bytes, path: null }))

/** As the Parquet writer takes them: rows as plain arrays, of one entry as numbers, whole numbers as BigInt. */
function columnOf({ vectors, scalars, texts, objects }: FrameColumns, name: string, dtype: string): readonly unknown[] {
  if (vectors[name]) return vectors[name].map((row) => (row.length === 1 ? row[0] : [...row]))
  const numbers = scalars[name]
  if (numbers) return dtype === 'int64' ? Array.from(numbers as readonly number[], BigInt) : [...numbers]
  return texts[name] ?? objects[name]!
}
