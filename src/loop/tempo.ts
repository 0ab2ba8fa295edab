/** @file Ties the learner's updates to the robots' steps in lock-step mode, all robots counted together. */
import type { ActorParameters } from '../learn/policy.ts'
import type { LearnerClient } from '../link/learner-client.ts'

export type LockStep = {
  updatesPerStep: number // of any robot: two robots make two steps in 100 ms and are due twice the updates
  publishEvery: number // steps between two publications
  updatesAsked: number // online updates that were asked for before, by an earlier part of the run
}

export class Tempo {
  /** The updates of the block before the last publication; awaited at the next one, so that robots and learner overlap. */
  private block?: Promise<ActorParameters>

  constructor(
    private readonly learner: Pick<LearnerClient, 'learn'>,
    /** Online steps of all robots so far, over all parts of the run. */
    public steps: number,
    private readonly lockStep: LockStep | undefined,
    private readonly apply: (values: ActorParameters) => void,
  ) {}

  get updatesAsked(): number {
    return this.lockStep?.updatesAsked ?? 0
  }

  /** Counts a step of any robot. Resolves at once, but where a publication is due. */
  async step(): Promise<void> {
    this.steps++
    if (this.lockStep && this.steps % this.lockStep.publishEvery === 0) await this.turn(this.lockStep)
  }

  /** Waits for updates that are still running, and hands their parameters on. */
  async settle(): Promise<void> {
    if (this.block) this.apply(await this.block)
    this.block = undefined
  }

  /** Takes the parameters of the block before, and asks for the updates that are due by now. Fixed by the step count alone. */
  private async turn(lockStep: LockStep): Promise<void> {
    await this.settle()
    const due = Math.floor(this.steps * lockStep.updatesPerStep) - lockStep.updatesAsked
    lockStep.updatesAsked += due
    this.block = this.learner.learn('online', due)
  }
}
