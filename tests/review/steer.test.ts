/** @file How far a command moves the tool, by a robot that goes exactly where it is sent, and a policy that obeys by a known share. */
import { expect, it } from 'vitest'
import { distanceAsked, type SteerRollout, steer } from '../../src/review/steer.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'
import { pointRobot } from './point-robot.ts'

const METRES = 0.015 // of a whole action unit
const SHIFT = 0.3
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: METRES })

/** Its policy drifts to the left by itself, and goes along a command by `share` of what is asked. */
function aCrew(share: number): SteerRollout {
  const drift = () => Float32Array.of(0, 0.2, 0, 0, 0, 0, 1)
  return {
    ...pointRobot(METRES),
    policy: {
      primary: async () => drift(),
      refined: async (_: unknown, command: string) =>
        drift().map((x, i) => x + share * SHIFT * translator.intent(command)[i]!),
    },
    translator,
  } as unknown as SteerRollout
}

const told = async (share: number) => {
  const options = { tasks: ['pick'], statesPerTask: 1, seed: 0, noise: 'none', shift: SHIFT } as const
  return steer(aCrew(share), options)
}

it('is asked for in metres: so many action units along each axis, for five steps', () => {
  expect(distanceAsked(SHIFT, { actionScale: { translation: METRES, rotation: 0.1 } })).toBeCloseTo(0.0225, 12)
})

it('counts as far as asked what is within 30 % of it, whatever the policy does by itself', async () => {
  for (const [share, asAsked] of [
    [1, 1],
    [0.75, 1],
    [0.65, 0],
    [1.25, 1],
    [1.35, 0],
    [-1, 0],
  ] as const) {
    const { commands, directions } = await told(share)
    expect(directions).toBe(share > 0 ? 1 : 0)
    expect(commands['move up']).toMatchObject({ asAsked, millimetres: expect.closeTo(22.5 * share, 3) })
    expect(commands['move left and up']).toMatchObject({
      asAsked,
      millimetres: expect.closeTo(22.5 * share * Math.SQRT2, 3),
    })
  }
})
