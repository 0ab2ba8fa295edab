/** @file Regimes in which methods can differ: names, one sentence, and settings on top of the preset `quick`. */
import type { Regime } from './experiment.ts'

const FEWER_SHAKIER = { perTask: 8, noise: 0.25 }

/** Each but the first is to leave something to learn: less is shown, or harder scenes. */
export const REGIMES = [
  {
    name: 'standard',
    title: 'standard',
    sentence: 'As the preset has it: 20 demonstrations a task with a spread of 0.2, a strong operator.',
    settings: {},
  },
  {
    name: 'weak',
    title: 'weak operator',
    sentence:
      'An operator who notices later, has an unsteady hand and is sometimes wrong; 8 shakier demonstrations a task.',
    settings: { demonstrations: FEWER_SHAKIER, operator: { strength: 'weak' } },
  },
  {
    name: 'none',
    title: 'no operator',
    sentence: 'No operator at all; the demonstrations of `weak`.',
    settings: { demonstrations: FEWER_SHAKIER, operator: { kind: 'none' } },
  },
  {
    name: 'few',
    title: 'few demonstrations',
    sentence: '3 clean demonstrations a task, a strong operator.',
    settings: { demonstrations: { perTask: 3, noise: 0.05 } },
  },
  {
    name: 'hard',
    title: 'hard slots',
    sentence: 'Slots with a friction of 1, bolts with a flat tip, half the clearance; 20 clean demonstrations a task.',
    settings: {
      demonstrations: { noise: 0.05 },
      robot: { slotFriction: 1, clearance: 0.000375, tip: 'flat' },
    },
  },
  {
    name: 'wide',
    title: 'wide starts',
    sentence:
      'The tool begins up to 30 mm and 0.3 rad further away, fixtures stand up to 30 mm and 0.3 rad from their places, three toys lie about, a panel hides the front camera in half of the episodes.',
    settings: {
      demonstrations: { noise: 0.1 },
      robot: { starts: { tool: 0.03, turn: 0.3, fixtures: 0.02, yaw: 0.24 }, toys: 3, frontHidden: 0.5 },
    },
  },
  {
    name: 'human',
    title: "a person's device",
    sentence:
      'Demonstrations and corrections as a person gives them by a device: late, two axes at a time at five speeds, the gripper by a button.',
    settings: { demonstrations: { by: 'person', noise: 0.05 }, operator: { strength: 'person' } },
  },
] as const satisfies readonly Regime[]

export type RegimeName = (typeof REGIMES)[number]['name']
export const REGIME_NAMES: readonly RegimeName[] = REGIMES.map(({ name }) => name)

export const regimeCalled = (name: RegimeName): Regime => REGIMES.find((regime) => regime.name === name)!

/** Where none is asked for. */
export const STANDARD = regimeCalled('standard')
