/** @file A command with a distance, by a robot that goes exactly where it is sent, and policies that obey by a known share. */
import { expect, it } from 'vitest'
import { distances } from '../../src/review/distances.ts'
import type { SteerRollout } from '../../src/review/steer.ts'
import { vector } from '../../src/robot/channels.ts'
import { LABEL_DEFAULTS } from '../../src/talk/labels.ts'
import { ruleTranslator } from '../../src/talk/translator.ts'

const METRES = 0.01 // of a whole action unit, in each of 10 steps a second
const translator = ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: METRES })

/** Goes `obeyed` action units along a command, and drifts upwards by itself. */
function aCrew(obeyed: number, drift = 0): SteerRollout {
  let tool: [number, number, number] = [0, 0, 0]
  const observation = () => ({ proprio: Float32Array.from(tool) })
  return {
    robot: {
      spec: { rate: 10, tasks: { pick: { maxSteps: 9 } }, channels: vector('tool', 'm', { of: 'position' }) },
      reset: async () => {
        tool = [0, 0, 0]
        return observation()
      },
      observe: async () => observation(),
      step: async (action: Float32Array) => {
        tool = tool.map((x, i) => x + METRES * action[i]!) as typeof tool
        return { observation: observation(), terminated: false }
      },
    },
    simulation: {
      snapshot: () => [...tool],
      restore: (scene: unknown) => (tool = [...(scene as typeof tool)]),
      tool: () => [...tool],
    },
    perception: { see: async () => ({}) },
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

const options = { tasks: ['pick'], statesPerTask: 2, seed: 0, noise: 'none', millimetres: [10, 25] } as const

it('is carried out until the tool has come so far, in as many steps as that takes', async () => {
  // 3 mm a step: 9 mm, of which half a step more is over 10; 24 mm likewise
  const [short, long] = await distances(aCrew(0.3), options)
  expect(short).toEqual({
    asked: 10,
    came: expect.closeTo(9, 3),
    asAsked: 1,
    inTime: 1,
    seconds: expect.closeTo(0.3, 9),
  })
  expect(long).toEqual({
    asked: 25,
    came: expect.closeTo(24, 3),
    asAsked: 1,
    inTime: 1,
    seconds: expect.closeTo(0.8, 9),
  })
})

it('is over after its time with a policy that hardly obeys: 2 s for 10 mm', async () => {
  const [short] = await distances(aCrew(0.02), options)
  expect(short).toEqual({ asked: 10, came: expect.closeTo(4, 3), asAsked: 0, inTime: 0, seconds: expect.closeTo(2, 9) })
})

it('counts what passes by 30 % as too far', async () => {
  const [short] = await distances(aCrew(0.75), options) // 7.5 mm, and half of that more is past 10
  expect(short).toMatchObject({ came: expect.closeTo(7.5, 3), asAsked: 1, seconds: expect.closeTo(0.1, 9) })
  const [far] = await distances(aCrew(1.4), options)
  expect(far).toMatchObject({ came: expect.closeTo(14, 3), asAsked: 0, inTime: 1, seconds: expect.closeTo(0.1, 9) })
})

it('holds against it what the policy does where nothing is said', async () => {
  const [short] = await distances(aCrew(0.3, 0.2), { ...options, silent: true })
  // up it comes 10 mm in 5 steps; down 40 mm the other way in its 2 s; the other four stand still
  expect(short).toMatchObject({ asAsked: expect.closeTo(1 / 6, 9), inTime: expect.closeTo(1 / 6, 9) })
})
