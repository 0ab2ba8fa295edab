/** @file The way of an arm to its start: within the work box from wherever in it the arm was left, or refused. */
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../../src/random/stream.ts'
import { beyond } from '../../../src/robot/work-box.ts'
import { fromSteps } from '../../../src/robots/so101/calibration.ts'
import { BUILT_RANGES, posture } from '../../../src/robots/so101/chain.ts'
import { JOINTS, toRadians } from '../../../src/robots/so101/joints.ts'
import { SIMULATED_CALIBRATION, simulatedServos } from '../../../src/robots/so101/simulated/arm.ts'
import type { SimulatedServo } from '../../../src/robots/so101/simulated/servo.ts'
import { type Leg, legsTo } from '../../../src/robots/so101/way.ts'
import { anArm } from './builders.ts'

const BOX = { low: [0.08, -0.25, 0.01], high: [0.4, 0.25, 0.35] }
const POINTS = 100 // of a leg
const START = [...[0, -25, 20, 70, 0].map(toRadians), 1]

const between = (from: readonly number[], to: readonly number[], share: number) =>
  from.map((value, j) => value + (to[j]! - value) * share)

const lowest = (angles: readonly number[]) => Math.min(...posture(angles).joints.map(({ position }) => position[2]))

/** At many points of the way: how far the tool comes outside of the box at most, and how low a joint, metres. */
function extremes(from: readonly number[], legs: readonly Pick<Leg, 'to'>[]) {
  let out = 0
  let low = Number.POSITIVE_INFINITY
  let at = from
  for (const { to } of legs) {
    for (let k = 0; k <= POINTS; k++) {
      const angles = between(at, to, k / POINTS)
      out = Math.max(out, beyond(posture(angles).tool.position, BOX))
      low = Math.min(low, lowest(angles))
    }
    at = to
  }
  return { out, low }
}

/** Postures with the tool in the box, as far as the joints go. */
function* left(count: number) {
  const random = new RandomStream(0, 'left')
  for (let found = 0; found < count; ) {
    const angles = [...BUILT_RANGES.map(([low, high]) => random.uniform(low, high)), random.uniform()]
    if (beyond(posture(angles).tool.position, BOX) > 0) continue
    found++
    yield angles
  }
}

describe('the way to the start', () => {
  it('stays in the work box from wherever in it the arm was left, where the straight one in the joints would not', () => {
    let astray = 0
    let refused = 0
    for (const from of left(100)) {
      if (extremes(from, [{ to: START }]).out > 1e-3) astray++
      try {
        const legs = legsTo('arm', from, START, BOX, BUILT_RANGES)
        const { out, low } = extremes(from, legs)
        expect(out).toBeLessThan(1e-3)
        if (legs.length > 1) expect(low).toBeGreaterThan(Math.min(BOX.low[2]!, lowest(from), lowest(START)) - 1e-3)
        expect(legs.at(-1)!.to).toEqual(START)
        expect(legs.every(({ to }) => to.length === 6)).toBe(true)
      } catch (error) {
        if (!/would leave its work box/.test(String(error))) throw error
        refused++
      }
    }
    expect(astray).toBeGreaterThan(4)
    expect(refused).toBeLessThanOrEqual(1)
  })

  it('is the straight one in the joints where that stays in the box, and tells how long it is', () => {
    const from = between(START, [...START.slice(0, 5).map((angle) => angle + 0.1), 1], 1)
    const [leg, ...rest] = legsTo('arm', from, START, BOX, BUILT_RANGES)
    expect([leg!.to, rest]).toEqual([START, []])
    const gap = Math.hypot(...posture(from).tool.position.map((value, i) => value - posture(START).tool.position[i]!))
    expect(leg!.length).toBeGreaterThanOrEqual(gap)
    expect(leg!.length).toBeLessThan(1.1 * gap)
  })

  it('is gone leg by leg by the arm, whose tool stays in the box', async () => {
    const from = [...left(100)].find((from) => extremes(from, [{ to: START }]).out > 5e-3)!
    const { robot, bus } = await anArm({}, (bus) => {
      const servos = bus.servos as SimulatedServo[]
      servos.splice(0, from.length, ...simulatedServos(SIMULATED_CALIBRATION, from))
    })
    const tool = () => {
      const angles = bus.servos.map((servo, j) => fromSteps(j, SIMULATED_CALIBRATION[JOINTS[j]!], servo.told))
      return posture(angles).tool.position
    }
    const places = [tool()]
    let over = false
    const going = robot.reset('reach').finally(() => (over = true))
    for (; !over; await new Promise(setImmediate)) places.push(tool())
    await going
    expect(places.length).toBeGreaterThan(50)
    expect(Math.max(...places.map((place) => beyond(place, BOX)))).toBeLessThan(2e-3) // it lags behind its goals
    expect(Math.hypot(...tool().map((value, i) => value - posture(START).tool.position[i]!))).toBeLessThan(5e-3)
  })

  it('is refused where no way keeps the tool in: here the joints may stand between nowhere but where they were left', () => {
    const from = [...left(100)].find((from) => extremes(from, [{ to: START }]).out > 1e-3)!
    const pinned = from.slice(0, 5).map((angle) => [angle, angle] as const)
    expect(() => legsTo('arm', from, START, BOX, pinned)).toThrow(
      /^arm: would leave its work box by \d+ mm on the way\. Move the arm nearer/,
    )
  })
})
