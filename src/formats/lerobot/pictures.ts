/** @file The pictures of an episode, camera by camera, read as they are gone through: out of the rows, out of files beside them, or out of a video. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { InputError } from '../../errors.ts'
import type { Image } from '../../robot/robot.ts'
import { LARGEST_POINTER, refusePointer } from '../lfs-pointer.ts'
import { digits, type LerobotDataset, type SetEpisode } from './dataset.ts'
import { framesFrom, frameTimes } from './ffmpeg.ts'
import type { Feature } from './info.ts'
import { bytesIn, textOf } from './parquet.ts'
import type { EpisodeRows } from './rows.ts'

const BLOCK = 64 // rows whose pictures are held at once
const FETCH = 'Fetch the file again'

/**
 * Of the frames `wanted`, which increase. Nothing is read before the first is asked for.
 * @throws InputError naming file, feature and episode where one is missing or cannot be decoded, or the video is too short
 */
export function pictures(
  dataset: LerobotDataset,
  entry: SetEpisode,
  rows: EpisodeRows,
  feature: Feature,
  wanted: readonly number[],
): AsyncGenerator<Image> {
  return feature.kind === 'image'
    ? fromRows(dataset, rows, feature.name, wanted)
    : fromVideo(dataset, entry, rows, feature.name, wanted)
}

async function* fromRows(dataset: LerobotDataset, rows: EpisodeRows, column: string, wanted: readonly number[]) {
  let before = 0
  for (const { file, from, to } of rows.spans) {
    const own = wanted.filter((frame) => frame >= before && frame < before + to - from)
    for (let next = 0; next < own.length; ) {
      const first = own[next]!
      const last = Math.min(before + to - from, first + BLOCK)
      const cells = await file.read([column], from + first - before, from + last - before)
      for (; next < own.length && own[next]! < last; next++) {
        const frame = own[next]!
        const where = `${file.path}: column "${column}", frame ${frame} of episode ${rows.episode}`
        yield await decoded(await bytesOf(dataset, cells[frame - first]![column], where), where)
      }
    }
    before += to - from
  }
}

/** Bare, or with a path beside it; a path alone is a file of the dataset. */
async function bytesOf(dataset: LerobotDataset, cell: unknown, where: string): Promise<Uint8Array> {
  if (cell instanceof Uint8Array) return cell
  const { bytes, path } = (cell ?? {}) as { bytes?: unknown; path?: unknown }
  if (bytes instanceof Uint8Array) return bytes
  const name = textOf(path)
  if (name === null || name === '') throw new InputError(where, 'holds no picture', FETCH)
  const file = join(dataset.folder, name)
  if (!existsSync(file))
    throw new InputError(where, `is in ${name}, which is missing`, 'Fetch the dataset with its pictures')
  return readFile(file)
}

async function decoded(bytes: Uint8Array, where: string): Promise<Image> {
  refusePointer(where, bytes)
  try {
    const picture = sharp(bytes, { failOn: 'error' })
    const { depth } = await picture.metadata()
    if (depth !== 'uchar')
      throw new InputError(where, `has pixels of type ${depth}, as depth has`, 'Leave the camera out')
    const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) }
  } catch (cause) {
    if (cause instanceof InputError) throw cause
    throw new InputError(where, `cannot be decoded (${(cause as Error).message.split('\n')[0]})`, FETCH, { cause })
  }
}

async function* fromVideo(
  dataset: LerobotDataset,
  entry: SetEpisode,
  rows: EpisodeRows,
  camera: string,
  wanted: readonly number[],
): AsyncGenerator<Image> {
  if (wanted.length === 0) return
  const { file, from, to } = await videoOf(dataset, entry, camera)
  const times = await timesOf(file)
  const frames = framesOf(times, rows, from, to, `${file}: ${camera}`)
  const first = frames[wanted[0]!]!
  const half = first === 0 ? 0 : (times[first]! - times[first - 1]!) / 2
  let at = first
  let next = 0
  for await (const image of framesFrom(file, first === 0 ? 0 : times[first]! - half)) {
    for (; next < wanted.length && frames[wanted[next]!] === at; next++) yield image
    if (next === wanted.length) return
    at++
  }
  throw new InputError(
    file,
    `${camera} of episode ${rows.episode} ends at frame ${at - first} of ${frames.at(-1)! - first + 1} when it is decoded`,
    FETCH,
  )
}

/**
 * Which frame of the file belongs to each row: one after the other from the episode's start, or by the clock where the file has more
 * frames than the episode rows, as one of another rate has.
 */
function framesOf(times: Float64Array, rows: EpisodeRows, from: number, to: number | null, where: string): Int32Array {
  const period = times.length > 1 ? (times.at(-1)! - times[0]!) / (times.length - 1) : 1
  const start = times.findIndex((time) => time - times[0]! >= from - period / 2)
  const end = to === null ? times.length : times.findIndex((time) => time - times[0]! >= to - period / 2)
  const held = start < 0 ? 0 : (end < 0 ? times.length : end) - start
  if (held < rows.frames)
    throw new InputError(where, `holds ${held} frames of episode ${rows.episode}, which has ${rows.frames} rows`, FETCH)
  const inOrder = Int32Array.from({ length: rows.frames }, (_, row) => start + row)
  if (held === rows.frames) return inOrder
  const byClock = Int32Array.from(rows.time, (time) => nearest(times, times[start]! + time))
  const fits = byClock.every((frame, row) => Math.abs(times[frame]! - times[start]! - rows.time[row]!) <= 0.75 * period)
  return fits ? byClock : inOrder
}

