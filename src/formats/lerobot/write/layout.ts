/** @file Where a LeRobotDataset 3.0 keeps what, as we write it: a data file an episode, so that a file is whole or not there. */
import { join } from 'node:path'
import type { Features } from './features.ts'

export const CODEBASE_VERSION = 'v3.0' // and the tag of a set on the Hub
export const CHUNK = 1000 // files a folder, at most

export const STATS_FILE = 'meta/stats.json'
export const TASKS_FILE = 'meta/tasks.parquet'
/** Ours: what goes on with a set needs to know, and no other reader looks at. */
export const KEPT_FILE = 'meta/duet.json'

const DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
const VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'

/** What info.json says. */
export const infoOf = (
  { robot, fps, features, video }: { robot: string; fps: number; features: Features; video: boolean },
  counted: { episodes: number; frames: number; tasks: number },
) => ({
  codebase_version: CODEBASE_VERSION,
  robot_type: robot,
  total_episodes: counted.episodes,
  total_frames: counted.frames,
  total_tasks: counted.tasks,
  chunks_size: CHUNK,
  data_files_size_in_mb: 100,
  video_files_size_in_mb: 200,
  fps,
  splits: { train: `0:${counted.episodes}` },
  data_path: DATA_PATH,
  video_path: video ? VIDEO_PATH : null,
  features,
})

export type Place = { chunk: number; file: number }

/** Of the n-th file of a kind. */
export const placeOf = (n: number): Place => ({ chunk: Math.floor(n / CHUNK), file: n % CHUNK })

const digits = (count: number) => String(count).padStart(3, '0')
const named = ({ chunk, file }: Place, ending: string) =>
  join(`chunk-${digits(chunk)}`, `file-${digits(file)}.${ending}`)

/** By the episode's index: one file each. */
export const dataFile = (episode: number) => join('data', named(placeOf(episode), 'parquet'))
export const videoFile = (key: string, episode: number) => join('videos', key, named(placeOf(episode), 'mp4'))

/** Rows of episodes are rewritten with every episode of their file, so a file does not grow without end. */
export const episodesPlace = (episode: number): Place => placeOf(Math.floor(episode / CHUNK))
export const episodesFile = (episode: number) => join('meta', 'episodes', named(episodesPlace(episode), 'parquet'))
