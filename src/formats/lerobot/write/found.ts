/** @file A set that is there already, to be gone on with: what it holds, as far as its info.json says that it does. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { z } from 'zod'
import { InputError, systemError } from '../../../errors.ts'
import { readJson } from '../../json.ts'
import { INFO_FILE } from '../info.ts'
import type { Features } from './features.ts'
import { CHUNK, dataFile, episodesFile, KEPT_FILE, TASKS_FILE, videoFile } from './layout.ts'
import type { Levels } from './statistics.ts'
import type { EpisodeRow } from './tables.ts'

const REMEDY = 'Choose another folder, and export anew'

const count = z.int().min(0)
const KeptLevels = z.record(
  z.string(),
  z.object({ frames: count, counts: z.array(z.array(count).length(256)).length(3) }),
)
/** `levels`: of each camera's pictures, by the episodes that the set held; those before the last commit, and those after it. */
export const Kept = z.object({
  format: z.literal('duet-lerobot'),
  version: z.literal(1),
  levels: z.record(z.string(), KeptLevels),
})
export type Kept = z.infer<typeof Kept>

const Info = z.object({
  robot_type: z.string(),
  fps: z.number(),
  total_episodes: count,
  features: z.record(z.string(), z.unknown()),
})

export type FoundSet = {
  robot: string
  fps: number
  features: Features
  tasks: string[]
  rows: EpisodeRow[]
  levels: Record<string, Levels>
}

/** Undefined where there is nothing yet. @throws InputError where the folder is somebody else's, or a set of ours that is damaged */
export async function findSet(folder: string): Promise<FoundSet | undefined> {
  if (!existsSync(folder) || isEmpty(folder)) return undefined
  if (!existsSync(join(folder, KEPT_FILE))) throw strange(folder)
  const state = parsed(Kept, await readJson(join(folder, KEPT_FILE), REMEDY), join(folder, KEPT_FILE))
  if (!existsSync(join(folder, INFO_FILE))) return undefined // killed before its first episode
  const info = parsed(Info, await readJson(join(folder, INFO_FILE), REMEDY), join(folder, INFO_FILE))
  const episodes = info.total_episodes
  const levels = state.levels[episodes]
  if (!levels) throw new InputError(join(folder, KEPT_FILE), `knows nothing of ${episodes} episodes`, REMEDY)
  const tasks = (await rowsOf(join(folder, TASKS_FILE))).map(({ task }) => String(task))
  const rows: EpisodeRow[] = []
  for (let from = 0; from < episodes; from += CHUNK)
    rows.push(...(await rowsOf(join(folder, episodesFile(from)))).slice(0, episodes - from).map(episodeRow))
  return { robot: info.robot_type, fps: info.fps, features: info.features as Features, tasks, rows, levels }
}

const episodeRow = (row: Record<string, unknown>): EpisodeRow => ({
  task: String((row.tasks as unknown[])[0]),
  length: Number(row.length),
  log: String(row['duet/log']),
  logged: Number(row['duet/episode']),
  source: String(row['duet/source']),
  ending: String(row['duet/ending']),
  judge: String(row['duet/judge']),
})

/** Removes files of an episode that was on its way when the process died. */
export function sweep(folder: string, episodes: number, videos: readonly string[]): void {
  rmSync(join(folder, dataFile(episodes)), { force: true })
  for (const key of videos) rmSync(join(folder, videoFile(key, episodes)), { force: true })
  if (episodes % CHUNK === 0) rmSync(join(folder, episodesFile(episodes)), { force: true })
}

/** Rows of a Parquet file of ours, some columns or all. @throws InputError naming the file, if it is missing or damaged */
export async function rowsOf(file: string, columns?: string[]): Promise<Record<string, unknown>[]> {
  try {
    return (await parquetReadObjects({ file: await asyncBufferFromFile(file), columns })) as Record<string, unknown>[]
  } catch (cause) {
    throw (
      systemError(cause, file) ??
      new InputError(file, `cannot be read (${(cause as Error).message})`, REMEDY, { cause })
    )
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new InputError(`${file}, ${issue!.path.join('.')}`, issue!.message, REMEDY)
}

const strange = (folder: string) =>
  existsSync(join(folder, INFO_FILE))
    ? new InputError(folder, 'holds a dataset that this program did not write', 'Choose another folder for the export')
    : new InputError(folder, 'is there already, and is no dataset', 'Choose another folder for the export')

/** Whether a folder has no file in it, however deep, but for the lock of whoever writes, and drafts. */
function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true }).every(
      (entry) => entry.isDirectory() || /^process\.lock|\.draft$/.test(entry.name),
    )
  } catch (error) {
    throw systemError(error, folder) ?? error
  }
}
