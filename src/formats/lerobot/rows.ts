/** @file The numbers of one episode, column by column, as the parquet files hold them. */
import { InputError } from '../../errors.ts'
import type { LerobotDataset, SetEpisode } from './dataset.ts'
import { numberOf, type ParquetFile } from './parquet.ts'

const RESTORE = 'Restore the file from a copy of the dataset, or leave the episode out'

/** [frames × width], frame after frame. */
export type NumberColumn = { width: number; values: Float64Array }

export type EpisodeRows = {
  episode: number
  frames: number
  columns: ReadonlyMap<string, NumberColumn>
  time: Float64Array // s from its first frame, by which it is resampled
  /** For messages: the file that a frame lies in. */
  fileOf(frame: number): string
  /** Its rows, for pictures that lie among them. */
  spans: readonly { file: ParquetFile; from: number; to: number }[]
}

/**
 * The columns of numbers that are asked for, of those that there are, and the frames' times. @throws InputError naming file, column and
 * episode if a column holds no numbers or rows of several widths, if frames come twice, or the files hold another number of frames than
 * the dataset says
 */
export async function readRows(
  dataset: LerobotDataset,
  entry: SetEpisode,
  wanted: readonly string[],
): Promise<EpisodeRows> {
  const { episode } = entry
  const spans: { file: ParquetFile; from: number; to: number }[] = []
  for (const { file: path, from, to } of entry.spans) {
    const file = await dataset.file(path)
    spans.push({ file, from, to: Math.min(to, file.rows) })
  }
  const frames = spans.reduce((sum, { from, to }) => sum + to - from, 0)
  const fileOf = (frame: number) => {
    let before = 0
    for (const { file, from, to } of spans) {
      if (frame < before + to - from) return file.path
      before += to - from
    }
    return spans.at(-1)!.file.path
  }
  const said = entry.metadata?.length ?? null
  if (frames === 0 || (said !== null && said !== frames))
    throw new InputError(
      fileOf(0),
      `holds ${frames} frames of episode ${episode}${said === null ? '' : `, meta/episodes says ${said}`}`,
      RESTORE,
    )
  const columns = new Map<string, NumberColumn>()
  const names = [...new Set([...wanted, 'timestamp', 'frame_index', 'episode_index'])]
  const parts = new Map<string, NumberColumn[]>(names.map((name) => [name, []]))
  for (const { file, from, to } of spans) {
    const held = names.filter((name) => file.columns.includes(name))
    const rows = await file.read(held, from, to)
    for (const name of held)
      parts.get(name)!.push(
        joined(
          rows.map((row) => row[name]),
          `${file.path}: column "${name}"`,
          episode,
        ),
      )
  }
  for (const [name, own] of parts) {
    if (own.length === 0) continue
    const { width } = own[0]!
    if (own.length !== spans.length || own.some((part) => part.width !== width))
      throw new InputError(fileOf(0), `column "${name}" of episode ${episode} differs between its files`, RESTORE)
    const values = new Float64Array(frames * width)
    own.reduce((at, part) => {
      values.set(part.values, at)
      return at + part.values.length
    }, 0)
    columns.set(name, { width, values })
  }
  expectOrder(columns, fileOf, episode)
  return { episode, frames, columns, spans, fileOf, time: timesOf(columns.get('timestamp'), frames, dataset.info.fps) }
}

function joined(cells: readonly unknown[], where: string, episode: number): NumberColumn {
  const width = flat(cells[0]).length
  const values = new Float64Array(cells.length * width)
  for (const [frame, cell] of cells.entries()) {
    const numbers = flat(cell)
    const at = numbers.indexOf(null)
    if (at >= 0 || width === 0)
      throw new InputError(where, `holds no number in frame ${frame} of episode ${episode}`, RESTORE)
    if (numbers.length !== width)
      throw new InputError(
        where,
        `has ${numbers.length} numbers in frame ${frame} of episode ${episode}, ${width} before`,
        RESTORE,
      )
    values.set(numbers as number[], frame * width)
  }
  return { width, values }
}

function flat(cell: unknown): (number | null)[] {
  if (Array.isArray(cell)) return cell.flatMap(flat)
  if (ArrayBuffer.isView(cell) && !(cell instanceof DataView)) return Array.from(cell as Float64Array, Number)
  return [numberOf(cell)]
}

/** Frames of one episode follow each other; a name that two episodes share shows here. */
function expectOrder(
  columns: ReadonlyMap<string, NumberColumn>,
  fileOf: (frame: number) => string,
  episode: number,
): void {
  const named = columns.get('episode_index')?.values
  const other = named?.find((value) => value !== episode)
  if (other !== undefined)
    throw new InputError(fileOf(0), `column "episode_index" is ${other} in the file of episode ${episode}`, RESTORE)
  const order = columns.get('frame_index')?.values
  const back = order?.findIndex((value, frame) => frame > 0 && !(value > order[frame - 1]!)) ?? -1
  if (back >= 0)
    throw new InputError(
      fileOf(back),
      `column "frame_index" of episode ${episode} goes from ${order![back - 1]} to ${order![back]}`,
      'Two episodes have one number, or rows come twice: number them anew',
    )
}

/** By the clock where it runs forward and says more than the count of frames, else by the count. */
function timesOf(stamps: NumberColumn | undefined, frames: number, fps: number): Float64Array {
  const counted = Float64Array.from({ length: frames }, (_, frame) => frame / fps)
  if (stamps?.width !== 1) return counted
  const told = stamps.values.map((value) => value - stamps.values[0]!)
  const forward = told.every((value, frame) => Number.isFinite(value) && (frame === 0 || value > told[frame - 1]!))
  const regular = told.every((value, frame) => Math.abs(value - counted[frame]!) < 0.1 / fps)
  return forward && !regular ? told : counted
}
