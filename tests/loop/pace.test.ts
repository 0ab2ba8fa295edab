/** @file The pace of the loop: the robot's own rate, whatever that is. */
import { expect, it } from 'vitest'
import { Pace } from '../../src/loop/pace.ts'

it.each([
  [50, 1, 200],
  [10, 10, 100],
])('at %i Hz and speed %i eleven ticks take %i ms', async (rate, speed, ms) => {
  const pace = new Pace(rate, () => speed)
  const from = performance.now()
  for (let tick = 0; tick <= 10; tick++) await pace.tick()
  const took = performance.now() - from
  expect(took).toBeGreaterThan(ms - 15)
  expect(took).toBeLessThan(ms + 150)
})
