/** @file Where episodes come from and where they go, whatever keeps them: a log, somebody else's dataset, a recording. */
import type { Observation, RobotSpec } from '../robot/robot.ts'
import type { Ending, EpisodeEnd, EpisodeStart, Step } from './episode.ts'
import type { Source } from './transition.ts'

/** An episode whose pictures are read when they are asked for, so that a source of any size can be gone through. */
export type Episode = {
  start: EpisodeStart
  steps: readonly Step[] // T; the last one carries the verdict and is terminated or truncated
  end: EpisodeEnd
  /** Why it cannot be learned from, where it cannot. */
  unusable?: string
  /** T + 1: each is another where its observation, or one before it, is; left out where the source cannot tell. */
  sums?: readonly number[]
  /** T + 1, in order; may be gone through more than once. */
  observations(): AsyncIterable<Observation>
}

/** What is asked for; all that is left out is any. */
export type EpisodeFilter = {
  tasks?: readonly string[]
  sources?: readonly Source[]
  endings?: readonly Ending[]
}

export interface EpisodeSource {
  readonly name: string // where a person finds it, for messages
  readonly spec: RobotSpec // the robot whose observations and actions it gives
  /** In the order in which they were recorded; one at a time is in memory. @throws InputError on damage, or another robot */
  episodes(filter?: EpisodeFilter): AsyncIterable<Episode>
}

/** Takes episodes one after the other; what it has taken stays, whatever happens to the process. */
export interface EpisodeSink {
  readonly nextEpisode: number
  readonly nextId: number // of a step
  begin(start: EpisodeStart, observation: Observation): void
  step(step: Step, next: Observation): unknown
  end(end: EpisodeEnd): void
  close(): void
}

export const isWanted = (
  { start, end }: Pick<Episode, 'start' | 'end'>,
  { tasks, sources, endings }: EpisodeFilter,
): boolean =>
  (tasks?.includes(start.task) ?? true) &&
  (sources?.includes(start.source) ?? true) &&
  (endings?.includes(end.ending) ?? true)

/** A whole episode into a sink, which numbers it and its steps anew. */
export function writeEpisode(
  sink: EpisodeSink,
  start: Omit<EpisodeStart, 'episode'>,
  observations: readonly Observation[], // T + 1
  steps: readonly Omit<Step, 'id'>[], // T
  end: EpisodeEnd,
): void {
  sink.begin({ ...start, episode: sink.nextEpisode }, observations[0]!)
  for (const [t, step] of steps.entries()) sink.step({ ...step, id: sink.nextId }, observations[t + 1]!)
  sink.end(end)
}
