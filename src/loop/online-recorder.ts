/** @file Takes down one robot's online phase: to its log on disk first, then to the learner. */

import type { Experience } from '../link/ports.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeEnd, EpisodeStart } from '../replay/episode.ts'
import type { EpisodeLog } from '../replay/log.ts'
import type { Observation } from '../robot/robot.ts'
import type { Recorder } from './episode.ts'
import type { EpisodeSummary, Happening } from './happening.ts'
import type { Copies } from './perception.ts'
import type { UpdateSchedule } from './update-schedule.ts'

/** A robot's place among those of its run. */
export type CellIndex = { index: number; of: number }

/** The first number from `from` on that is the robot's own: robot k of n has k, k + n, k + 2n, ... */
export const ownNumber = (from: number, { index, of }: CellIndex) => from + ((((index - from) % of) + of) % of)

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

  begin(task: string, seed: number, observation: Observation, seen: EncodedObservation): void {
    this.start = { episode: this.nextEpisode, task, source: 'online', seed }
    this.log.begin(this.start, observation)
    this.recording = true
    this.learner.begin(this.start, seen)
  }

  async step(happening: Happening, next: Observation, seen: EncodedObservation): Promise<void> {
    const step = { id: this.observationId(happening.step), ...happening }
    this.log.step(step, next)
    this.learner.step(this.start!.episode, step, seen)
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

  private close(end: EpisodeEnd): void {
    this.log.end(end)
    this.recording = false
    this.learner.end(this.start!.episode, end)
    this.firstId = ownNumber(this.log.nextId, this.place)
  }
}
