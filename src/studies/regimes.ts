/** @file Regimes in which methods can differ: a name, one sentence, and settings on top of the preset `quick`. */
import { InputError } from '../errors.ts'
import type { Experiment, Overrides } from './experiment.ts'

export type Regime = { sentence: string; settings: Overrides }

/** Step 0 of each but the first lies between 20 and 60 % (docs/simulator.md §11), so that there is something to learn. */
export const REGIMES = {
  standard: {
    sentence: 'As the preset has it: 20 demonstrations a task with a spread of 0.2, a strong operator.',
    settings: {},
  },
  weak: {
    sentence:
      'An operator who notices later, has an unsteady hand and is sometimes wrong; 5 shaky demonstrations a task.',
    settings: { demonstrations: { perTask: 5, noise: 0.3 }, operator: { strength: 'weak' } },
  },
  none: {
    sentence: 'No operator at all; the demonstrations of `weak`.',
    settings: { demonstrations: { perTask: 5, noise: 0.3 }, operator: { kind: 'none' } },
  },
  few: {
    sentence: '3 clean demonstrations a task, a strong operator.',
    settings: { demonstrations: { perTask: 3, noise: 0.05 } },
  },
  hard: {
    sentence: 'Slots with a friction of 1, bolts with a flat tip, half the clearance; 20 clean demonstrations a task.',
    settings: {
      demonstrations: { noise: 0.05 },
      robot: { slotFriction: 1, clearance: 0.000375, tip: 'flat' },
    },
  },
  wide: {
    sentence:
      'The tool begins up to 30 mm and 0.3 rad further away, fixtures stand up to 30 mm and 0.3 rad from their places, three toys lie about, a panel hides the front camera in half of the episodes.',
    settings: {
      demonstrations: { noise: 0.1 },
      robot: { starts: { tool: 0.03, turn: 0.3, fixtures: 0.02, yaw: 0.24 }, toys: 3, frontHidden: 0.5 },
    },
  },
  human: {
    sentence:
      'Demonstrations and corrections as a person gives them by a device: late, two axes at a time at five speeds, the gripper by a button.',
    settings: { demonstrations: { by: 'person', noise: 0.05 }, operator: { strength: 'person' } },
  },
} as const satisfies Record<string, Regime>

export type RegimeName = keyof typeof REGIMES
export const REGIME_NAMES = Object.keys(REGIMES) as RegimeName[]

/**
 * The experiment as it is called in a regime: runs, values, plots and its section of docs/results.md lie under a name of
 * their own. @throws InputError where it trains no run that a regime could be of
 */
export function inRegime(experiment: Experiment, name: RegimeName): Experiment {
  if (experiment.trains === false)
    throw new InputError(
      `--regime ${name}`,
      `experiment "${experiment.name}" trains no run: a regime would change nothing`,
      'Leave it out',
    )
  if (name === 'standard') return experiment
  const called = (plain: string) => `${plain}-${name}`
  return {
    ...experiment,
    name: called(experiment.name),
    asked: `${experiment.name} --regime ${name}`,
    title: `${experiment.title}: ${name}`,
    question: `${experiment.question} Regime *${name}*: ${REGIMES[name].sentence}`,
    ...(experiment.runsOf && { runsOf: called(experiment.runsOf) }),
  }
}
