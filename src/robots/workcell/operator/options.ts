/** @file What kind of person the simulated operator is. Steps are 100 ms. */
import { InputError } from '../../../errors.ts'

export type SimulatedOperatorOptions = {
  reaction: number // steps from seeing a reason to having the hands on the device
  delay: number // steps by which a watching operator's picture of the scene is late
  handDelay: number // the same with the hands on, where practised people anticipate
  patience: { steps: number; fall: number } // stuck: Φ fell by less than `fall` within `steps`
  tolerance: number // off: Φ is this many steps above its best
  offset: number // m; funnel: beside the axis by more than this near a contact
  drift: number // steps in which that has not shrunk
  force: number // N; more, on two steps, is a reason
  shortest: number // steps of a takeover
  longest: number
  relief: number // Φ has to fall by this much before the operator hands back
  quiet: number // steps after handing back without a new reason, except force
  strength: number // share of the expert's action
  gain: number // of the correction; late hands want less than the expert's 0.6
  tremor: number // standard deviation, action units, on the axes that are pushed
  tremorMemory: number // AR(1) coefficient
  deadZone: number // of the device, action units
  sparsity: number // axes below this share of the largest translation axis are not pushed
  axes: number // motion axes that are pushed at a time, at most
  levels: number // speeds of the device from rest to full; 0: any
  button: number // steps that pressing the button of the gripper takes, in which the hand pushes nothing else
  confusion: number // probability that a takeover starts with left and right mixed up
}

/** A practised person: notices late, then steers with foresight and small pushes (docs/decisions/0011-operator.md). */
export const DEFAULT_OPERATOR: SimulatedOperatorOptions = {
  reaction: 2,
  delay: 1,
  handDelay: 0,
  patience: { steps: 15, fall: 2.5 },
  tolerance: 4,
  offset: 0.005,
  drift: 8,
  force: 60,
  shortest: 3,
  longest: 15,
  relief: 4,
  quiet: 4,
  strength: 1,
  gain: 0.6,
  tremor: 0.05,
  tremorMemory: 0.7,
  deadZone: 0.1,
  sparsity: 0.3,
  axes: 6,
  levels: 0,
  button: 0,
  confusion: 0,
}

/** Sees less, reacts later, shakes more, and one takeover in five starts to the wrong side. */
export const WEAK_OPERATOR: SimulatedOperatorOptions = {
  ...DEFAULT_OPERATOR,
  reaction: 5,
  delay: 2,
  handDelay: 2,
  patience: { steps: 20, fall: 2.5 },
  tolerance: 7,
  offset: 0.008,
  drift: 12,
  strength: 0.7,
  gain: 0.35,
  tremor: 0.2,
  confusion: 0.2,
}

/**
 * Somebody at a keyboard or a six-axis device: sees late with the hands on, too, and pushes less for it; two axes at a time,
 * at a few speeds that end well below the robot's; a button moves the gripper.
 */
export const PERSON: SimulatedOperatorOptions = {
  ...DEFAULT_OPERATOR,
  reaction: 4,
  delay: 2,
  handDelay: 1,
  strength: 0.8,
  gain: 0.4,
  tremor: 0.1,
  axes: 2,
  levels: 5,
  button: 2,
}

/** By the setting `operator.strength`. */
export const OPERATORS = { strong: DEFAULT_OPERATOR, weak: WEAK_OPERATOR, person: PERSON } as const

/** @throws InputError where a value makes no sense */
export function checkOperator(options: SimulatedOperatorOptions): SimulatedOperatorOptions {
  const whole = [
    'reaction',
    'delay',
    'handDelay',
    'shortest',
    'longest',
    'quiet',
    'drift',
    'axes',
    'levels',
    'button',
  ] as const
  for (const name of whole)
    if (!Number.isInteger(options[name]) || options[name] < 0)
      throw new InputError(`simulated operator, ${name}`, `is ${options[name]}`, 'Give a whole number, 0 or more')
  for (const name of ['strength', 'tremorMemory', 'deadZone', 'sparsity', 'confusion'] as const)
    if (!(options[name] >= 0 && options[name] <= 1))
      throw new InputError(`simulated operator, ${name}`, `is ${options[name]}`, 'Give a number from 0 to 1')
  if (options.longest < Math.max(1, options.shortest))
    throw new InputError(
      'simulated operator, longest',
      `is ${options.longest}`,
      'Give at least 1, and at least `shortest`',
    )
  return options
}
