/** @file The pace of the loop: the robot's own rate, whatever that is. */
import { describe, expect, it } from 'vitest'
import { Pace, paceOf } from '../../src/loop/pace.ts'
import type { SafeRobot } from '../../src/robot/safety.ts'

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

describe('the pace of a run', () => {
  const rig = (real: boolean) => ({ real, robot: { spec: { rate: 10 } } as SafeRobot })
  const periods = async (...of: Parameters<typeof paceOf>) => {
    const began = performance.now()
    const pace = paceOf(...of)
    for (let i = 0; i < 4; i++) await pace.tick()
    return (performance.now() - began) / 3 // ms; the first begins at once
  }

  it('is real time for a real robot, whatever the settings and the observer say', async () => {
    expect(await periods(rig(true), { online: { pace: 50 } }, { speed: () => 50 })).toBeGreaterThan(95)
  })

  it('is that of the settings in simulation, unless somebody who watches wants another', async () => {
    expect(await periods(rig(false), { online: { pace: 4 } })).toBeGreaterThan(24)
    expect(await periods(rig(false), { online: { pace: 4 } })).toBeLessThan(90)
    expect(await periods(rig(false), { online: { pace: 100 } }, { speed: (pace) => pace / 50 })).toBeGreaterThan(45)
    expect(await periods(rig(false), { online: {} })).toBeLessThan(20)
  })
})
