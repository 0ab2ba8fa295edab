/** @file Whether the pictures of an episode are those that they were: a number each, without decoding one. */
import { statSync } from 'node:fs'
import { crc32 } from '../../replay/crc32.ts'
import type { RobotSpec } from '../../robot/robot.ts'
import type { LerobotDataset, SetEpisode } from './dataset.ts'
import type { SetMapping } from './mapping.ts'
import { videoPlace } from './pictures.ts'
import type { EpisodeRows } from './rows.ts'

/**
 * As `Episode.sums`: of videos by name, size and time of change, place in it, and how it is cut to what a camera sees; and of
 * the proprioception. Undefined where pictures are no videos, or one is missing: whoever reads them says so.
 */
export function pictureSums(
  dataset: LerobotDataset,
  entry: SetEpisode,
  rows: EpisodeRows,
  { cameras }: Pick<SetMapping, 'cameras'>,
  spec: Pick<RobotSpec, 'cameras'>,
  frames: readonly number[], // one an observation
  proprio: readonly Float32Array[], // the same
): number[] | undefined {
  const videos: unknown[] = []
  for (const given of Object.keys(spec.cameras).map((camera) => cameras[camera]!)) {
    if (given === null) continue // black
    const feature = typeof given === 'string' ? given : given.feature
    if (dataset.features.get(feature)?.kind !== 'video') return undefined
    const { file, from, to } = videoPlace(dataset, entry, feature)
    const stat = statSync(file, { throwIfNoEntry: false })
    if (!stat?.isFile()) return undefined
    videos.push([dataset.short(file), stat.size, stat.mtimeMs, from, to])
  }
  const all = sumOfAll([videos, cameras, spec.cameras, rows.frames])
  return proprio.map((told, t) => sumOfAll([all, frames[t], rows.time[frames[t]!], [...told]]))
}

const sumOfAll = (told: readonly unknown[]) => crc32(Buffer.from(JSON.stringify(told)))
