/** @file The tables of a set that are not frames: its tasks, and a row an episode. */

import { episodesPlace, type Place, placeOf } from './layout.ts'
import { list as listOf, pandasMetadata, parquetBytes, scalar, type TableColumn, text, whole } from './parquet.ts'

/** What a set says of one of its episodes. What begins with "duet/" says where it comes from, and how it ended. */
export type EpisodeRow = {
  task: string
  length: number // frames
  log: string // of the run, in which it was recorded
  logged: number // its number there
  source: string
  ending: string
  judge: string // of its last step
}

const seconds = (name: string, data: readonly number[]): TableColumn => ({ schema: scalar(name, 'float64'), data })

/** In the order of their indices: LeRobot finds a task by its row. */
export function tasksTable(tasks: readonly string[]): Uint8Array {
  const columns = [whole('task_index', [...tasks.keys()]), text('task', tasks)]
  const described = [
    { name: 'task_index', type: 'int64' },
    { name: 'task', type: 'string' },
  ] as const
  return parquetBytes(columns, [pandasMetadata('task', described)])
}

/**
 * Episodes `from` up to the last of `rows`, which has all from the first one on. `videos`: keys of the cameras whose frames are in
 * files of their own, one an episode.
 */
export function episodesTable(rows: readonly EpisodeRow[], from: number, videos: readonly string[], rate: number) {
  const own = rows.slice(from)
  const indices = own.map((_, k) => from + k)
  const firsts: number[] = []
  let frames = rows.slice(0, from).reduce((sum, { length }) => sum + length, 0)
  for (const { length } of own) {
    firsts.push(frames)
    frames += length
  }
  const at = (prefix: string, place: (episode: number) => Place) => [
    whole(
      `${prefix}/chunk_index`,
      indices.map((episode) => place(episode).chunk),
    ),
    whole(
      `${prefix}/file_index`,
      indices.map((episode) => place(episode).file),
    ),
  ]
  const task = listOf('tasks', scalar('element', 'string'))
  return parquetBytes([
    whole('episode_index', indices),
    { schema: task, data: own.map(({ task }) => [task]) },
    whole(
      'length',
      own.map(({ length }) => length),
    ),
    ...at('data', placeOf),
    whole('dataset_from_index', firsts),
    whole(
      'dataset_to_index',
      own.map(({ length }, k) => firsts[k]! + length),
    ),
    ...videos.flatMap((key) => [
      ...at(`videos/${key}`, placeOf),
      seconds(
        `videos/${key}/from_timestamp`,
        own.map(() => 0),
      ),
      seconds(
        `videos/${key}/to_timestamp`,
        own.map(({ length }) => length / rate),
      ),
    ]),
    ...at('meta/episodes', episodesPlace),
    text(
      'episode_success',
      own.map(({ ending }) => (ending === 'success' ? 'success' : 'failure')),
    ),
    text(
      'duet/log',
      own.map(({ log }) => log),
    ),
    whole(
      'duet/episode',
      own.map(({ logged }) => logged),
    ),
    text(
      'duet/source',
      own.map(({ source }) => source),
    ),
    text(
      'duet/ending',
      own.map(({ ending }) => ending),
    ),
    text(
      'duet/judge',
      own.map(({ judge }) => judge),
    ),
  ])
}