function nearest(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < time) low = middle + 1
    else high = middle
  }
  return low > 0 && time - times[low - 1]! <= times[low]! - time ? low - 1 : low
}

/** Those of the file that was asked for last: episodes of 3.0 share one. */
let known: { path: string; size: number; times: Float64Array } | undefined

async function timesOf(path: string): Promise<Float64Array> {
  const size = await bytesIn(path)
  if (known?.path !== path || known.size !== size) known = { path, size, times: await frameTimes(path) }
  return known.times
}

/** @throws InputError if it is missing, empty, or a Git LFS pointer */
async function videoOf(
  dataset: LerobotDataset,
  entry: SetEpisode,
  camera: string,
): Promise<{ file: string; from: number; to: number | null }> {
  const place = videoPlace(dataset, entry, camera)
  if (!isFile(place.file))
    throw new InputError(
      place.file,
      `is missing: it has ${camera} of episode ${entry.episode}`,
      'Fetch the dataset with its videos, or leave the camera out',
    )
  const handle = await open(place.file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LARGEST_POINTER), 0, LARGEST_POINTER, 0)
    if (bytesRead === 0) throw new InputError(place.file, 'is empty', FETCH)
    refusePointer(place.file, buffer.subarray(0, bytesRead), 'Run `git lfs pull` in the dataset')
  } finally {
    await handle.close()
  }
  return place
}

/** Not a folder either, which is all that `videoPlace` can name of an episode that nothing says the place of. */
export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false

/** Where a camera's video of an episode is to be found, there or not: by the template, else by what is on the disk. */
export function videoPlace(
  dataset: LerobotDataset,
  { episode, metadata }: SetEpisode,
  camera: string,
): { file: string; from: number; to: number | null } {
  const { folder, info, filePerEpisode, episodes } = dataset
  const chunk = Math.floor(episode / info.chunkSize)
  if (filePerEpisode) {
    const template = info.videoPath ?? 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4'
    const file = join(folder, filled(template, { episode_chunk: chunk, episode_index: episode, video_key: camera }))
    const found = existsSync(file) ? file : videosOf(dataset, camera).numbered.get(episode)?.[0]
    return { file: found ?? file, from: 0, to: null }
  }
  const said = metadata?.videos.get(camera)
  if (said) {
    const template = info.videoPath ?? 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
    const file = join(folder, filled(template, { chunk_index: said.chunk, file_index: said.file, video_key: camera }))
    const same = (one: string) => one.includes(`chunk-${digits(said.chunk, 3)}`)
    const found = existsSync(file) ? file : videosOf(dataset, camera).numbered.get(said.file)?.find(same)
    return { file: found ?? file, from: said.from, to: said.to }
  }
  const { files } = videosOf(dataset, camera)
  const place = episodes.findIndex((one) => one.episode === episode)
  const file = files.length === episodes.length ? files[place]! : join(folder, 'videos', camera)
  return { file, from: 0, to: null }
}

/** As Python's format fills it: `{name}` and `{name:03d}`. */
const filled = (template: string, values: Readonly<Record<string, string | number>>): string =>
  template.replace(/\{(\w+)(?::0?(\d+)d)?\}/g, (whole, name: string, width?: string) => {
    const value = values[name]
    return value === undefined ? whole : String(value).padStart(Number(width ?? 0), '0')
  })

const numberIn = (file: string) => Number(/(\d+)\.\w+$/.exec(basename(file))?.[1] ?? Number.NaN)

type Videos = { files: readonly string[]; numbered: ReadonlyMap<number, string[]> } // by the number at the end of the name

/** Of each dataset, by camera: a large one asks for tens of thousands of files. */
const looked = new WeakMap<LerobotDataset, Map<string, Videos>>()

/** Videos of a camera, wherever below `videos` they lie, in the order of their paths. The disk is looked over once. */
function videosOf(dataset: LerobotDataset, camera: string): Videos {
  const known = looked.get(dataset) ?? new Map<string, Videos>()
  looked.set(dataset, known)
  if (known.has(camera)) return known.get(camera)!
  const root = join(dataset.folder, 'videos')
  const names = existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : []
  const files = names
    .filter((name) => /\.(mp4|mkv|webm|avi|mov)$/.test(name) && name.split(/[/\\]/).includes(camera))
    .sort()
    .map((name) => join(root, name))
  const numbered = new Map<number, string[]>()
  for (const file of files) numbered.set(numberIn(file), [...(numbered.get(numberIn(file)) ?? []), file])
  const videos = { files, numbered }
  known.set(camera, videos)
  return videos
}
