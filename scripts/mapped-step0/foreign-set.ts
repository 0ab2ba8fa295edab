/**
 * @file Demonstrations of our own log as somebody else might have written them: LeRobot 2.1, 20 frames a second, AV1 as LeRobot encodes
 * it, steps of the tool in metres and radians, a gripper that is 1 where it is open, and names that nobody here has.
 */
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startFfmpeg } from '../../src/ffmpeg.ts'
import { list, parquetBytes, scalar, whole } from '../../src/formats/lerobot/write/parquet.ts'
import { type LoggedEpisode, readEpisodes } from '../../src/replay/log-reader.ts'
import { GRIPPER_ENTRY } from '../../src/robot/gripper.ts'
import type { Image, RobotSpec } from '../../src/robot/robot.ts'

const DOUBLED = 2 // frames a step
const AV1 = ['-c:v', 'libsvtav1', '-preset', '12', '-crf', '30', '-g', '2', '-pix_fmt', 'yuv420p']

/** Theirs by ours. */
export const CAMERAS: Readonly<Record<string, string>> = { front: 'image', wrist: 'wrist_image' }
export const textOf = (instruction: string) => `Robot, ${instruction}!`

const digits = (value: number) => String(value).padStart(6, '0')

export async function writeForeignSet(log: string, spec: RobotSpec, folder: string): Promise<void> {
  const fps = DOUBLED * spec.rate
  const tasks = Object.values(spec.tasks).map(({ instruction }) => textOf(instruction))
  const described: object[] = []
  let frames = 0
  for (const episode of readEpisodes(log)) {
    const index = described.length
    const task = textOf(spec.tasks[episode.start.task]!.instruction)
    const length = DOUBLED * episode.steps.length
    put(
      folder,
      `data/chunk-000/episode_${digits(index)}.parquet`,
      rows(episode, spec, index, frames, tasks.indexOf(task)),
    )
    for (const [camera, feature] of Object.entries(CAMERAS)) {
      const seen = episode.steps.flatMap((_, t) => Array(DOUBLED).fill(episode.observations[t]!.images[camera]!))
      await encode(join(folder, `videos/chunk-000/${feature}/episode_${digits(index)}.mp4`), seen, fps)
    }
    described.push({ episode_index: index, tasks: [task], length })
    frames += length
  }
  const picture = (camera: string) => ({
    dtype: 'video',
    shape: [spec.cameras[camera]!.height, spec.cameras[camera]!.width, 3],
    names: ['height', 'width', 'rgb'],
  })
  const info = {
    codebase_version: 'v2.1',
    robot_type: 'arm',
    fps,
    total_episodes: described.length,
    total_frames: frames,
    total_tasks: tasks.length,
    chunks_size: 1000,
    data_path: 'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet',
    video_path: 'videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4',
    features: {
      state: { dtype: 'float32', shape: [spec.channels.length], names: null },
      actions: { dtype: 'float32', shape: [7], names: null },
      ...Object.fromEntries(Object.entries(CAMERAS).map(([camera, feature]) => [feature, picture(camera)])),
    },
  }
  put(folder, 'meta/info.json', JSON.stringify(info))
  put(folder, 'meta/tasks.jsonl', lines(tasks.map((task, task_index) => ({ task_index, task }))))
  put(folder, 'meta/episodes.jsonl', lines(described))
}

/** A step is two frames, each of half of it; between two observations the arm is half way. */
function rows(
  { steps, observations }: LoggedEpisode,
  { actionScale: { translation, rotation }, rate }: RobotSpec,
  episode: number,
  firstFrame: number,
  task: number,
): Uint8Array {
  const frames = steps.flatMap(({ action }, t) => {
    const told = Array.from(action, (value, i) => {
      if (i === GRIPPER_ENTRY) return value > 0 ? 0 : 1
      return (value * (i < 3 ? translation : rotation)) / DOUBLED
    })
    const [before, after] = [observations[t]!.proprio, observations[t + 1]!.proprio]
    const between = (share: number) => Array.from(before, (value, i) => value + share * (after[i]! - value))
    return Array.from({ length: DOUBLED }, (_, k) => ({ told, state: between(k / DOUBLED) }))
  })
  const numbers = (name: string, data: number[][]) => ({ schema: list(name, scalar('element', 'float32')), data })
  return parquetBytes([
    numbers(
      'state',
      frames.map(({ state }) => state),
    ),
    numbers(
      'actions',
      frames.map(({ told }) => told),
    ),
    { schema: scalar('timestamp', 'float32'), data: Float32Array.from(frames, (_, t) => t / (DOUBLED * rate)) },
    whole(
      'frame_index',
      frames.map((_, t) => t),
    ),
    whole(
      'episode_index',
      frames.map(() => episode),
    ),
    whole(
      'index',
      frames.map((_, t) => firstFrame + t),
    ),
    whole(
      'task_index',
      frames.map(() => task),
    ),
  ])
}

async function encode(file: string, images: readonly Image[], fps: number): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  const size = `${images[0]!.width}x${images[0]!.height}`
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', size, '-r', String(fps), '-i', '-']
  const { child, ended, lastLine } = startFfmpeg(file, ['-v', 'error', '-y', ...input, ...AV1, file])
  for (const { data } of images) if (!child.stdin.write(data)) await Promise.race([once(child.stdin, 'drain'), ended])
  child.stdin.end()
  if ((await ended) !== 0) throw new Error(`ffmpeg, ${file}: ${lastLine()}`)
}

function put(folder: string, name: string, content: string | Uint8Array): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
