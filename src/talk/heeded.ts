/** @file Talk becomes tweak: what the steps under a command teach of commands, where the words were heeded. */
import type { Label } from './labels.ts'
import { directionAsked, type Translator } from './translator.ts'

export type ToldStep = {
  action: ArrayLike<number> // executed
  command: string | null
  followed: boolean // by an actor that hears commands
}

/**
 * One label a step, by the rule of corrections over what was executed under the same command: it says what was done, which
 * is true whatever was asked. Null where nothing that asks for a motion was followed, and where the tool was not told to go
 * every way that was asked: such a step shows the error that the words were about, and nobody should learn to repeat it.
 */
export function heededLabels(steps: readonly ToldStep[], translator: Translator): (Label | null)[] {
  let stretch = 0 // steps in a row under one command, as a window may span
  const told = steps.map(({ action, command, followed }, t) => {
    const before = steps[t - 1]
    if (before && (before.command !== command || before.followed !== followed)) stretch++
    return { action, intervened: followed && command !== null, episode: stretch }
  })
  return translator
    .label(told)
    .map((label, t) => (label && isHeeded(translator, steps[t]!.command!, label.command) ? label : null))
}

/** Something was asked for, and on each axis of it the tool went that way; it may have gone another way besides. */
function isHeeded(translator: Translator, asked: string, done: string): boolean {
  const [wanted, went] = [directionAsked(translator, asked), directionAsked(translator, done)]
  return wanted.some((sign) => sign !== 0) && wanted.every((sign, axis) => sign === 0 || sign === went[axis])
}
