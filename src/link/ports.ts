/**
 * @file What a robot's side and a learner have to do with one another, whatever lies between them: what happened
 * (`Experience`), what to act with (`Weights`), what to do (`LearnerControl`). One specification of each runs on every transport.
 */
import type { Phase, UpdateFigures } from '../learn/phase.ts'
import type { ActorParameters } from '../learn/policy.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeEnd, EpisodeStart, Step } from '../replay/episode.ts'

/**
 * One robot's episodes as they happen, in order. Features, not images: they are computed where the robot acts, and the
 * images stay in its log. Keyed by run, robot, episode and step: what is told twice counts once.
 */
export interface Experience {
  begin(start: EpisodeStart, observation: EncodedObservation): void
  step(episode: number, step: Step, next: EncodedObservation): void
  end(episode: number, end: EpisodeEnd): void
  /** Messages of all robots that were sent and are not yet in the learner's hands. */
  readonly inFlight: number
  /** Resolves once at most `most` are in flight. Rejects when the learner is lost. */
  room(most: number): Promise<void>
}

/**
 * Parameters of the actors. `version`: the updates that they hold; `hash`: of what they are, where they come from another
 * process, which may have gone back to an earlier checkpoint since. `back`: a person wants earlier ones again.
 */
export type Published = { version: number; values: ActorParameters; hash?: string; back?: true }

/** The actors' parameters, newest only: nobody catches up on older ones. */
export interface Weights {
  /** None before the first publication. An older version never replaces a newer one, unless it says that it is to. */
  readonly newest: Published | undefined
}

/** What came of a request to learn. */
export type Learned = {
  version: number // updates that the learner holds now
  made: number // of those that were asked for
  cut: number // left undone because of a pause
}

/** Requests are answered in their order, after everything that was told before them has been taken in. */
export interface LearnerControl {
  /**
   * At most that many joint updates; fewer where there is too little to learn from, or where a pause cuts it short. The
   * parameters after them are published before it resolves: lock-step is this, and nothing else.
   */
  learn(phase: Phase, updates: number): Promise<Learned>
  /** Online updates without end, until a pause; published every `publishEvery` updates. */
  learnFreely(publishEvery: number): Promise<void>
  /** Ends what goes on after the update that runs, even where requests before it wait; then publishes. */
  pause(): Promise<{ version: number }>
  /** Keeps everything under a plain name, which the learner's side knows where to put. */
  save(name: string): Promise<Saved>
}

export type Saved = {
  version: number // updates that what was saved holds
  labels: Record<string, number> // talk-and-tweak entries by command, over all tasks
}

/** Both ends' view of a learner that may be lost. */
export interface LearnerLink {
  /** Resolves when the learner is there. */
  ready(): Promise<void>
  experience(robot: string): Experience
  readonly weights: Weights
  readonly control: LearnerControl
  /** Stops the learner and lets go of it, when the update that runs is made or the program in hand compiled. */
  close(): Promise<void>
}

export type LinkEvents = {
  onFigures?: (figures: UpdateFigures) => void
  /** Every now and then while the learner lives, whatever it is at. */
  onAlive?: () => void
  /** Experience has been taken in. */
  onTaken?: () => void
  /** Others than before, and newer, or wanted again. */
  onWeights?: (published: Published) => void
  /** Called once, at the moment at which the loss is known, before any request is rejected. */
  onLost?: (error: Error) => void
}

/** A learner as a link serves it; which one it is, the link does not know. */
export interface LearnerPort {
  begin(start: EpisodeStart, observation: EncodedObservation): void
  step(episode: number, step: Step, next: EncodedObservation): void
  end(episode: number, end: EpisodeEnd): void
  readonly updates: number
  canUpdate(phase: Phase): boolean
  update(phase: Phase): Promise<UpdateFigures>
  actorParameters(): ActorParameters
  save(name: string): Promise<Record<string, number>> // labels, see Saved
  release(): Promise<void>
}
