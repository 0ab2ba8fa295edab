/**
 * @file Between corrections and words, both ways: which commands there are, what a correction would have been said as, and
 * what a command asks the arm to do. Whoever handles commands is given a translator and knows no words of its own.
 *
 * A translator cannot cross a thread, its settings can: `openTranslator` makes an equal one from them there.
 */
import { ACTION_WIDTH } from '../robot/robot.ts'
import { type Label, type LabelRule, type LabelStep, labelInterventions } from './labels.ts'
import { allCommands, commandDirection, type Direction, NULL_COMMAND, parseCommand } from './vocabulary.ts'

/** What can be said, once each. */
export type CommandSet = {
  nothing: string // the command that asks for nothing
  all: readonly string[] // `nothing` among them
  /** The command that a phrase stands for; null for a phrase that stands for none. Each command stands for itself. */
  read(phrase: string): string | null
}

export interface Translator {
  readonly commands: CommandSet
  readonly window: number // steps from which one label is made, at most
  /** One label a step, whose command is of the set; null where the operator did not act. */
  label(steps: readonly LabelStep[]): (Label | null)[]
  /**
   * [7], each in [-1, 1]: the direction of action that a command asks for; an entry that it leaves open is 0, and so are all
   * of `nothing` and of phrases that stand for no command. The caller may keep it.
   */
  intent(command: string): Float32Array
}

/** Along which translations, and which way, a command asks the tool to move. */
export function directionAsked(translator: Translator, command: string): Direction {
  const [x, y, z] = translator.intent(command)
  return [Math.sign(x!), Math.sign(y!), Math.sign(z!)]
}

/** Plain data, which another thread may be sent. */
export type TranslatorSettings = { kind: 'rule'; rule: LabelRule }

const translators = {
  rule: ({ rule }: TranslatorSettings) => ruleTranslator(rule),
} satisfies Record<TranslatorSettings['kind'], (settings: TranslatorSettings) => Translator>

export const openTranslator = (settings: TranslatorSettings): Translator => translators[settings.kind](settings)

/** The rule of docs/method.md §7 with its 27 commands: signs of displacement above a threshold. */
export function ruleTranslator(rule: LabelRule): Translator {
  const { axes, window } = rule
  return {
    commands: {
      nothing: NULL_COMMAND,
      all: allCommands(axes),
      read: (phrase) => parseCommand(phrase, axes),
    },
    window,
    label: (steps) => labelInterventions(steps, rule),
    intent(command) {
      const action = new Float32Array(ACTION_WIDTH)
      action.set(commandDirection(command, axes))
      return action
    },
  }
}
