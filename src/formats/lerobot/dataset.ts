/**
 * @file A LeRobot dataset of 2.0, 2.1 or 3.0 in a folder. Opening reads what says where things are; rows, pictures and video are read
 * when they are asked for. The files decide what there is; where info.json or meta/episodes say otherwise, `oddities` has it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { InputError } from '../../errors.ts'
import { type Feature, INFO_FILE, parseInfo, type SetInfo } from './info.ts'
import { type EpisodeMetadata, parquetBelow, readEpisodeMetadata, readTasks } from './metadata.ts'
import { numberOf, ParquetFile } from './parquet.ts'

/** Rows of an episode in one file, from `from` to before `to`. */
export type RowSpan = { file: string; from: number; to: number }

export type SetEpisode = {
  episode: number // its index, which is a name and no place
  spans: readonly RowSpan[] // more than one where it is split over files
  metadata: EpisodeMetadata | null
}

const KEPT = 8 // tables of contents of parquet files

/** Rows that meta/episodes has and no file. */
export type MissingRows = { episode: number; file: string }

export const isLerobotSet = (folder: string): boolean => existsSync(join(folder, INFO_FILE))

export class LerobotDataset {
  /** @throws InputError if it is no dataset, of another version, or one of its files is damaged */
  static async open(folder: string): Promise<LerobotDataset> {
    const path = join(folder, INFO_FILE)
    if (!existsSync(path))
      throw new InputError(folder, `is no LeRobot dataset: ${INFO_FILE} is missing`, 'Give the folder above "meta"')
    const info = parseInfo(readFileSync(path), path)
    const metadata = new Map((await readEpisodeMetadata(folder)).map((one) => [one.episode, one]))
    const files = parquetBelow(join(folder, 'data'))
    if (files.length === 0)
      throw new InputError(join(folder, 'data'), 'holds no parquet file', 'Fetch the dataset again, with its data')
    const perEpisode = files.every((file) => EPISODE_FILE.test(basename(file)))
    const spans = perEpisode ? spansByName(files) : await spansByColumn(files)
    const { columns } = await ParquetFile.open(files[0]!)
    expectEachOnce(columns, files[0]!)
    return new LerobotDataset(folder, info, await readTasks(folder), files, perEpisode, spans, metadata, columns)
  }

  readonly episodes: readonly SetEpisode[] // in the order of their indices
  readonly missing: readonly MissingRows[]
  readonly features: ReadonlyMap<string, Feature> // those that can be read, by what the files hold
  readonly oddities: string[] = []
  private readonly opened = new Map<string, ParquetFile>() // the one that was asked for last comes last

  private constructor(
    readonly folder: string,
    readonly info: SetInfo,
    readonly tasks: ReadonlyMap<number, string>,
    readonly files: readonly string[],
    readonly filePerEpisode: boolean, // as 2.x has it
    spans: ReadonlyMap<number, RowSpan[]>,
    metadata: ReadonlyMap<number, EpisodeMetadata>,
    columns: readonly string[],
  ) {
    const found = [...spans.keys()].sort((a, b) => a - b)
    const unfinished = new Set(found.filter((episode) => this.isUnfinished(episode, metadata)))
    for (const episode of unfinished)
      this.oddities.push(`episode ${episode} was not written to its end: neither ${INFO_FILE} nor meta/episodes has it`)
    const indices = found.filter((episode) => !unfinished.has(episode))
    this.episodes = indices.map((episode) => ({
      episode,
      spans: spans.get(episode)!,
      metadata: metadata.get(episode) ?? null,
    }))
    this.missing = [...metadata.values()]
      .filter(({ episode }) => !spans.has(episode))
      .map(({ episode, place }) => ({ episode, file: this.expectedFile(episode, place) }))
    this.features = this.readable(columns)
    this.oddities.push(...this.contradictions(columns, metadata.size))
  }

  /** Rows are written first, so where a writer of 3.0 was killed they may be there of an episode that nothing else knows. */
  private isUnfinished(episode: number, metadata: ReadonlyMap<number, EpisodeMetadata>): boolean {
    const { episodes } = this.info.declared
    return (
      !this.filePerEpisode && metadata.size > 0 && !metadata.has(episode) && episodes !== null && episode >= episodes
    )
  }

  /** One of its parquet files; what is known of those that were asked for last is kept. @throws InputError if it is damaged */
  async file(path: string): Promise<ParquetFile> {
    const known = this.opened.get(path)
    const file = known ?? (await ParquetFile.open(path))
    expectEachOnce(file.columns, path)
    this.opened.delete(path)
    this.opened.set(path, file)
    if (this.opened.size > KEPT) this.opened.delete(this.opened.keys().next().value!)
    return file
  }

  /** As a person finds it: below the dataset's folder. */
  short(file: string): string {
    return relative(this.folder, file) || file
  }

  private expectedFile(episode: number, place: EpisodeMetadata['place']): string {
    const file = place
      ? `data/chunk-${digits(place.chunk, 3)}/file-${digits(place.file, 3)}.parquet`
      : this.filePerEpisode
        ? `data/chunk-${digits(Math.floor(episode / this.info.chunkSize), 3)}/episode_${digits(episode, 6)}.parquet`
        : 'data/chunk-*/file-*.parquet'
    return join(this.folder, file)
  }

