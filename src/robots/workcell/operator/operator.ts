/**
 * @file A simulated person beside the simulated workcell. Looks at the scene, a little late; knows nothing of the policy
 * and does not look at its plans; takes over when things go wrong, corrects, and hands back. Given a voice, speaks where a
 * word is enough, and takes over where it is not, or was not.
 */

import { RandomStream, type StreamState } from '../../../random/stream.ts'
import type { Tending } from '../../../robot/operator.ts'
import type { SimulatedPerson } from '../../../robot/rig.ts'
import type { Action, Observation } from '../../../robot/robot.ts'
import { expertAction, expertPlan } from '../expert.ts'
import { stepsToGo } from '../progress.ts'
import type { Truth } from '../truth.ts'
import type { Snapshot } from '../workcell.ts'
import { contactOffset, Gate, type Reason } from './gate.ts'
import { OperatorHand } from './hand.ts'
import { checkOperator, DEFAULT_OPERATOR, type SimulatedOperatorOptions } from './options.ts'
import type { Voice } from './voice.ts'

/** What the operator did so far; JSON-safe. */
export type OperatorReport = {
  steps: number
  operatorSteps: number
  takeovers: Record<Reason, number>
  /** Of an operator with a voice. `wordless`: meant to speak, found no word, took over; `vain`: took over after words that did not help. */
  spoken?: { steps: number; commands: number; wordless: number; vain: number }
}

/** To resume a run between two episodes; JSON-safe. */
export type SimulatedOperatorState = { random: StreamState; report: OperatorReport }

type Doing =
  | { name: 'watching' }
  | { name: 'reacting'; reason: Reason; left: number }
  | { name: 'correcting'; step: number; before: number; mirrored: boolean } // before: Φ when the hands came on
  | { name: 'thinking'; reason: Reason; left: number }
  /** `said`: the picture of then, where it was right. `held`: steps under it so far, `from` of them when its last window began, with `before` the Φ of then. */
  | { name: 'speaking'; reason: Reason; command: string; said?: Truth; held: number; from: number; before: number }

const CONFUSED_STEPS = 4 // then the operator sees that left was right
const SILENT = { steps: 0, commands: 0, wordless: 0, vain: 0 }

export class SimulatedOperator implements SimulatedPerson {
  readonly options: SimulatedOperatorOptions
  private readonly truth: () => Truth
  private readonly random: RandomStream
  private readonly gate: Gate
  private readonly hand: OperatorHand
  private readonly seen: { truth: Truth; scene?: Snapshot }[] = [] // newest first, as many as the longer delay needs
  private doing: Doing = { name: 'watching' }
  private quiet = 0
  private vain = 0 // windows of words in a row that did not help
  private counts: OperatorReport = { steps: 0, operatorSteps: 0, takeovers: { stuck: 0, off: 0, funnel: 0, force: 0 } }

  /** `truth` reads the scene as it is now; each call must return a new object. `voice`: speaks, too, to somebody who follows commands. */
  constructor(
    truth: () => Truth,
    seed: number,
    options: Partial<SimulatedOperatorOptions> = {},
    private readonly voice?: Voice,
  ) {
    this.options = checkOperator({ ...DEFAULT_OPERATOR, ...options })
    this.truth = truth
    this.random = new RandomStream(seed, 'simulated operator')
    this.gate = new Gate(this.options)
    this.hand = new OperatorHand(this.options, this.random)
    if (voice) this.counts.spoken = { ...SILENT }
  }

  begin(_task: string): void {
    this.seen.length = 0
    this.gate.clear()
    this.doing = { name: 'watching' }
    this.quiet = 0
    this.vain = 0
  }

  tend(_observation: Observation, _planned: Action): Tending {
    const { delay, handDelay } = this.options
    this.seen.unshift({ truth: this.truth(), scene: this.voice?.scene() })
    this.seen.length = Math.min(this.seen.length, Math.max(delay, handDelay) + 1)
    const scene = this.picture(delay)
    const potential = stepsToGo(scene)
    this.counts.steps++
    if (this.doing.name === 'correcting' && this.mayHandBack(potential)) this.handBack()
    if (this.doing.name === 'watching') this.watch(scene, potential)
    else if (this.doing.name === 'reacting' && --this.doing.left <= 0) this.takeOver(this.doing.reason, potential)
    else if (this.doing.name === 'thinking') this.think(scene, potential)
    else if (this.doing.name === 'speaking') this.listen(scene, potential)
    if (this.doing.name === 'speaking') {
      this.counts.spoken!.steps++
      return { command: this.doing.command }
    }
    if (this.doing.name !== 'correcting') return {}
    this.counts.operatorSteps++
    return { takeover: this.correct(this.picture(handDelay)) }
  }

