/** @file Takes down the online phase: to the log on disk first, then to the learner, whose updates it ties to steps in lock-step mode. */

import type { ActorParameters } from '../learn/policy.ts'
import type { EncodedObservation } from '../replay/assembler.ts'
import type { EpisodeStart } from '../replay/episode.ts'
import type { EpisodeLog } from '../replay/log.ts'
import type { Observation } from '../robot/robot.ts'
import type { EpisodeSummary, Happening, Recorder } from './episode.ts'
import type { LearnerClient } from './learnerClient.ts'
import type { Copies } from './perception.ts'

export type LockStep = {
  updatesPerStep: number
  publishEvery: number // steps between two publications
  updatesAsked: number // online updates that were asked for before, by an earlier part of the run
}

export class OnlineRecorder implements Recorder {
  private start?: EpisodeStart
  /** The updates of the block before the last publication; awaited at the next one, so that robot and learner overlap. */
  private block?: Promise<ActorParameters>

  constructor(
    private readonly log: EpisodeLog,
    private readonly learner: LearnerClient,
    readonly copies: Copies,
    /** Online steps so far, over all parts of the run. */
    public robotSteps: number,
    private readonly lockStep: LockStep | undefined,
    private readonly apply: (values: ActorParameters) => void,
  ) {}

  get updatesAsked(): number {
    return this.lockStep?.updatesAsked ?? 0
  }

  /** Observation k of an episode has the id of the step that follows it: ids increase over the run. */
  observationId(): number {
    return this.log.nextId
  }

  begin(task: string, seed: number, observation: Observation, seen: EncodedObservation): void {
    this.start = { episode: this.log.nextEpisode, task, source: 'online', seed }
    this.log.begin(this.start, observation)
    this.learner.begin(this.start, seen)
  }

  async step(happening: Happening, next: Observation, seen: EncodedObservation): Promise<void> {
    const step = { id: this.log.nextId, ...happening }
    this.log.step(step, next)
    this.learner.step(this.start!.episode, step, seen)
    this.robotSteps++
    if (this.lockStep && this.robotSteps % this.lockStep.publishEvery === 0) await this.turn(this.lockStep)
  }

  end({ ending }: EpisodeSummary): void {
    this.log.end({ ending })
    this.learner.end(this.start!.episode, { ending })
  }

  /** Waits for updates that are still running, and hands their parameters on. */
  async settle(): Promise<void> {
    if (this.block) this.apply(await this.block)
    this.block = undefined
  }

  /** Takes the parameters of the block before, and asks for the updates that are due by now. Fixed by the step count alone. */
  private async turn(lockStep: LockStep): Promise<void> {
    await this.settle()
    const due = Math.floor(this.robotSteps * lockStep.updatesPerStep) - lockStep.updatesAsked
    lockStep.updatesAsked += due
    this.block = this.learner.learn('online', due)
  }
}
