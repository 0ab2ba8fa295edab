/** @file Real datasets, where they are at hand: none is copied. Counts are those that their READMEs give. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, it } from 'vitest'
import { InputError } from '../../../src/errors.ts'
import { LerobotDataset } from '../../../src/formats/lerobot/dataset.ts'
import { ParquetFile } from '../../../src/formats/lerobot/parquet.ts'
import { pictures, videoPlace } from '../../../src/formats/lerobot/pictures.ts'
import { readRows } from '../../../src/formats/lerobot/rows.ts'
import { describeSets } from '../../fixture-sets.ts'

const COUNTS: Readonly<Record<string, [episodes: number, frames: number]>> = {
  'g1-v21-av1': [1, 221],
  'gr1-v20-h264': [2, 886],
  'piper-v30-incomplete': [19, 4958],
  'pusht-v30-rewards': [206, 25650],
  'so101-v30-missing-video': [4, 1492],
  'tiny-lerobotv2': [2, 6],
  'tiny-lerobotv2-image': [2, 6],
  'tiny-lerobotv3': [2, 6],
}
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).error === undefined

describeSets('lerobot', ({ folder }) => {
  it('is counted by its files, and its first and last episodes are read', async () => {
    const dataset = await LerobotDataset.open(folder)
    let frames = 0
    for (const file of dataset.files) frames += (await ParquetFile.open(file)).rows
    const wanted = COUNTS[basename(folder)]
    if (wanted) expect([dataset.episodes.length, frames]).toEqual(wanted)
    const numbers = [...dataset.features.values()].filter(({ kind }) => kind === 'number').map(({ name }) => name)
    for (const entry of [dataset.episodes[0]!, dataset.episodes.at(-1)!]) {
      const rows = await readRows(dataset, entry, numbers)
      expect(rows.frames).toBe(entry.metadata?.length ?? rows.frames)
      for (const { values } of rows.columns.values()) expect(values.every(Number.isFinite)).toBe(true)
    }
  })

  it('shows what its cameras saw, or says which file is missing', async () => {
    const dataset = await LerobotDataset.open(folder)
    const entry = dataset.episodes.at(-1)!
    const rows = await readRows(dataset, entry, [])
    for (const feature of dataset.features.values()) {
      if (feature.kind !== 'image' && (feature.kind !== 'video' || !hasFfmpeg)) continue
      const look = pictures(dataset, entry, rows, feature, [0, 1])
      const { file } = videoPlace(dataset, entry, feature.name)
      if (feature.kind === 'video' && !existsSync(file)) {
        await expect(look.next()).rejects.toThrow(InputError)
        await expect(pictures(dataset, entry, rows, feature, [0]).next()).rejects.toThrow(`${file}: is missing`)
        continue
      }
      for await (const { width, height, data } of look) expect(data).toHaveLength(3 * width * height)
    }
  })
})
