/**
 * @file Opens a set as LeRobot does: info.json says how much there is, every shard of data is read in the order of its path, and
 * the first of its rows are the set. Written without the writer's code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { expect } from 'vitest'

type Row = Record<string, unknown>

const rowsOf = async (file: string) =>
  (await parquetReadObjects({ file: await asyncBufferFromFile(file), utf8: false })) as Row[]

async function shards(folder: string): Promise<Row[]> {
  const files = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.parquet'))
    .sort()
  const rows: Row[] = []
  for (const file of files) rows.push(...(await rowsOf(join(folder, file))))
  return rows
}

export const jsonOf = (file: string) => JSON.parse(readFileSync(file, 'utf8'))

/** Null where there is no set yet. Fails where LeRobot would, and where it would read something else than was recorded. */
export async function openSet(folder: string) {
  if (!existsSync(join(folder, 'meta/info.json'))) return null
  const info = jsonOf(join(folder, 'meta/info.json'))
  expect(info.codebase_version).toBe('v3.0')
  const tasks = await rowsOf(join(folder, 'meta/tasks.parquet'))
  const episodes = (await shards(join(folder, 'meta/episodes'))).slice(0, info.total_episodes)
  const frames = (await shards(join(folder, 'data'))).slice(0, info.total_frames)
  expect(episodes).toHaveLength(info.total_episodes)
  expect(frames.map(({ index }) => Number(index))).toEqual([...Array(info.total_frames).keys()])
  let first = 0
  for (const [e, episode] of episodes.entries()) {
    const length = Number(episode.length)
    expect([episode.episode_index, episode.dataset_from_index, episode.dataset_to_index].map(Number)).toEqual([
      e,
      first,
      first + length,
    ])
    const own = frames.slice(first, first + length)
    expect(own.map(({ episode_index }) => Number(episode_index))).toEqual(own.map(() => e))
    expect(own.map(({ frame_index }) => Number(frame_index))).toEqual([...own.keys()])
    expect(own.map(({ timestamp }) => timestamp)).toEqual([...own.keys()].map((t) => Math.fround(t / info.fps)))
    expect(own.map((row) => row['next.done'])).toEqual(own.map((_, t) => t === length - 1))
    for (const { task_index } of own) expect(tasks[Number(task_index)]!.task).toBe((episode.tasks as string[])[0])
    first += length
  }
  expect(first).toBe(info.total_frames)
  const columns = Object.keys(info.features).filter((name) => info.features[name].dtype !== 'video')
  for (const row of frames) expect(Object.keys(row).sort()).toEqual(columns.sort())
  return { info, episodes, frames, tasks }
}
