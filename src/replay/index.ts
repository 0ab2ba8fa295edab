/** @file What the replay offers to the other rooms. */
export type { EncodedObservation } from './assembler.ts'
export {
  ReplayBuffer,
  type ReplayOptions,
  type ReplayStats,
  type TalkRows,
  type TransitionRequest,
  type TransitionRows,
} from './buffer.ts'
export { ENDINGS, type Ending, type EpisodeEnd, type EpisodeStart, type Step, settle } from './episode.ts'
export { EpisodeLog, type LogOptions, type Recovery } from './log.ts'
export { type LoggedEpisode, readEpisodes, transitionsOf } from './log-reader.ts'
export { monteCarloReturns } from './returns.ts'
export type { Actor, Source, Transition } from './transition.ts'
