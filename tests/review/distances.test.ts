/** @file A command with a distance, by a robot that goes exactly where it is sent, and policies that obey by a known share. */
import { expect, it } from 'vitest'
import { distances } from '../../src/review/distances.ts'
import type { SteerRollout } from '../../src/review/steer.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { pointRobot } from './point-robot.ts'

const METRES = 0.01 // of a whole action unit, in each of 10 steps a second
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: METRES })

/** Goes `obeyed` action units along a command, and drifts upwards by itself. */
function aCrew(obeyed: number, drift = 0): SteerRollout {
  return {
    ...pointRobot(METRES),
    policy: {
      primary: async () => Float32Array.of(0, 0, drift, 0, 0, 0, 0),
      refined: async (_: unknown, command: string) =>
        Float32Array.from(
          [...translator.intent(command), 0, 0, 0, 0],
          (sign, i) => obeyed * sign + (i === 2 ? drift : 0),
        ),
    },
    translator,
  } as unknown as SteerRollout
}

const score = (asked: number, came: number, asAsked: number, inTime: number, seconds: number) => ({
  ...{ asked, asAsked, inTime },
  came: expect.closeTo(came, 3),
  seconds: expect.closeTo(seconds, 9),
})

const options = { tasks: ['pick'], statesPerTask: 2, seed: 0, noise: 'none', millimetres: [10, 25] } as const
const asks = { ...options, as: 'asks' } as const

it('a direction is followed until the tool has come so far, in as many steps as that takes', async () => {
  // 3 mm a step: 9 mm, 1 mm from there; 24 mm, less than 2.5 from there
  const [short, long] = await distances(aCrew(0.3), asks)
  expect(short).toEqual(score(10, 9, 1, 1, 0.3))
  expect(long).toEqual(score(25, 24, 1, 1, 0.8))
})

it('it is over after its time with a policy that hardly obeys: 2 s for 10 mm', async () => {
  const [short] = await distances(aCrew(0.02), asks)
  expect(short).toEqual(score(10, 4, 0, 0, 2))
})

it('what goes past is over, and too far where by more than 30 %', async () => {
  const [far] = await distances(aCrew(1.4), asks)
  expect(far).toEqual(score(10, 14, 0, 1, 0.1))
})

it('a distance carries the tool, however the policy obeys, and brings it back where it went past', async () => {
  // 3.33, 2.22, 1.48, 0.99 and 0.66 mm, less than 1 mm from there: what the policy would do along it does not count
  for (const obeyed of [0.02, -0.5, 1.4]) {
    const [short] = await distances(aCrew(obeyed), { ...options, as: 'carries' })
    expect(short).toEqual(score(10, 10 * (1 - (2 / 3) ** 6), 1, 1, 0.6))
  }
})

it('holds against it what the policy does where nothing is said', async () => {
  const [short] = await distances(aCrew(0.3, 0.2), { ...options, as: 'silent' })
  // up it comes 10 mm in 5 steps; down 40 mm the other way in its 2 s; the other four stand still
  expect(short).toMatchObject({ asAsked: expect.closeTo(1 / 6, 9), inTime: expect.closeTo(1 / 6, 9) })
})
