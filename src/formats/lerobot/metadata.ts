/** @file What a dataset's meta folder says of tasks and episodes, in the files of 2.x (JSON lines) and of 3.0 (parquet). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { parseJsonBytes } from '../json.ts'
import { isObject } from './info.ts'
import { numberOf, ParquetFile, type ParquetRow, textOf } from './parquet.ts'

/** Where an episode's frames lie in the files of 3.0. */
export type VideoPlace = { chunk: number; file: number; from: number; to: number | null } // s in that file

export type EpisodeMetadata = {
  episode: number
  length: number | null
  tasks: readonly string[]
  succeeded: boolean | null // where it says
  place: { chunk: number; file: number } | null // of its rows
  videos: Map<string, VideoPlace> // by feature
}

const REMEDY = 'Restore it from a copy of the dataset'

/** Task texts by index; none where there is no such file. @throws InputError */
export async function readTasks(folder: string): Promise<Map<number, string>> {
  const [lines, parquet] = [join(folder, 'meta/tasks.jsonl'), join(folder, 'meta/tasks.parquet')]
  const rows = existsSync(parquet) ? await tasksIn(parquet) : existsSync(lines) ? jsonLines(lines) : []
  const tasks = new Map<number, string>()
  for (const [at, row] of rows.entries()) {
    const text = textOf(row.task)
    if (text !== null) tasks.set(numberOf(row.task_index) ?? at, text)
  }
  return tasks
}

/** The text stands under `task`, under the name of an unnamed pandas index, or in the only other column. */
async function tasksIn(path: string): Promise<ParquetRow[]> {
  const file = await ParquetFile.open(path)
  const others = file.columns.filter((column) => column !== 'task_index')
  const column = ['task', '__index_level_0__'].find((known) => others.includes(known)) ?? others[0]
  if (column === undefined) throw new InputError(path, 'has no column with the texts of the tasks', REMEDY)
  const wanted = [column, ...(file.columns.includes('task_index') ? ['task_index'] : [])]
  return (await file.read(wanted)).map((row) => ({ task: row[column], task_index: row.task_index }))
}

/** Of every shard, in the order of their paths; none where there is no such file. @throws InputError */
export async function readEpisodeMetadata(folder: string): Promise<EpisodeMetadata[]> {
  const shards = parquetBelow(join(folder, 'meta/episodes'))
  const lines = join(folder, 'meta/episodes.jsonl')
  const rows: ParquetRow[] = []
  for (const shard of shards) {
    const file = await ParquetFile.open(shard)
    const columns = [...new Set(file.columns)].filter((column) => !column.startsWith('stats/'))
    for (const row of await file.read(columns)) rows.push(row) // too many to be arguments of one call
  }
  return (shards.length === 0 && existsSync(lines) ? jsonLines(lines) : rows).flatMap(metadataOf)
}

function metadataOf(row: ParquetRow): EpisodeMetadata[] {
  const episode = numberOf(row.episode_index)
  if (episode === null) return []
  const number = (...names: string[]) =>
    names.map((name) => numberOf(row[name])).find((found) => found !== null) ?? null
  const chunk = number('data/chunk_index', 'data_chunk_index')
  const file = number('data/file_index', 'data_file_index')
  const videos = new Map<string, VideoPlace>()
  for (const key of Object.keys(row)) {
    const feature = /^videos?\/(.+)\/file_index$/.exec(key)?.[1]
    if (feature === undefined) continue
    const prefix = key.slice(0, -'file_index'.length)
    const [place, start] = [number(key), number(`${prefix}from_timestamp`)]
    if (place === null) continue
    videos.set(feature, {
      chunk: number(`${prefix}chunk_index`) ?? 0,
      file: place,
      from: start ?? 0,
      to: number(`${prefix}to_timestamp`),
    })
  }
  const tasks = Array.isArray(row.tasks) ? row.tasks : [row.tasks]
  return [
    {
      episode,
      length: number('length'),
      tasks: tasks.map(textOf).filter((text) => text !== null),
      succeeded: successOf(row.episode_success ?? row.success),
      place: file === null ? null : { chunk: chunk ?? 0, file },
      videos,
    },
  ]
}

function successOf(told: unknown): boolean | null {
  const text = textOf(told)
  if (text !== null) return /^(success|succeeded|true|1)/i.test(text) ? true : text === '' ? null : false
  const number = numberOf(told)
  return number === null ? null : number > 0
}

/** Below a folder, whatever its depth, in the order of their paths. */
export function parquetBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .sort()
    .map((name) => join(folder, name))
}

function jsonLines(path: string): ParquetRow[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return []
    const value = parseJsonBytes(Buffer.from(line), `${path}:${at + 1}`, REMEDY)
    if (!isObject(value)) throw new InputError(`${path}:${at + 1}`, 'is no JSON object', REMEDY)
    return [value]
  })
}