  /** The scene as it was that many steps ago, or as long ago as the episode goes back. */
  private picture(late: number): Truth {
    return this.seen[Math.min(late, this.seen.length - 1)]!.truth
  }

  /** Share of the steps so far that the operator executed, and why it took over. */
  report(): OperatorReport & { share: number } {
    const { steps, operatorSteps } = this.counts
    return { ...structuredClone(this.counts), share: steps === 0 ? 0 : operatorSteps / steps }
  }

  /** Between episodes: what a takeover in progress knows is not part of it. */
  save(): SimulatedOperatorState {
    return structuredClone({ random: this.random.save(), report: this.counts })
  }

  restore(state: unknown): void {
    const { random, report } = state as SimulatedOperatorState
    this.random.restore(random)
    this.counts = structuredClone(report)
    if (this.voice) this.counts.spoken ??= { ...SILENT } // an earlier part of the run may have been without
    this.begin('')
  }

  private look(scene: Truth, potential: number): Reason | null {
    return this.gate.look({ potential, force: scene.contactForce, offset: contactOffset(expertPlan(scene)) })
  }

  private watch(scene: Truth, potential: number): void {
    const reason = this.look(scene, potential)
    const attentive = this.quiet === 0 || reason === 'force'
    this.quiet = Math.max(0, this.quiet - 1)
    if (!reason || !attentive) return
    const { voice } = this
    if (!voice || reason === 'force' || !voice.isForWords(scene)) this.reach(reason, potential)
    else if (voice.options.speaking > 0) this.doing = { name: 'thinking', reason, left: voice.options.speaking }
    else this.speak(reason, potential)
  }

  /** For the device: the hands are on it after the time that it takes to react. */
  private reach(reason: Reason, potential: number): void {
    if (this.options.reaction > 0) this.doing = { name: 'reacting', reason, left: this.options.reaction }
    else this.takeOver(reason, potential)
  }

  /** Looks on while the words come: where something presses meanwhile it is the hand's turn. */
  private think(scene: Truth, potential: number): void {
    if (this.doing.name !== 'thinking') return
    const { reason } = this.doing
    if (this.look(scene, potential) === 'force') this.reach('force', potential)
    else if (--this.doing.left <= 0) this.speak(reason, potential)
  }

  /** By the picture of now: while the words were found the error may have grown, or gone another way. */
  private speak(reason: Reason, before: number): void {
    const voice = this.voice!
    const mirrored = this.random.uniform() < this.options.confusion
    const { truth, scene } = this.seen[Math.min(this.options.delay, this.seen.length - 1)]!
    const command = voice.isForWords(truth) ? voice.wordsFor(scene!, mirrored) : undefined
    if (command === undefined) {
      this.counts.spoken!.wordless++
      this.takeOver(reason, before)
      return
    }
    this.counts.spoken!.commands++
    this.doing = { name: 'speaking', reason, command, said: mirrored ? undefined : truth, held: 0, from: 0, before }
  }

  /** Another step was taken under the command. Each window of it, and its end, says whether the words help. */
  private listen(scene: Truth, potential: number): void {
    if (this.doing.name !== 'speaking') return
    const { window, options } = this.voice!
    const { reason, command, said, from, before } = this.doing
    const held = ++this.doing.held
    if (this.look(scene, potential) === 'force') {
      this.reach('force', potential)
      return
    }
    const over = held >= options.hold || this.voice!.isEnough(command, scene, said)
    if (!over && held - from < window) return
    this.vain = before - potential >= options.heed * (held - from) ? 0 : this.vain + 1
    if (this.vain >= options.tries) {
      this.counts.spoken!.vain++
      this.reach(reason, potential)
    } else if (over) this.handBack()
    else Object.assign(this.doing, { from: held, before: potential })
  }

  private takeOver(reason: Reason, potential: number): void {
    this.counts.takeovers[reason]++
    this.vain = 0
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

  /** To the policy, which has a while to itself. */
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
