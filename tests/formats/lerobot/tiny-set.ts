/** @file Writes tiny LeRobot datasets, with whatever oddity a test is about. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ParquetWriteOptions, parquetWriteBuffer } from 'hyparquet-writer'

export const aFolder = () => mkdtempSync(join(tmpdir(), 'duet-lerobot-'))

export function put(folder: string, name: string, content: string | Uint8Array | object): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const isBytes = typeof content === 'string' || content instanceof Uint8Array
  writeFileSync(path, isBytes ? content : JSON.stringify(content))
}

type Cells = readonly unknown[]
type SchemaElement = NonNullable<ParquetWriteOptions['schema']>[number]

/** Columns in their order, one possibly twice; lists as lists, whole numbers as DOUBLE unless they are bigint. */
export function putParquet(
  folder: string,
  name: string,
  columns: readonly (readonly [string, Cells])[],
  rowGroupSize = 1000,
): void {
  const columnData = columns.map(([column, data]) => ({ name: column, data: data as unknown[] }))
  const schema: SchemaElement[] = [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap(([column, data]) => elementsOf(column, data[0])),
  ]
  put(folder, name, new Uint8Array(parquetWriteBuffer({ columnData, schema, rowGroupSize })))
}

function elementsOf(name: string, cell: unknown): SchemaElement[] {
  const repetition_type = 'OPTIONAL' as const
  if (Array.isArray(cell))
    return [
      { name, repetition_type, num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elementsOf('element', cell[0]),
    ]
  if (cell instanceof Uint8Array) return [{ name, repetition_type, type: 'BYTE_ARRAY' }]
  if (typeof cell === 'object' && cell !== null)
    return [
      { name, repetition_type, num_children: Object.keys(cell).length },
      ...Object.entries(cell).flatMap(([key, value]) => elementsOf(key, value)),
    ]
  if (typeof cell === 'string') return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' }]
  return [
    {
      name,
      repetition_type,
      type: typeof cell === 'bigint' ? 'INT64' : typeof cell === 'boolean' ? 'BOOLEAN' : 'DOUBLE',
    },
  ]
}

const number = (width: number, names: unknown = null) => ({ dtype: 'float32', shape: [width], names })

export const anInfo = (fields: object = {}, features: object = {}) => ({
  codebase_version: 'v3.0',
  fps: 10,
  robot_type: 'test arm',
  features: { action: number(7), 'observation.state': number(3), ...features },
  data_path: 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet',
  video_path: 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4',
  ...fields,
})

/** Rows of episodes one after the other: action[k] of frame t of episode e is e + t / 100 in its first entry, state [e, t, 0.05]. */
export function rowsOf(episodes: Readonly<Record<number, number>>, fps = 10): [string, Cells][] {
  const frames = Object.entries(episodes).flatMap(([episode, length]) =>
    Array.from({ length }, (_, t) => ({ episode: Number(episode), t })),
  )
  return [
    ['action', frames.map(({ episode, t }) => [episode / 10 + t / 100, 0, 0, 0, 0, 0, -1])],
    ['observation.state', frames.map(({ episode, t }) => [episode, t, 0.05])],
    ['timestamp', frames.map(({ t }) => t / fps)],
    ['frame_index', frames.map(({ t }) => BigInt(t))],
    ['episode_index', frames.map(({ episode }) => BigInt(episode))],
    ['index', frames.map((_, i) => BigInt(i))],
    ['task_index', frames.map(() => 0n)],
  ]
}

/** Episodes 0 and 1 of 5 and 4 frames in one file of 3.0; `info` and `features` change info.json. */
export function aTinySet(
  info: object = {},
  features: object = {},
  lengths: Readonly<Record<number, number>> = { 0: 5, 1: 4 },
): string {
  const folder = aFolder()
  put(folder, 'meta/info.json', anInfo(info, features))
  putParquet(folder, 'meta/tasks.parquet', [
    ['task_index', [0n]],
    ['task', ['place']],
  ])
  putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
    ['episode_index', Object.keys(lengths).map(BigInt)],
    ['length', Object.values(lengths).map(BigInt)],
  ])
  putParquet(folder, 'data/chunk-000/file-000.parquet', rowsOf(lengths))
  return folder
}

/** A video whose frame t is of one grey, `grey(t)`, by the ffmpeg on the PATH. */
export function putVideo(
  folder: string,
  name: string,
  greys: readonly number[],
  codec: readonly string[],
  fps = 10,
  side = 32,
): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const input = Buffer.concat(greys.map((grey) => Buffer.alloc(3 * side * side, grey)))
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${side}x${side}`, '-r', String(fps), '-i', 'pipe:0']
  const { status, stderr } = spawnSync('ffmpeg', ['-y', '-loglevel', 'error', ...raw, ...codec, path], { input })
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`)
}
