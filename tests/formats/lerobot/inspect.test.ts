import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import { inspect } from '../../../src/formats/lerobot/inspect.ts'
import { videoPlace } from '../../../src/formats/lerobot/pictures.ts'
import { aTinySet, put, putParquet, rowsOf } from './tiny-set.ts'

const DATA = 'data/chunk-000/file-000.parquet'
const look = async (folder: string) => inspect(await LerobotDataset.open(folder))
const CAMERA = 'observation.images.front'
const video = { [CAMERA]: { dtype: 'video', shape: [32, 32, 3], names: ['height', 'width', 'rgb'] } }

describe('a look over a dataset', () => {
  it('counts frames and tells ranges by what the files hold, and says what else is counted elsewhere', async () => {
    const { frames, episodes, lookedAt, features, oddities } = await look(aTinySet({ total_frames: 900 }))
    expect([frames, episodes, lookedAt]).toEqual([9, 2, 2])
    const { ranges } = features.find(({ name }) => name === 'observation.state')!
    // episode e, frame t of 5 and of 4, and a constant: as tiny-set writes them
    expect(ranges.map(({ low, high }) => [low, high])).toEqual([
      [0, 1],
      [0, 4],
      [0.05, 0.05],
    ])
    expect(oddities).toContain('meta/info.json counts 900 frames, the files hold 9')
  })

  it('counts the frames of 2.x file by file', async () => {
    const folder = aTinySet({ codebase_version: 'v2.1' })
    rmSync(join(folder, DATA)) // gives way to a file an episode
    for (const [episode, length] of [5, 4].entries())
      putParquet(folder, `data/chunk-000/episode_00000${episode}.parquet`, rowsOf({ [episode]: length }))
    expect((await look(folder)).frames).toBe(9)
  })

  it('says of a reading that is no number where it stands', async () => {
    const folder = aTinySet()
    const spoiled = rowsOf({ 0: 5, 1: 4 }).map(([name, cells]) => {
      const isAction = name === 'action'
      return [name, cells.map((cell, row) => (isAction && row >= 7 ? [0, 0, 0, NaN, 0, 0, 0] : cell))] as const
    })
    putParquet(folder, DATA, spoiled)
    expect((await look(folder)).oddities).toContain(
      `"action" holds 2 readings that are no numbers, as entry 3 in frame 2 of episode 1, ${DATA}`,
    )
  })

  it('names a shard and a video that are missing', async () => {
    const folder = aTinySet({}, video, { 0: 5, 1: 4 })
    putParquet(folder, DATA, rowsOf({ 0: 5 }))
    const { oddities } = await look(folder)
    expect(oddities).toContain('data/chunk-*/file-*.parquet is missing, with episode 1')
    expect(oddities).toContain(`videos/${CAMERA} is missing: no pictures of ${CAMERA}`)
  })
})

it('finds a video where another template put it, by its number', async () => {
  const folder = aTinySet({}, video)
  putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
    ['episode_index', [0, 1]],
    ['length', [5, 4]],
    [`videos/${CAMERA}/chunk_index`, [0, 1]],
    [`videos/${CAMERA}/file_index`, [2, 2]],
    [`videos/${CAMERA}/from_timestamp`, [0, 0]],
    [`videos/${CAMERA}/to_timestamp`, [0.5, 0.4]],
  ])
  for (const chunk of ['chunk-000', 'chunk-001']) put(folder, `videos/${chunk}/${CAMERA}/file_2.mp4`, 'x')
  const dataset = await LerobotDataset.open(folder)
  const found = dataset.episodes.map((entry) => videoPlace(dataset, entry, CAMERA).file)
  expect(found.map((file) => dataset.short(file))).toEqual([
    `videos/chunk-000/${CAMERA}/file_2.mp4`,
    `videos/chunk-001/${CAMERA}/file_2.mp4`,
  ])
  expect(found.every(existsSync)).toBe(true)
})
