/** @file What the policies of a comparison came of, in sentences made from their settings: encoder, demonstrations, operator. */
import { OPERATORS, type SimulatedOperatorOptions } from '../robots/workcell/operator/options.ts'
import type { RunConfig } from '../run/config.ts'
import { KINDS } from '../vla/encoders.ts'

export function describeEncoder({ vla }: Pick<RunConfig, 'vla'>): string {
  const { pretrainedOn } = KINDS.find(({ name }) => name === vla)!
  return `Encoder: ${vla}, frozen, pretrained on ${pretrainedOn}.`
}

export function describeDemonstrations({ demonstrations: { perTask, noise, by } }: Pick<RunConfig, 'demonstrations'>) {
  const demonstrator = {
    expert: 'the scripted expert, whose actions wander',
    person: "the scripted expert at a person's device, whose pushes wander",
  }[by]
  return `${perTask} demonstrations a task by ${demonstrator} by ${noise} (standard deviation, of the largest action)`
}

/** What the person who corrected was like, in figures. */
export function describeOperator({ operator: { kind, strength } }: Pick<RunConfig, 'operator'>): string {
  if (kind === 'none') return 'Nobody corrects.'
  const { reaction, delay, handDelay, patience, tolerance, offset, shortest, longest, ...hand } = OPERATORS[strength]
  const ms = (steps: number) => `${100 * steps} ms`
  return (
    `Operator (${strength}): takes over when the way to the goal, counted in steps of the scripted expert, shrank by less than ` +
    `${patience.fall} within ${ms(patience.steps)}, grew by ${tolerance} over its best, or the tool is more than ` +
    `${1000 * offset} mm off its axis near a contact; sees that with ${ms(delay)} of delay and needs ${ms(reaction)} to act; ` +
    `holds on for ${ms(shortest)} to ${ms(longest)}, seeing with ${ms(handDelay)} of delay; pushes with ${hand.strength} of the ` +
    `expert's action, a gain of ${hand.gain} and a tremor of ${hand.tremor} (standard deviation, of the largest action)${describeDevice(hand)}; ` +
    `${100 * hand.confusion} % of takeovers begin with left and right mixed up.`
  )
}

/** What a device keeps a hand from; nothing, where it moves all axes at any speed. */
function describeDevice({
  axes,
  levels,
  button,
}: Pick<SimulatedOperatorOptions, 'axes' | 'levels' | 'button'>): string {
  if (levels === 0) return ''
  return `, ${axes} axes at a time at ${levels} speeds, and none for the ${100 * button} ms that the gripper's button takes`
}
