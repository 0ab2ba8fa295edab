/**
 * @file The gripper's entry of an action: what it asks for, and its canonical form, in which steps are executed, recorded
 * and learned from. One grip has one number, whoever acts: a person who presses nothing asks for what is asked for already.
 */
import type { Channel } from './channels.ts'
import { ACTION_WIDTH, type Action } from './robot.ts'

/** What a gripper is asked for, as an action says it: -1 to open, 1 to close; 0 as long as nobody knows. */
export type AskedGrip = -1 | 0 | 1

export const GRIPPER_ENTRY = ACTION_WIDTH - 1 // of an action

const DECIDED = 0.5 // an entry beyond ± it asks for something; the others, 0 among them, leave it as it is

/** What is asked for after an entry, or a reading of role "grip". One that is no number changes nothing. */
export const gripAfter = (entry: number, before: AskedGrip): AskedGrip =>
  entry > DECIDED ? 1 : entry < -DECIDED ? -1 : before

/** What an observation tells of it, -1 to 1; 0 where the robot has no channel of role "grip". */
export function toldGrip(channels: readonly Channel[], proprio: ArrayLike<number>): number {
  const at = channels.findIndex(({ role }) => role === 'grip')
  return at < 0 ? 0 : proprio[at]!
}

/**
 * [7] A new action that means the same after `before` was asked for: its gripper entry is what is asked for then. An entry
 * that is no number stays, for whoever refuses it.
 */
export function canonicalAction(action: Action, before: AskedGrip): Action {
  const canonical = action.slice()
  const entry = canonical[GRIPPER_ENTRY]!
  if (!Number.isNaN(entry)) canonical[GRIPPER_ENTRY] = gripAfter(entry, before)
  return canonical
}

/**
 * The actions of one episode in canonical form, in order. `told[t]`: what the robot told before action t (`toldGrip`); the
 * state at the start is enough where it tells no more. Pure, idempotent; the robot moves alike under both forms.
 */
export function canonicalActions(actions: readonly Action[], told: readonly number[]): Action[] {
  let grip: AskedGrip = 0
  return actions.map((action, t) => {
    const canonical = canonicalAction(action, gripAfter(told[t] ?? 0, grip))
    grip = gripAfter(canonical[GRIPPER_ENTRY]!, gripAfter(told[t] ?? 0, grip))
    return canonical
  })
}
