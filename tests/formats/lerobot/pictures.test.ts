/** @file Pictures of tiny datasets. What needs ffmpeg is left out where there is none. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import { pictures } from '../../../src/formats/lerobot/pictures.ts'
import { readRows } from '../../../src/formats/lerobot/rows.ts'
import type { Image } from '../../../src/robot/robot.ts'
import { aTinySet, put, putParquet, putVideo, rowsOf } from './tiny-set.ts'

const CAMERA = 'observation.images.front'
const video = { [CAMERA]: { dtype: 'video', shape: [32, 32, 3], names: ['height', 'width', 'rgb'] } }
const FILE = `videos/${CAMERA}/chunk-000/file-000.mp4`

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).error === undefined

/** The greys of an episode's frames, as far apart as no codec confuses them. */
const grey = (episode: number, t: number) => 20 + 100 * episode + 20 * t
const GREYS = [0, 1].flatMap((episode) => Array.from({ length: 5 - episode }, (_, t) => grey(episode, t)))

const placed = (folder: string, from: readonly number[], to: readonly number[]) =>
  putParquet(folder, 'meta/episodes/chunk-000/file-000.parquet', [
    ['episode_index', [0, 1]],
    ['length', [5, 4]],
    [`videos/${CAMERA}/chunk_index`, [0, 0]],
    [`videos/${CAMERA}/file_index`, [0, 0]],
    [`videos/${CAMERA}/from_timestamp`, from],
    [`videos/${CAMERA}/to_timestamp`, to],
  ])

async function seen(folder: string, episode: number, wanted?: readonly number[]): Promise<number[]> {
  const dataset = await LerobotDataset.open(folder)
  const entry = dataset.episodes[episode]!
  const rows = await readRows(dataset, entry, [])
  const frames = wanted ?? Array.from({ length: rows.frames }, (_, frame) => frame)
  const found: Image[] = []
  for await (const image of pictures(dataset, entry, rows, dataset.features.get(CAMERA)!, frames)) found.push(image)
  return found.map(({ width, height, data }) => data[3 * (width * (height >> 1) + (width >> 1))]!)
}

const near = (wanted: readonly number[]) => wanted.map((value) => expect.closeTo(value, -0.7)) // ± 2.5

describe('the pictures of an episode', () => {
  it.skipIf(!hasFfmpeg).each([
    ['H.264 with B frames', ['-c:v', 'libx264', '-bf', '2', '-g', '4', '-pix_fmt', 'yuv420p']],
    ['MPEG-4 part 2', ['-c:v', 'mpeg4', '-q:v', '1']],
    ['one that begins later than at 0', ['-c:v', 'libx264', '-bf', '2', '-g', '4', '-output_ts_offset', '0.55']],
    ['10 bits a channel', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le']],
  ])('come out of a video in the order in which they are shown: %s', async (_, codec) => {
    const folder = aTinySet({}, video)
    placed(folder, [0, 0.5], [0.5, 0.9])
    putVideo(folder, FILE, GREYS, codec)
    expect(await seen(folder, 0)).toEqual(near(GREYS.slice(0, 5)))
    expect(await seen(folder, 1, [0, 1, 1, 3])).toEqual(near([grey(1, 0), grey(1, 1), grey(1, 1), grey(1, 3)]))
  })

  it.skipIf(!hasFfmpeg)('begin where a video was cut, whatever lies before that in the file', async () => {
    const folder = aTinySet({}, video)
    placed(folder, [0, 0.5], [0.5, 0.9])
    putVideo(folder, 'whole.mp4', [250, 240, 230, ...GREYS], ['-c:v', 'libx264', '-g', '20', '-pix_fmt', 'yuv420p'])
    mkdirSync(dirname(join(folder, FILE)), { recursive: true })
    const cut = ['-loglevel', 'error', '-ss', '0.3', '-i', join(folder, 'whole.mp4'), '-c', 'copy', join(folder, FILE)]
    expect(spawnSync('ffmpeg', cut).status).toBe(0)
    expect(await seen(folder, 0, [0, 2, 4])).toEqual(near([0, 2, 4].map((t) => grey(0, t))))
    expect(await seen(folder, 1)).toEqual(near(GREYS.slice(5)))
  })

  it.skipIf(!hasFfmpeg)('go by the clock where the video has another rate', async () => {
    const folder = aTinySet({}, video)
    placed(folder, [0, 0.5], [0.5, 0.9])
    const doubled = GREYS.flatMap((value) => [value, value + 3])
    putVideo(folder, FILE, doubled, ['-c:v', 'mpeg4', '-q:v', '1'], 20)
    expect(await seen(folder, 1)).toEqual(near(GREYS.slice(5)))
  })

  it('are found in the rows: bare bytes, bytes with a path, a path alone', async () => {
    const png = (value: number) =>
      sharp({ create: { width: 4, height: 4, channels: 3, background: { r: value, g: 0, b: 0 } } })
        .png()
        .toBuffer()
    const bytes = await Promise.all(GREYS.map(async (value) => new Uint8Array(await png(value))))
    const folder = aTinySet({}, { [CAMERA]: { dtype: 'video', shape: [3, 4, 4], names: null } })
    for (const cells of [bytes, bytes.map((one) => ({ bytes: one, path: 'a.png' }))]) {
      putParquet(folder, 'data/chunk-000/file-000.parquet', [...rowsOf({ 0: 5, 1: 4 }), [CAMERA, cells]])
      expect(await seen(folder, 1)).toEqual(GREYS.slice(5))
    }
    bytes.forEach((one, i) => {
      put(folder, `images/${i}.png`, one)
    })
    putParquet(folder, 'data/chunk-000/file-000.parquet', [
      ...rowsOf({ 0: 5, 1: 4 }),
      [CAMERA, bytes.map((_, i) => ({ path: `images/${i}.png` }))],
    ])
    expect(await seen(folder, 1, [0, 2])).toEqual([grey(1, 0), grey(1, 2)])
  })

  it.skipIf(!hasFfmpeg).each<[string, (folder: string) => void, RegExp]>([
    [
      'a missing file',
      (folder) => rmSync(join(folder, FILE)),
      /file-000\.mp4: is missing: it has observation\.images\.front of episode 1/,
    ],
    [
      'one of two files, where nothing says whose it is', // all that can be named is their folder, which is there
      (folder) => rmSync(join(folder, 'meta/episodes'), { recursive: true }),
      /videos\/observation\.images\.front: is missing: it has observation\.images\.front of episode 1/,
    ],
    [
      'a pointer of Git LFS',
      (folder) =>
        put(folder, FILE, `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`),
      /file-000\.mp4: is a Git LFS pointer/,
    ],
    ['an empty file', (folder) => put(folder, FILE, ''), /file-000\.mp4: is empty/],
    ['no video', (folder) => put(folder, FILE, 'nothing of the kind'), /file-000\.mp4: cannot be decoded/],
    [
      'a video shorter than its episode',
      (folder) => putVideo(folder, FILE, GREYS.slice(0, 7), ['-c:v', 'mpeg4']),
      /file-000\.mp4: observation\.images\.front: holds 2 frames of episode 1, which has 4 rows/,
    ],
  ])('refuse %s by name', async (_, spoil, message) => {
    const folder = aTinySet({}, video)
    placed(folder, [0, 0.5], [0.5, 0.9])
    putVideo(folder, FILE, GREYS, ['-c:v', 'mpeg4'])
    spoil(folder)
    await expect(seen(folder, 1)).rejects.toThrow(message)
  })
})
