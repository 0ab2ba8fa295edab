/** @file Settings of an SO-101 that its five joints cannot keep. */
import { expect, it } from 'vitest'
import { armConfig } from './builders.ts'

it('a limit of its turn is refused: it turns with its position', () => {
  const workBox = { low: [0.08, -0.25, 0.01], high: [0.4, 0.25, 0.35] }
  const turn = { low: [-1, -1, -1], high: [1, 1, 1] }
  expect(() => armConfig({ safety: { workBox: { ...workBox, turn }, speed: 0.1 } })).toThrow(
    'five joints turn the tool',
  )
  expect(() => armConfig({ safety: { workBox, speed: 0.1 } })).not.toThrow()
})
