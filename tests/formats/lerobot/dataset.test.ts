import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import { readRows } from '../../../src/formats/lerobot/rows.ts'
import { aFolder, anInfo, aTinySet, put, putParquet, rowsOf } from './tiny-set.ts'

const DATA = 'data/chunk-000/file-000.parquet'
const held = async (folder: string) => {
  const dataset = await LerobotDataset.open(folder)
  const frames: Record<number, number> = {}
  for (const entry of dataset.episodes) frames[entry.episode] = (await readRows(dataset, entry, ['action'])).frames
  return { dataset, frames }
}

describe('a LeRobot dataset', () => {
  it('counts what its files hold, and says where info.json says otherwise', async () => {
    const { dataset, frames } = await held(aTinySet({ total_episodes: 105, total_tasks: 2 }))
    expect(frames).toEqual({ 0: 5, 1: 4 })
    expect(dataset.oddities).toEqual([
      'meta/info.json counts 105 episodes, the files hold 2',
      'meta/info.json counts 2 tasks, there are the texts of 1',
    ])
  })

  it('leaves out an episode that was not written to its end: of 3.0, and in neither info.json nor meta/episodes', async () => {
    const folder = aTinySet({ total_episodes: 2 })
    putParquet(folder, DATA, rowsOf({ 0: 5, 1: 4, 2: 3 }))
    const { dataset, frames } = await held(folder)
    expect(frames).toEqual({ 0: 5, 1: 4 })
    expect(dataset.oddities).toEqual([
      'episode 2 was not written to its end: neither meta/info.json nor meta/episodes has it',
    ])
    put(folder, 'meta/info.json', anInfo({ total_episodes: 3 })) // a shard of meta/episodes may be missing
    expect((await held(folder)).frames).toEqual({ 0: 5, 1: 4, 2: 3 })
  })

  it('finds episodes in all shards, also one that is split over two, and row groups that do not follow them', async () => {
    const folder = aTinySet({}, {}, { 0: 5, 3: 9 })
    const rows = rowsOf({ 0: 5, 3: 9 })
    const part = (from: number, to: number) => rows.map(([name, cells]) => [name, cells.slice(from, to)] as const)
    putParquet(folder, DATA, part(0, 8), 3)
    putParquet(folder, 'data/chunk-001/file-000.parquet', part(8, 14), 4)
    const { dataset, frames } = await held(folder)
    expect(frames).toEqual({ 0: 5, 3: 9 })
    const last = await readRows(dataset, dataset.episodes[1]!, ['observation.state'])
    const state = last.columns.get('observation.state')!
    expect(Array.from(state.values.filter((_, i) => i % 3 === 1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect([last.fileOf(2), last.fileOf(3)].map((file) => dataset.short(file))).toEqual([
      DATA,
      'data/chunk-001/file-000.parquet',
    ])
  })

  it('reads 2.x by what is on the disk where the template leads nowhere, and takes an index for a name', async () => {
    const folder = aFolder()
    put(
      folder,
      'meta/info.json',
      anInfo({
        codebase_version: 'v2.1',
        data_path: 'data/chunk-{episode_index:03d}/episode_{episode_index:06d}.parquet',
      }),
    )
    put(folder, 'meta/episodes.jsonl', '{"episode_index": 29, "length": 6, "tasks": ["pick"]}\n')
    put(folder, 'meta/tasks.jsonl', '{"task_index": 4, "task": "pick"}\n')
    putParquet(folder, 'data/chunk-000/episode_000029.parquet', rowsOf({ 29: 6 }))
    const { dataset, frames } = await held(folder)
    expect(frames).toEqual({ 29: 6 })
    expect(dataset.tasks).toEqual(new Map([[4, 'pick']]))
    expect(dataset.oddities).toEqual(['episodes are not numbered from 0 on: the one at place 0 is episode 29'])
  })

  it.each(['task', '__index_level_0__', 'any_name'])('finds the texts of tasks under %s', async (name) => {
    const folder = aTinySet()
    putParquet(folder, 'meta/tasks.parquet', [
      [name, ['wipe']],
      ['task_index', [1]],
    ])
    expect((await LerobotDataset.open(folder)).tasks).toEqual(new Map([[1, 'wipe']]))
  })

  it.each([
    [null, []],
    [
      ['x', 'y'],
      ['x', 'y'],
    ],
    [[['x', 'y']], ['x', 'y']],
    [{ motors: ['x', 'y'] }, ['x', 'y']],
    [{ x: 0, y: 1 }, ['x', 'y']],
  ])('takes names as %j', async (names, wanted) => {
    const folder = aTinySet({}, { action: { dtype: 'float32', shape: [2], names } })
    expect((await LerobotDataset.open(folder)).features.get('action')!.names).toEqual(wanted)
  })

  it('takes numbers of any type, a scalar for one of shape [1], and does without tasks and meta/episodes', async () => {
    const folder = aFolder()
    put(folder, 'meta/info.json', anInfo())
    putParquet(folder, DATA, [
      ['action', [0.5, 1]],
      ['episode_index', [0, 0]],
      ['next.done', [false, true]],
    ])
    const { dataset } = await held(folder)
    const rows = await readRows(dataset, dataset.episodes[0]!, ['action', 'next.done'])
    expect(rows.columns.get('action')).toEqual({ width: 1, values: Float64Array.of(0.5, 1) })
    expect(rows.columns.get('next.done')!.values).toEqual(Float64Array.of(0, 1))
    expect(dataset.oddities).toContain('there is no file with the texts of the tasks')
    expect(dataset.oddities).toContain('feature "observation.state" is declared, and no file has it')
  })

  it('goes by the count of frames where the clock says the same, and by the clock where it says more', async () => {
    const folder = aTinySet()
    const stamped = (stamps: readonly number[]) =>
      putParquet(
        folder,
        DATA,
        rowsOf({ 0: 5, 1: 4 }).map(([name, cells]) => [name, name === 'timestamp' ? stamps : cells] as const),
      )
    const times = async () => {
      const dataset = await LerobotDataset.open(folder)
      return Array.from((await readRows(dataset, dataset.episodes[1]!, [])).time, (time) => Number(time.toFixed(6)))
    }
    stamped([0, 0, 0, 0, 0, 0.05, 0.14999995, 0.25, 0.35])
    expect(await times()).toEqual([0, 0.1, 0.2, 0.3])
    stamped([0, 0, 0, 0, 0, 3, 3.15, 3.2, 3.4])
    expect(await times()).toEqual([0, 0.15, 0.2, 0.4])
  })
})

describe('a damaged LeRobot dataset is refused with file, column and episode:', () => {
  const refusal = async (spoil: (folder: string) => void) => {
    const folder = aTinySet()
    spoil(folder)
    return held(folder).then(
      () => 'was read',
      (error: Error) => error.message.replaceAll(`${folder}/`, ''),
    )
  }
  const columns = (change: (name: string, cells: readonly unknown[]) => readonly unknown[]) => (folder: string) =>
    putParquet(
      folder,
      DATA,
      rowsOf({ 0: 5, 1: 4 }).map(([name, cells]) => [name, change(name, cells)] as const),
    )

  it.each<[string, (folder: string) => void, string]>([
    [
      'no info.json',
      (folder) => rmSync(join(folder, 'meta/info.json')),
      'is no LeRobot dataset: meta/info.json is missing',
    ],
    [
      'another version',
      (folder) => put(folder, 'meta/info.json', anInfo({ codebase_version: 'v1.6' })),
      'meta/info.json: is of version v1.6',
    ],
    ['no rate', (folder) => put(folder, 'meta/info.json', anInfo({ fps: 0 })), 'meta/info.json: "fps" is 0'],
    [
      'two features with one name',
      (folder) =>
        writeFileSync(
          join(folder, 'meta/info.json'),
          JSON.stringify(anInfo()).replace('"observation.state"', '"action"'),
        ),
      'meta/info.json: names "action" twice',
    ],
    [
      'two columns with one name',
      (folder) => putParquet(folder, DATA, [...rowsOf({ 0: 5, 1: 4 }), ['timestamp', Array(9).fill(1)]]),
      `${DATA}: has two columns called "timestamp"`,
    ],
    ['no data', (folder) => rmSync(join(folder, DATA)), 'data: holds no parquet file'],
    ['a file that is cut', (folder) => truncateSync(join(folder, DATA), 900), `${DATA}: is cut short`],
    [
      'a Git LFS pointer',
      (folder) =>
        put(folder, DATA, `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`),
      `${DATA}: is a Git LFS pointer, not the file of 5 bytes. Run \`git lfs pull\``,
    ],
    ['a page of damaged bytes', (folder) => spoilMiddle(join(folder, DATA)), `${DATA}: `],
    [
      'a cell without a number',
      columns((name, cells) =>
        name === 'action' ? cells.map((cell, i) => (i === 6 ? [null, 0, 0, 0, 0, 0, 0] : cell)) : cells,
      ),
      'column "action": holds no number in frame 1 of episode 1',
    ],
    [
      'rows of two widths',
      columns((name, cells) => (name === 'action' ? cells.map((cell, i) => (i === 2 ? [1] : cell)) : cells)),
      'column "action": has 1 numbers in frame 2 of episode 0, 7 before',
    ],
    [
      'frames that come twice',
      columns((name, cells) => (name === 'frame_index' ? cells.map((cell, i) => (i === 3 ? 0n : cell)) : cells)),
      'column "frame_index" of episode 0 goes from 2 to 0',
    ],
    [
      'another length than meta/episodes has',
      (folder) =>
        putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
          ['episode_index', [0, 1]],
          ['length', [5, 40]],
        ]),
      `${DATA}: holds 4 frames of episode 1, meta/episodes says 40`,
    ],
  ])('%s', async (_, spoil, message) => expect(await refusal(spoil)).toContain(message))

  it('a shard that is not there, with its episode, as soon as somebody asks', async () => {
    const folder = aTinySet()
    putParquet(folder, DATA, rowsOf({ 0: 5 }))
    putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
      ['episode_index', [0, 1]],
      ['length', [5, 4]],
      ['data_chunk_index', [0, 0]],
      ['data_file_index', [0, 1]],
    ])
    const { missing, oddities } = await LerobotDataset.open(folder)
    expect(missing.map(({ episode }) => episode)).toEqual([1])
    expect(oddities).toContain('data/chunk-000/file-001.parquet is missing, with episode 1')
  })
})

/** Bytes of the first pages, with the table of contents left whole. */
function spoilMiddle(path: string): void {
  const bytes = readFileSync(path)
  bytes.fill(0xff, 4, 60)
  writeFileSync(path, bytes)
}
