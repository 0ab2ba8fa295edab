/**
 * @file A simulated person who speaks instead of taking over. Sees the reasons that the simulated operator sees, a little
 * late; needs time to find words; says where the expert would move over the next J steps, in the words that it is given;
 * says when it is enough.
 */
import { InputError } from '../../../errors.ts'
import type { Tending } from '../../../robot/operator.ts'
import type { SpeakerReport, SpeakingPerson, Words } from '../../../robot/rig.ts'
import type { Action, Observation } from '../../../robot/robot.ts'
import { expertPlan } from '../expert.ts'
import { stepsToGo } from '../progress.ts'
import type { Truth } from '../truth.ts'
import type { Snapshot, Workcell } from '../workcell.ts'
import { contactOffset, Gate, type GateOptions, type Reason } from './gate.ts'
import { DEFAULT_OPERATOR } from './options.ts'
import { DEFAULT_VOICE, Voice, type VoiceOptions } from './voice.ts'

export type SpeakerOptions = GateOptions &
  Pick<VoiceOptions, 'speaking' | 'hold'> & {
    delay: number // steps by which the picture of the scene is late
    quiet: number // steps after a command without a new reason, except force
  }

/** Sees as the practised operator does. */
export const DEFAULT_SPEAKER: SpeakerOptions = {
  patience: DEFAULT_OPERATOR.patience,
  tolerance: DEFAULT_OPERATOR.tolerance,
  offset: DEFAULT_OPERATOR.offset,
  drift: DEFAULT_OPERATOR.drift,
  force: DEFAULT_OPERATOR.force,
  delay: DEFAULT_OPERATOR.delay,
  speaking: DEFAULT_VOICE.speaking,
  hold: DEFAULT_VOICE.hold,
  quiet: DEFAULT_OPERATOR.quiet,
}

type Doing =
  | { name: 'watching' }
  | { name: 'thinking'; reason: Reason; left: number }
  | { name: 'spoken'; command: string; left: number }

export class Speaker implements SpeakingPerson {
  readonly options: SpeakerOptions
  private readonly gate: Gate
  private readonly voice: Voice
  private readonly seen: { truth: Truth; snapshot: Snapshot }[] = [] // newest first
  private doing: Doing = { name: 'watching' }
  private quiet = 0
  private readonly counts = {
    steps: 0,
    spokenSteps: 0,
    commands: 0,
    wordless: 0, // reasons to speak where the expert would not move the tool
    reasons: { stuck: 0, off: 0, funnel: 0, force: 0 } satisfies Record<Reason, number>,
  }

  /** @throws InputError where a time is no whole number of steps */
  constructor(
    private readonly workcell: Workcell,
    words: Words,
    options: Partial<SpeakerOptions> = {},
  ) {
    this.voice = new Voice(workcell, words)
    this.options = { ...DEFAULT_SPEAKER, ...options }
    for (const [name, least] of [
      ['delay', 0],
      ['speaking', 0],
      ['quiet', 0],
      ['hold', 1],
    ] as const)
      if (!(Number.isInteger(this.options[name]) && this.options[name] >= least))
        throw new InputError(
          `speaker.${name}`,
          `is ${this.options[name]}`,
          `Give a whole number of steps from ${least} up`,
        )
    this.gate = new Gate(this.options)
  }

  begin(_task: string): void {
    this.seen.length = 0
    this.gate.clear()
    this.doing = { name: 'watching' }
    this.quiet = 0
  }

  tend(_observation: Observation, _planned: Action): Tending {
    this.seen.unshift({ truth: this.workcell.truth(), snapshot: this.workcell.snapshot() })
    this.seen.length = Math.min(this.seen.length, this.options.delay + 1)
    this.counts.steps++
    if (this.doing.name === 'spoken' && (this.doing.left === 0 || this.isEnough(this.doing.command))) this.fallSilent()
    if (this.doing.name === 'watching') this.watch()
    else if (this.doing.name === 'thinking' && --this.doing.left <= 0) this.speak(this.doing.reason)
    if (this.doing.name !== 'spoken') return {}
    this.doing.left--
    this.counts.spokenSteps++
    return { command: this.doing.command }
  }

  report(): SpeakerReport {
    return structuredClone(this.counts)
  }

  private watch(): void {
    const { truth } = this.seen.at(-1)!
    const reason = this.gate.look({
      potential: stepsToGo(truth),
      force: truth.contactForce,
      offset: contactOffset(expertPlan(truth)),
    })
    const attentive = this.quiet === 0 || reason === 'force'
    this.quiet = Math.max(0, this.quiet - 1)
    if (!reason || !attentive) return
    if (this.options.speaking > 0) this.doing = { name: 'thinking', reason, left: this.options.speaking }
    else this.speak(reason)
  }

  private speak(reason: Reason): void {
    const command = this.voice.wordsFor(this.seen.at(-1)!.snapshot)
    if (command === undefined) {
      this.counts.wordless++
      this.fallSilent()
      return
    }
    this.counts.commands++
    this.counts.reasons[reason]++
    this.doing = { name: 'spoken', command, left: this.options.hold }
  }

  private isEnough(command: string): boolean {
    return this.voice.isEnough(command, this.seen.at(-1)!.truth)
  }

  private fallSilent(): void {
    this.doing = { name: 'watching' }
    this.gate.clear()
    this.quiet = this.options.quiet
  }
}
