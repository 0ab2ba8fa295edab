/** @file The statistics of a whole set as its stats.json has them: of every feature that is numbers, and of the pictures. */
import { join } from 'node:path'
import type { LoggedEpisode } from '../../../replay/log-reader.ts'
import { cameraKey, type Features } from './features.ts'
import { rowsOf } from './found.ts'
import type { FrameColumns } from './frames.ts'
import { dataFile } from './layout.ts'
import { countSome } from './pictures.ts'
import {
  type Levels,
  NumberStatistics,
  noLevels,
  pictureStatistics,
  type Statistics,
  statisticsOf,
} from './statistics.ts'

const NUMBERS: readonly string[] = ['float32', 'int64', 'bool']

export class SetStatistics {
  private readonly numbers = new Map<string, NumberStatistics[]>()

  /** `levels`: of the cameras, of the episodes that the set has already. */
  constructor(
    features: Features,
    public levels: Record<string, Levels> = {},
  ) {
    for (const [name, { dtype, shape }] of Object.entries(features))
      if (NUMBERS.includes(dtype))
        this.numbers.set(
          name,
          Array.from({ length: shape[0]! }, () => new NumberStatistics()),
        )
  }

  /** Takes in the numbers of a set on disk. @throws InputError naming the file that cannot be read */
  async readAll(folder: string, episodes: number): Promise<void> {
    for (let episode = 0; episode < episodes; episode++) {
      const rows = await rowsOf(join(folder, dataFile(episode)), [...this.numbers.keys()])
      for (const [name, entries] of this.numbers)
        for (const [k, entry] of entries.entries())
          entry.add(rows.map((row) => (entries.length === 1 ? Number(row[name]) : (row[name] as number[])[k]!)))
    }
  }

  async add({ vectors, scalars }: FrameColumns, { observations, steps }: LoggedEpisode): Promise<void> {
    for (const [name, entries] of this.numbers) {
      const rows = vectors[name]
      if (rows) for (const [k, entry] of entries.entries()) entry.add(rows.map((row) => row[k]!))
      else entries[0]!.add(scalars[name]!)
    }
    const next = structuredClone(this.levels)
    for (const camera of Object.keys(observations[0]!.images)) {
      next[camera] ??= noLevels()
      await countSome(
        steps.map((_, t) => observations[t]!.images[camera]!),
        next[camera],
      )
    }
    this.levels = next
  }

  get figures(): Record<string, Statistics> {
    const numbers = [...this.numbers].map(([name, entries]) => [name, statisticsOf(entries)])
    const pictures = Object.entries(this.levels).map(([camera, own]) => [cameraKey(camera), pictureStatistics(own)])
    return Object.fromEntries([...numbers, ...pictures])
  }
}
