/** @file A look over a whole dataset: what its files hold, what contradicts, what its numbers range over, what its cameras saw. */
import { InputError } from '../../errors.ts'
import type { Image } from '../../robot/robot.ts'
import { contactSheet } from '../images.ts'
import type { LerobotDataset } from './dataset.ts'
import { fitPicture } from './fit-picture.ts'
import type { Feature } from './info.ts'
import { ParquetFile } from './parquet.ts'
import { isFile, pictures, videoPlace } from './pictures.ts'
import { type EpisodeRows, readRows } from './rows.ts'

/** `first`: where one that is not finite stands, for a person to look at. */
export type Range = { low: number; high: number; notFinite: number; first?: string }

export type FeatureLook = Pick<Feature, 'name' | 'kind' | 'dtype' | 'names'> & {
  shape: readonly number[] // by the files where they were read, else as declared
  ranges: Range[] // one an entry, over the episodes looked at; none of pictures
}

export type SetLook = {
  folder: string
  version: string | null
  robotType: string | null
  fps: number
  episodes: number
  frames: number
  tasks: string[]
  features: FeatureLook[]
  lookedAt: number // episodes whose numbers were read
  oddities: string[]
}

const MOST = 50 // episodes whose numbers are read, evenly over the set
const BUSY = 2 // ends of an episode that "next.done" may mark

export async function inspect(dataset: LerobotDataset, onShare?: (share: number) => void): Promise<SetLook> {
  const { info, episodes, features } = dataset
  const oddities = [...dataset.oddities]
  const frames = await countFrames(dataset, oddities)
  const numbers = [...features.values()].filter(({ kind }) => kind === 'number').map(({ name }) => name)
  const ranges = new Map<string, Range[]>()
  const chosen = evenly(episodes, MOST)
  let [dones, offClock, late] = [0, 0, 0]
  for (const [done, entry] of chosen.entries()) {
    onShare?.(done / chosen.length)
    try {
      const rows = await readRows(dataset, entry, numbers)
      for (const name of numbers) if (rows.columns.has(name)) widen(ranges, name, rows, dataset)
      dones += rows.columns.get('next.done')?.values.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) ?? 0
      const stamps = rows.columns.get('timestamp')?.values
      if (stamps && Math.abs(stamps[0]!) > 0.1 / info.fps) late++
      if (rows.time.some((time, frame) => Math.abs(time - frame / info.fps) > 0.1 / info.fps)) offClock++
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      oddities.push(error.message)
    }
  }
  if (dones > chosen.length)
    oddities.push(`"next.done" is true ${dones} times in ${chosen.length} episodes; their borders count`)
  if (dones > BUSY * chosen.length) oddities.push('"next.done" marks more than ends')
  if (late > 0)
    oddities.push(
      `"timestamp" does not begin at 0 in ${late} of ${chosen.length} episodes: frames are matched by their number`,
    )
  if (offClock > 0)
    oddities.push(
      `"timestamp" runs by a clock of its own in ${offClock} of ${chosen.length} episodes, not at ${info.fps} frames a second`,
    )
  oddities.push(...entriesOdd(features, ranges), ...missingVideos(dataset))
  return {
    folder: dataset.folder,
    version: info.version,
    robotType: info.robotType,
    fps: info.fps,
    episodes: episodes.length,
    frames,
    tasks: [...dataset.tasks.values()],
    features: [...features.values()].map(({ name, kind, dtype, names, shape }) => {
      const own = ranges.get(name)
      return { name, kind, dtype, names, shape: own ? [own.length] : shape, ranges: own ?? [] }
    }),
    lookedAt: chosen.length,
    oddities,
  }
}

/** By the tables of contents of the files; those of 3.0 are known since the dataset was opened. */
async function countFrames(dataset: LerobotDataset, oddities: string[]): Promise<number> {
  const { episodes, files, filePerEpisode, info, missing } = dataset
  const spans = filePerEpisode ? [] : episodes.flatMap((episode) => episode.spans)
  let frames = spans.reduce((sum, { from, to }) => sum + to - from, 0)
  for (const path of filePerEpisode ? files : []) {
    try {
      frames += (await ParquetFile.open(path)).rows
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      oddities.push(error.message)
    }
  }
  const { declared } = info
  if (declared.frames !== null && declared.frames !== frames)
    oddities.push(`meta/info.json counts ${declared.frames} frames, the files hold ${frames}`)
  const said = episodes.reduce((sum, { metadata }) => sum + (metadata?.length ?? 0), 0)
  if (episodes.every(({ metadata }) => metadata?.length != null) && said !== frames && missing.length === 0)
    oddities.push(`meta/episodes counts ${said} frames, the files hold ${frames}`)
  return frames
}

