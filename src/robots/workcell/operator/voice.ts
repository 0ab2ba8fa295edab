/**
 * @file What a simulated person can say: the words for where the expert would move from a scene, whether an error is one for
 * words at all, and when they are enough.
 */
import type { Words } from '../../../robot/rig.ts'
import type { Action } from '../../../robot/robot.ts'
import { expertAction, expertPlan } from '../expert.ts'
import type { ExpertPlan } from '../plan.ts'
import type { Truth } from '../truth.ts'
import { length } from '../vector.ts'
import type { Snapshot, Workcell } from '../workcell.ts'

export type VoiceOptions = {
  speaking: number // steps from seeing a reason to the command being heard
  hold: number // steps for which a command holds at most: it is over once the tool came far enough
  small: number // m of the tool's way to where the expert would have it next: further away the hand is quicker
  turn: number // rad; an error that wants more than that is not one for words, which ask for translations
  heed: number // Φ has to fall by this a step under a command, or it was in vain; the expert's falls by about 1
  tries: number // windows in vain, one after the other, before the hands come
}

/** Half a second to speak; a command holds for 1.5 s at most, as at the console; near is what the gate calls near a contact. */
export const DEFAULT_VOICE: VoiceOptions = { speaking: 5, hold: 15, small: 0.04, turn: 0.15, heed: 0.2, tries: 2 }

/** Whether the way out of this scene is short, and a translation alone: no turn, the gripper as it is. */
export const isForWords = (
  { translation, rotation, close }: Pick<ExpertPlan, 'translation' | 'rotation' | 'close'>,
  gripper: Truth['gripper']['command'],
  { small, turn }: Pick<VoiceOptions, 'small' | 'turn'>,
): boolean => length(translation) <= small && length(rotation) <= turn && close === (gripper === 'close')

export class Voice {
  readonly options: VoiceOptions

  constructor(
    private readonly workcell: Workcell,
    private readonly words: Words,
    options: Partial<VoiceOptions> = {},
  ) {
    this.options = { ...DEFAULT_VOICE, ...options }
  }

  /** Steps that a command is judged by. */
  get window(): number {
    return this.words.window
  }

  /** The scene as it stands. */
  scene(): Snapshot {
    return this.workcell.snapshot()
  }

  isForWords(truth: Truth): boolean {
    return isForWords(expertPlan(truth), truth.gripper.command, this.options)
  }

  /**
   * The label of what the expert would do from that scene; undefined where it would not move the tool. `mirrored`: by
   * somebody who takes left for right.
   */
  wordsFor(scene: Snapshot, mirrored = false): string | undefined {
    const { words, workcell } = this
    const actions = expertAhead(workcell, scene, words.window)
    if (mirrored) for (const action of actions) action[1] = -action[1]!
    const { command } = words.label(actions.map((action) => ({ action, intervened: true })))[0]!
    return command === words.commands.nothing ? undefined : command
  }

  /**
   * In one of the entries that it asks for the expert would already go back, in the picture that the person has of the scene.
   * `said`: the picture when it was said; an entry in which the expert went the other way even then (first up, then down by
   * more) says nothing.
   */
  isEnough(command: string, truth: Truth, said?: Truth): boolean {
    const [now, then] = [expertAction(truth), said && expertAction(said)]
    return this.words
      .intent(command)
      .some((asked, entry) => asked * now[entry]! < 0 && (then === undefined || asked * then[entry]! > 0))
  }
}

/** What the expert would do over the next steps, to the end of the episode at most. The workcell is left as it was. */
export function expertAhead(workcell: Workcell, from: Snapshot, steps: number): Action[] {
  const present = workcell.snapshot()
  const actions: Action[] = []
  workcell.restore(from)
  for (let over = false; !over && actions.length < steps; ) {
    actions.push(expertAction(workcell.truth()))
    over = workcell.stepSync(actions.at(-1)!).terminated
  }
  workcell.restore(present)
  return actions
}
