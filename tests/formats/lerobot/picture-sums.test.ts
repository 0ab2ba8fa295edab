/** @file What says of pictures that nobody decoded whether they are the same. */
import { rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import type { SetMapping } from '../../../src/formats/lerobot/mapping.ts'
import { pictureSums } from '../../../src/formats/lerobot/picture-sums.ts'
import { readRows } from '../../../src/formats/lerobot/rows.ts'
import { aTinySet, put } from './tiny-set.ts'

const CAMERA = 'observation.images.front'
const FILE = `videos/${CAMERA}/chunk-000/file-000.mp4`
const video = { [CAMERA]: { dtype: 'video', shape: [32, 32, 3], names: ['height', 'width', 'rgb'] } }
const picture = { [CAMERA]: { dtype: 'image', shape: [32, 32, 3], names: ['height', 'width', 'rgb'] } }
const spec = { cameras: { front: { width: 32, height: 32 }, wrist: { width: 32, height: 32 } } }
const PROPRIO = [Float32Array.of(1, 2), Float32Array.of(1, 3)]

async function sums(folder: string, given: SetMapping['cameras'][string] = CAMERA, frames = [0, 1], proprio = PROPRIO) {
  const dataset = await LerobotDataset.open(folder)
  const entry = dataset.episodes[0]!
  const rows = await readRows(dataset, entry, [])
  return pictureSums(dataset, entry, rows, { cameras: { front: given, wrist: null } }, spec, frames, proprio)
}

it('stays the same while the video does, and tells another frame, crop, proprioception, size and time of change', async () => {
  const folder = aTinySet({}, video, { 0: 5 })
  put(folder, FILE, 'a video')
  utimesSync(join(folder, FILE), 1000, 1000)
  const first = (await sums(folder))!
  expect(await sums(folder)).toEqual(first)
  expect(first[0]).not.toBe(first[1])
  const crop = { left: 0, top: 0, width: 16, height: 16 }
  const others = [
    await sums(folder, CAMERA, [2, 3]),
    await sums(folder, { feature: CAMERA, crop }),
    await sums(folder, CAMERA, [0, 1], [Float32Array.of(1, 2.5), Float32Array.of(0, 3)]),
  ]
  put(folder, FILE, 'a longer video')
  utimesSync(join(folder, FILE), 1000, 1000)
  others.push(await sums(folder))
  utimesSync(join(folder, FILE), 1000, 2000)
  others.push(await sums(folder))
  expect(new Set([first, ...others].flatMap((one) => one!)).size).toBe(12)
})

it('is not there where the video is missing, or pictures lie one by one', async () => {
  const folder = aTinySet({}, video, { 0: 5 })
  put(folder, FILE, 'a video')
  rmSync(join(folder, FILE))
  expect(await sums(folder)).toBeUndefined()
  expect(await sums(aTinySet({}, picture, { 0: 5 }))).toBeUndefined()
})
