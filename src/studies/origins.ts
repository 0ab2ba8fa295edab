/** @file What the policies of a comparison came of, in sentences made from their settings: encoder, demonstrations, operator. */
import { OPERATORS } from '../robots/workcell/operator/options.ts'
import type { RunConfig } from '../run/config.ts'
import { KINDS } from '../vla/encoders.ts'

export function describeEncoder({ vla }: Pick<RunConfig, 'vla'>): string {
  const { pretrainedOn } = KINDS.find(({ name }) => name === vla)!
  return `Encoder: ${vla}, frozen, pretrained on ${pretrainedOn}.`
}

export const describeDemonstrations = ({ demonstrations: { perTask, noise } }: Pick<RunConfig, 'demonstrations'>) =>
  `${perTask} demonstrations a task by the scripted expert, whose actions wander by ${noise} (standard deviation, of the largest action)`

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
    `expert's action, a gain of ${hand.gain} and a tremor of ${hand.tremor} (standard deviation, of the largest action); ` +
    `${100 * hand.confusion} % of takeovers begin with left and right mixed up.`
  )
}
