/** @file Takes down one robot's online phase: to its log on disk first, then to the learner, and what the encoder made of it beside the log. */

import type { Experience } from '../link/ports.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EncodingKey } from '../replay/encodings.ts'
import type { EpisodeEnd, EpisodeStart } from '../replay/episode.ts'
import type { EpisodeLog } from '../replay/log.ts'
import type { Observation } from '../robot/robot.ts'
import type { Recorder } from './episode.ts'
import type { EpisodeSummary, Happening } from './happening.ts'
import type { Copies, SeenObservation } from './perception.ts'
import type { UpdateSchedule } from './update-schedule.ts'

/** A robot's place among those of its run. */
export type CellIndex = { index: number; of: number }

/** The first number from `from` on that is the robot's own: robot k of n has k, k + n, k + 2n, ... */
export const ownNumber = (from: number, { index, of }: CellIndex) => from + ((((index - from) % of) + of) % of)

/** Where what was made of an observation goes, as it was before it was normalised. */
type EncodingsKept = {
  encodings: { keep(key: EncodingKey, raw: EncodedObservation): void }
  instructions: Readonly<Record<string, string>> // by task
}

/** Episodes and steps have numbers that are unique over all robots of the run, and increase in each one's log. */
export class OnlineRecorder implements Recorder {
  private start?: EpisodeStart
  private recording = false
  private firstId: number // of the episode that runs, or comes next

  constructor(
    private readonly log: EpisodeLog,
    private readonly learner: Pick<Experience, 'begin' | 'step' | 'end'>,
    readonly copies: Copies,
    private readonly tempo: Pick<UpdateSchedule, 'step'>,
    readonly place: CellIndex,
    /** Online steps of this robot so far, over all parts of the run. */
    public robotSteps: number,
    /** Left out where nobody needs them again. */
    private readonly kept?: EncodingsKept,
  ) {
    this.firstId = ownNumber(log.nextId, place)
  }

  get nextEpisode(): number {
    return ownNumber(this.log.nextEpisode, this.place)
  }

  /** Observation k of an episode has the id of the step that follows it: ids increase over the run. */
  observationId(step: number): number {
    return this.firstId + step * this.place.of
  }

  begin(task: string, seed: number, observation: Observation, seen: SeenObservation): void {
    this.start = { episode: this.nextEpisode, task, source: 'online', seed }
    this.log.begin(this.start, observation)
    this.recording = true
    this.learner.begin(this.start, seen)
    this.keep(0, observation, seen)
  }

  async step(happening: Happening, next: Observation, seen: SeenObservation): Promise<void> {
    const step = { id: this.observationId(happening.step), ...happening }
    this.log.step(step, next)
    this.learner.step(this.start!.episode, step, seen)
    this.keep(happening.step + 1, next, seen)
    this.robotSteps++
    await this.tempo.step()
  }

  end({ ending, judged }: EpisodeSummary): void {
    this.close(judged ? { ending, verdict: judged } : { ending })
  }

  /** What the log holds of the episode is whole, and says why there is no more. */
  interrupt(why: string): void {
    if (this.recording) this.log.end({ ending: 'interrupted', why })
    this.recording = false
  }

  /** Observation `step` of the episode, which is in the log. */
  private keep(step: number, { proprio }: Observation, { raw, features }: SeenObservation): void {
    const { kept, log } = this
    const { episode, task } = this.start!
    const id = this.observationId(step)
    const instruction = kept?.instructions[task]
    if (instruction === undefined) return
    kept!.encodings.keep({ episode, step, id, sum: log.sum, instruction }, { h: raw, features, proprio })
  }

  private close(end: EpisodeEnd): void {
    this.log.end(end)
    this.recording = false
    this.learner.end(this.start!.episode, end)
    this.firstId = ownNumber(this.log.nextId, this.place)
  }
}