function widen(all: Map<string, Range[]>, name: string, rows: EpisodeRows, dataset: LerobotDataset): void {
  const { width, values } = rows.columns.get(name)!
  const ranges =
    all.get(name) ?? Array.from({ length: width }, (): Range => ({ low: Infinity, high: -Infinity, notFinite: 0 }))
  all.set(name, ranges)
  values.forEach((value, at) => {
    const range = ranges[at % width]
    if (!range) return
    if (!Number.isFinite(value)) {
      const frame = Math.floor(at / width)
      range.first ??= `frame ${frame} of episode ${rows.episode}, ${dataset.short(rows.fileOf(frame))}`
      range.notFinite++
    } else {
      range.low = Math.min(range.low, value)
      range.high = Math.max(range.high, value)
    }
  })
}

function entriesOdd(features: ReadonlyMap<string, Feature>, ranges: ReadonlyMap<string, Range[]>): string[] {
  return [...ranges].flatMap(([name, own]) => {
    const { shape, names } = features.get(name)!
    const declared = shape.reduce((product, length) => product * length, 1)
    const notFinite = own.reduce((sum, range) => sum + range.notFinite, 0)
    return [
      ...(shape.length > 0 && declared !== own.length
        ? [`"${name}" is declared with ${declared} numbers, the files hold ${own.length}`]
        : []),
      ...(names.length > 0 && names.length !== own.length
        ? [`"${name}" has ${own.length} numbers and ${names.length} names`]
        : []),
      ...(notFinite > 0 ? [`"${name}" holds ${notFinite} readings that are no numbers, ${firstOf(own)}`] : []),
    ]
  })
}

function firstOf(ranges: readonly Range[]): string {
  const entry = ranges.findIndex(({ first }) => first !== undefined)
  return `as entry ${entry} in ${ranges[entry]!.first}`
}

/** Each file once. */
function missingVideos(dataset: LerobotDataset): string[] {
  return [...dataset.features.values()].flatMap(({ name, kind }) => {
    if (kind !== 'video') return []
    const files = [...new Set(dataset.episodes.map((entry) => videoPlace(dataset, entry, name).file))]
    const missing = files.filter((file) => !isFile(file))
    if (missing.length === 0) return []
    const first = `${dataset.short(missing[0]!)} is missing`
    return [
      missing.length === 1
        ? `${first}: no pictures of ${name}`
        : `${first}, and ${missing.length - 1} more files of ${name}`,
    ]
  })
}

const SHEET = { episodes: 3, frames: 8, width: 160 }

/**
 * A row an episode and camera. `untold`: why a camera has no row. None where no camera has a picture.
 * @throws InputError never for a picture that cannot be read: it is among `untold`
 */
export async function contactSheetOf(
  dataset: LerobotDataset,
): Promise<{ png: Buffer | undefined; rows: string[]; untold: string[] }> {
  const [cells, rows, untold]: [Image[], string[], string[]] = [[], [], []]
  let height = 0
  for (const feature of dataset.features.values()) {
    if (feature.kind !== 'video' && feature.kind !== 'image') continue
    for (const entry of evenly(dataset.episodes, SHEET.episodes)) {
      try {
        const episode = await readRows(dataset, entry, [])
        const wanted = Array.from({ length: SHEET.frames }, (_, k) =>
          Math.round((k * (episode.frames - 1)) / (SHEET.frames - 1)),
        )
        const row: Image[] = []
        for await (const image of pictures(dataset, entry, episode, feature, wanted)) {
          height ||= Math.round((SHEET.width * image.height) / image.width)
          row.push(await fitPicture(image, { width: SHEET.width, height }, feature.name))
        }
        cells.push(...row)
        rows.push(`${feature.name}, episode ${entry.episode}`)
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        untold.push(error.message)
        break
      }
    }
  }
  return { png: cells.length > 0 ? contactSheet(cells, SHEET.frames) : undefined, rows, untold }
}

function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all]
  return Array.from({ length: most }, (_, k) => all[Math.round((k * (all.length - 1)) / (most - 1))]!)
}
