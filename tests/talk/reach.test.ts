import { expect, it } from 'vitest'
import { carried } from '../../src/talk/reach.ts'

const action = Float32Array.of(0.9, -0.8, 0.7, 0.6, 0.5, 0.4, -1)
const motion = (...toGo: (number | null)[]) => [...carried(action, toGo, 0.015)].map((x) => Number(x.toFixed(6)))

it('a third of the rest is gone with each step, at four tenths of the largest action at most; all else is the policy’s', () => {
  // 9 mm: 3 mm a step, of 15 mm for a whole unit
  expect(motion(null, 0.009, null)).toEqual([0.9, 0.2, 0.7, 0.6, 0.5, 0.4, -1])
  expect(motion(-0.0045, null, 0.1)).toEqual([-0.1, -0.8, 0.4, 0.6, 0.5, 0.4, -1])
  expect(motion(-0.1, 0, null)).toEqual([-0.4, 0, 0.7, 0.6, 0.5, 0.4, -1])
  expect([...action].map((x) => Number(x.toFixed(6)))).toEqual([0.9, -0.8, 0.7, 0.6, 0.5, 0.4, -1]) // as it was
})
