/**
 * @file Ties the learner to the robots' steps, all robots counted together: in lock-step the updates are due by the step
 * count; in free mode the learner goes at its own pace, and whatever it published last is taken up between two steps.
 */
import type { ActorParameters } from '../learn/policy.ts'
import type { Learned, LearnerControl, Weights } from '../link/ports.ts'

export type LockStep = {
  updatesPerStep: number // of any robot: two robots make two steps in 100 ms and are due twice the updates
  publishEvery: number // steps between two publications
  updatesAsked: number // online updates that were asked for before, by an earlier part of the run
}

export type ScheduleLink = { control: Pick<LearnerControl, 'learn'>; weights: Weights }

export class UpdateSchedule {
  /** The updates of the block before the last publication; awaited at the next one, so that robots and learner overlap. */
  private block?: Promise<Learned>
  /** What the policy acts with; none before the first publication. */
  acting: ActorParameters | undefined

  constructor(
    private readonly link: ScheduleLink,
    /** Online steps of all robots so far, over all parts of the run. */
    public steps: number,
    private readonly lockStep: LockStep | undefined,
    private readonly apply: (values: ActorParameters) => void,
  ) {}

  get updatesAsked(): number {
    return this.lockStep?.updatesAsked ?? 0
  }

  /** Counts a step of any robot. Resolves at once, but where a publication of lock-step is due. */
  async step(): Promise<void> {
    this.steps++
    if (!this.lockStep) this.takeUp()
    else if (this.steps % this.lockStep.publishEvery === 0) await this.turn(this.lockStep)
  }

  /** Waits for updates that are still running, and hands their parameters on. */
  async settle(): Promise<void> {
    const learned = await this.block
    this.block = undefined
    if (this.lockStep && learned) this.lockStep.updatesAsked -= learned.cut // they are still due
    this.takeUp()
  }

  /** The newest parameters act from here on. */
  takeUp(): void {
    const values = this.link.weights.newest?.values
    if (values && values !== this.acting) this.apply(values)
    this.acting = values
  }

  /** Takes the parameters of the block before, and asks for the updates that are due by now. Fixed by the step count alone. */
  private async turn(lockStep: LockStep): Promise<void> {
    await this.settle()
    const due = Math.floor(this.steps * lockStep.updatesPerStep) - lockStep.updatesAsked
    lockStep.updatesAsked += due
    this.block = this.link.control.learn('online', due)
    this.block.catch(() => {}) // a learner that is lost is told of by the run's Failure, and here where the block is awaited
  }
}
