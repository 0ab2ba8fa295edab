/** @file What the replay offers to the other rooms. */
export type { EncodedObservation } from './assembler.ts'
export { ReplayBuffer, type ReplayOptions, type TalkRows, type TransitionRows } from './buffer.ts'
export type { EpisodeEnd, EpisodeStart, Step } from './episode.ts'
export { EpisodeLog } from './log.ts'
export { type LoggedEpisode, readEpisodes, transitionsOf } from './log-reader.ts'
