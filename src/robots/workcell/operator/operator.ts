/**
 * @file A simulated person beside the simulated workcell. Looks at the scene, a little late; knows nothing of the policy
 * and does not look at its plans; takes over when things go wrong, corrects, and hands back.
 */

import { RandomStream, type StreamState } from '../../../random/stream.ts'
import type { Tending } from '../../../robot/operator.ts'
import type { SimulatedPerson } from '../../../robot/rig.ts'
import type { Action, Observation } from '../../../robot/robot.ts'
import { expertAction, expertPlan } from '../expert.ts'
import { stepsToGo } from '../progress.ts'
import type { Truth } from '../truth.ts'
import { contactOffset, Gate, type Reason } from './gate.ts'
import { OperatorHand } from './hand.ts'
import { checkOperator, DEFAULT_OPERATOR, type SimulatedOperatorOptions } from './options.ts'

/** What the operator did so far; JSON-safe. */
export type OperatorReport = {
  steps: number
  operatorSteps: number
  takeovers: Record<Reason, number>
}

/** To resume a run between two episodes; JSON-safe. */
export type SimulatedOperatorState = { random: StreamState; report: OperatorReport }

type Doing =
  | { name: 'watching' }
  | { name: 'reacting'; reason: Reason; left: number }
  | { name: 'correcting'; step: number; before: number; mirrored: boolean } // before: Φ when the hands came on

const CONFUSED_STEPS = 4 // then the operator sees that left was right

export class SimulatedOperator implements SimulatedPerson {
  readonly options: SimulatedOperatorOptions
  private readonly truth: () => Truth
  private readonly random: RandomStream
  private readonly gate: Gate
  private readonly hand: OperatorHand
  private readonly seen: Truth[] = [] // the last states, newest first, as many as the longer delay needs
  private doing: Doing = { name: 'watching' }
  private quiet = 0
  private counts: OperatorReport = { steps: 0, operatorSteps: 0, takeovers: { stuck: 0, off: 0, funnel: 0, force: 0 } }

  /** `truth` reads the scene as it is now; each call must return a new object. */
  constructor(truth: () => Truth, seed: number, options: Partial<SimulatedOperatorOptions> = {}) {
    this.options = checkOperator({ ...DEFAULT_OPERATOR, ...options })
    this.truth = truth
    this.random = new RandomStream(seed, 'simulated operator')
    this.gate = new Gate(this.options)
    this.hand = new OperatorHand(this.options, this.random)
  }

  begin(_task: string): void {
    this.seen.length = 0
    this.gate.clear()
    this.doing = { name: 'watching' }
    this.quiet = 0
  }

  tend(_observation: Observation, _planned: Action): Tending {
    const { delay, handDelay } = this.options
    this.seen.unshift(this.truth())
    this.seen.length = Math.min(this.seen.length, Math.max(delay, handDelay) + 1)
    const scene = this.picture(delay)
    const potential = stepsToGo(scene)
    this.counts.steps++
    if (this.doing.name === 'correcting' && this.mayHandBack(potential)) this.handBack()
    if (this.doing.name === 'watching') this.watch(scene, potential)
    else if (this.doing.name === 'reacting' && --this.doing.left <= 0) this.takeOver(this.doing.reason, potential)
    if (this.doing.name !== 'correcting') return {}
    this.counts.operatorSteps++
    return { takeover: this.correct(this.picture(handDelay)) }
  }

  /** The scene as it was that many steps ago, or as long ago as the episode goes back. */
  private picture(late: number): Truth {
    return this.seen[Math.min(late, this.seen.length - 1)]!
  }

  /** Share of the steps so far that the operator executed, and why it took over. */
  report(): OperatorReport & { share: number } {
    const { steps, operatorSteps, takeovers } = this.counts
    return { steps, operatorSteps, takeovers: { ...takeovers }, share: steps === 0 ? 0 : operatorSteps / steps }
  }

  /** Between episodes: what a takeover in progress knows is not part of it. */
  save(): SimulatedOperatorState {
    return structuredClone({ random: this.random.save(), report: this.counts })
  }

  restore(state: unknown): void {
    const { random, report } = state as SimulatedOperatorState
    this.random.restore(random)
    this.counts = structuredClone(report)
    this.begin('')
  }

  private watch(scene: Truth, potential: number): void {
    const offset = contactOffset(expertPlan(scene))
    const reason = this.gate.look({ potential, force: scene.contactForce, offset })
    const attentive = this.quiet === 0 || reason === 'force'
    this.quiet = Math.max(0, this.quiet - 1)
    if (!reason || !attentive) return
    if (this.options.reaction > 0) this.doing = { name: 'reacting', reason, left: this.options.reaction }
    else this.takeOver(reason, potential)
  }

  private takeOver(reason: Reason, potential: number): void {
    this.counts.takeovers[reason]++
    const mirrored = this.random.uniform() < this.options.confusion
    this.doing = { name: 'correcting', step: 0, before: potential, mirrored }
    this.hand.take(this.picture(this.options.handDelay).gripper.command)
  }

  private mayHandBack(potential: number): boolean {
    if (this.doing.name !== 'correcting') return false
    const { step, before } = this.doing
    const { shortest, longest, relief } = this.options
    return step >= longest || (step >= shortest && before - potential >= relief)
  }

  private handBack(): void {
    this.doing = { name: 'watching' }
    this.gate.clear()
    this.quiet = this.options.quiet
  }

  private correct(scene: Truth): Action {
    const intention = expertAction(scene, this.options.gain)
    if (this.doing.name === 'correcting' && this.doing.mirrored && this.doing.step < CONFUSED_STEPS)
      intention[1] = -intention[1]!
    if (this.doing.name === 'correcting') this.doing.step++
    return this.hand.push(intention)
  }
}