  /** What is declared as video and lies in the parquet file is an image; what no file has stays, for whoever looks for it. */
  private readable(columns: readonly string[]): Map<string, Feature> {
    const features = new Map<string, Feature>()
    for (const feature of this.info.features.values()) {
      const inRows = columns.includes(feature.name)
      if (feature.kind === 'video' && inRows) features.set(feature.name, { ...feature, kind: 'image' })
      else if (feature.kind === 'image' && !inRows) features.set(feature.name, { ...feature, kind: 'video' })
      else if (feature.kind === 'number' && !inRows) continue
      else features.set(feature.name, feature)
    }
    for (const name of columns)
      if (!features.has(name)) features.set(name, { name, kind: 'number', dtype: '', shape: [], names: [] })
    return features
  }

  private contradictions(columns: readonly string[], described: number): string[] {
    const found: string[] = []
    const { declared, version, features } = this.info
    const held = this.episodes.length
    const layout = this.filePerEpisode ? '2.x' : '3.0'
    if (version === null) found.push(`${INFO_FILE} names no version; the files lie as in ${layout}`)
    else if (version.startsWith('2') !== this.filePerEpisode)
      found.push(`${INFO_FILE} says v${version}; the files lie as in ${layout}`)
    if (declared.episodes !== null && declared.episodes !== held)
      found.push(`${INFO_FILE} counts ${declared.episodes} episodes, the files hold ${held}`)
    if (described > 0 && described !== held)
      found.push(`meta/episodes lists ${described} episodes, the files hold ${held}`)
    if (declared.tasks !== null && this.tasks.size > 0 && declared.tasks !== this.tasks.size)
      found.push(`${INFO_FILE} counts ${declared.tasks} tasks, there are the texts of ${this.tasks.size}`)
    if (this.tasks.size === 0) found.push('there is no file with the texts of the tasks')
    const odd = this.episodes.findIndex(({ episode }, at) => episode !== at)
    if (odd >= 0)
      found.push(
        `episodes are not numbered from 0 on: the one at place ${odd} is episode ${this.episodes[odd]!.episode}`,
      )
    for (const { name, kind } of features.values())
      if (kind === 'number' && !columns.includes(name)) found.push(`feature "${name}" is declared, and no file has it`)
      else if (kind === 'depth') found.push(`feature "${name}" is depth, which is not read`)
    for (const name of columns)
      if (!features.has(name) && !ALWAYS.includes(name))
        found.push(`column "${name}" is in the files, and ${INFO_FILE} does not declare it`)
    for (const { episode, file } of this.missing.slice(0, 5))
      found.push(`${this.short(file)} is missing, with episode ${episode}`)
    if (this.missing.length > 5) found.push(`and the rows of ${this.missing.length - 5} further episodes`)
    return found
  }
}

const ALWAYS = ['timestamp', 'frame_index', 'episode_index', 'index', 'task_index'] // whether they are declared or not

const EPISODE_FILE = /^episode_(\d+)\.parquet$/

function spansByName(files: readonly string[]): Map<number, RowSpan[]> {
  const spans = new Map<number, RowSpan[]>()
  for (const file of files) {
    const episode = Number(EPISODE_FILE.exec(basename(file))![1])
    const other = spans.get(episode)?.[0]
    if (other)
      throw new InputError(file, `holds episode ${episode}, and so does ${other.file}`, 'Move one of them elsewhere')
    spans.set(episode, [{ file, from: 0, to: Number.POSITIVE_INFINITY }])
  }
  return spans
}

/** By the statistics of row groups that hold one episode, else by the column itself: row groups need not follow episodes. */
async function spansByColumn(files: readonly string[]): Promise<Map<number, RowSpan[]>> {
  const spans = new Map<number, RowSpan[]>()
  for (const path of files) {
    const file = await ParquetFile.open(path)
    if (file.rows === 0) continue
    if (!file.columns.includes('episode_index'))
      throw new InputError(path, 'has no column "episode_index"', 'Write it, or convert the dataset with LeRobot')
    let last: { episode: number; span: RowSpan } | null = null
    const take = (episode: number, from: number, to: number) => {
      if (last?.episode === episode) {
        last.span.to = to
        return
      }
      last = { episode, span: { file: path, from, to } }
      spans.set(episode, [...(spans.get(episode) ?? []), last.span])
    }
    for (const group of file.groups) {
      const { first, rows } = group
      const only = file.onlyValue(group, 'episode_index')
      if (only !== null) {
        take(only, first, first + rows)
        continue
      }
      for (const [at, row] of (await file.read(['episode_index'], first, first + rows)).entries()) {
        const episode = numberOf(row.episode_index)
        if (episode === null || !Number.isInteger(episode))
          throw new InputError(
            path,
            `column "episode_index" is ${String(row.episode_index)} in row ${first + at}`,
            RESTORE,
          )
        take(episode, first + at, first + at + 1)
      }
    }
  }
  return spans
}

const RESTORE = 'Restore the file from a copy of the dataset'

function expectEachOnce(columns: readonly string[], file: string): void {
  const twice = columns.find((name, at) => columns.indexOf(name) !== at)
  if (twice !== undefined) throw new InputError(file, `has two columns called "${twice}"`, 'Rename one of them')
}

export const digits = (value: number, count: number) => String(value).padStart(count, '0')
