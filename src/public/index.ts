/** @file What the package `duet` offers to programs: reading and writing logs of episodes, and what a run measured. */
export { InputError, LostError, ShapeError } from '../errors.ts'
export { type Metric, type MetricOf, readMetrics } from '../metrics/metrics.ts'
export type { Summary } from '../metrics/summary.ts'
export { type IndexedEpisode, indexEpisodes, readIndexed } from '../replay/episode-index.ts'
export {
  type EpisodeEnd,
  EpisodeLog,
  type EpisodeStart,
  type LoggedEpisode,
  readEpisodes,
  type Step,
} from '../replay/index.ts'
export type { LoggedRobot } from '../replay/log-header.ts'
export { LogSource } from '../replay/log-source.ts'
export {
  type Episode,
  type EpisodeFilter,
  type EpisodeSink,
  type EpisodeSource,
  writeEpisode,
} from '../replay/source.ts'
export type { Actor, Judge, Source } from '../replay/transition.ts'
export type { RunConfig } from '../run/config.ts'
export { RunFolder } from '../run/folder.ts'
export { logsAt, type PlacedLog } from '../run/logs.ts'
export { duetVersion } from '../run/version.ts'
