/** @file The fourth task: a stand on a rail with friction and an end stop. The other three are what they were without it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../../src/errors.ts'
import { attempt } from '../../../src/robot/attempt.ts'
import { ACTION_WIDTH, type Action, type Observation } from '../../../src/robot/robot.ts'
import { demonstrator, expertSuccess } from '../../../src/robots/workcell/demonstrator.ts'
import { expertAction } from '../../../src/robots/workcell/expert.ts'
import { SimulatedOperator } from '../../../src/robots/workcell/operator/operator.ts'
import { stepsToGo } from '../../../src/robots/workcell/progress.ts'
import type { Truth, Vec3 } from '../../../src/robots/workcell/truth.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

const nothing: Observation = { images: {}, proprio: new Float32Array(0), time: 0 }
const idle: Action = new Float32Array(ACTION_WIDTH)
const STROKE = 0.045 // m, by design

let cell: Workcell
const truth = (): Truth => cell.truth()
const slide = () => truth().slide!
beforeAll(async () => {
  cell = await Workcell.create({ cameras: false })
})
afterAll(() => cell.free())

/** Pushes to the robot's left for `steps`, the tool brought behind the stand by the expert. */
function pushOn(seed: number, steps: number): void {
  cell.resetSync('slide', seed)
  while (slide().travel < 0.003) cell.stepSync(expertAction(truth()))
  for (let step = 0; step < steps; step++) cell.stepSync(Float32Array.of(0, 1, 0, 0, 0, 0, 1))
}

describe('the scene of slide', () => {
  it('starts with the stand at rest at travel 0, near its nominal place, every bolt in its cradle', () => {
    for (let seed = 0; seed < 20; seed++) {
      cell.resetSync('slide', seed)
      const { stand, bolts, cradles, tcp } = truth()
      expect(slide().travel).toBeCloseTo(0, 3)
      expect(Math.abs(slide().speed)).toBeLessThan(1e-3)
      expect(Math.abs(stand.position[0] - 0.5)).toBeLessThan(0.0101)
      expect(Math.abs(stand.position[1] + 0.012)).toBeLessThan(0.0101)
      expect(Math.hypot(...(bolts[0]!.tip.map((x, i) => x - cradles[0]!.position[i]!) as Vec3))).toBeLessThan(0.025)
      expect(tcp.position[2]).toBeGreaterThan(0.14)
    }
  })

  it('moves along the rail alone, turned as the rail is', () => {
    pushOn(5, 0)
    const before = truth()
    pushOn(5, 3)
    const after = truth()
    const moved = after.stand.position.map((x, i) => x - before.stand.position[i]!) as Vec3
    expect(after.stand.rotation).toEqual(before.stand.rotation)
    const yaw = 2 * Math.atan2(after.stand.rotation[3], after.stand.rotation[0])
    const way = after.slide!.travel - before.slide!.travel
    expect(way).toBeGreaterThan(0.01)
    const wanted = [-Math.sin(yaw) * way, Math.cos(yaw) * way, 0]
    for (const [axis, value] of wanted.entries()) expect(moved[axis]).toBeCloseTo(value, 6)
  })

  it('stays where it is left: friction holds it', () => {
    pushOn(5, 1)
    for (let step = 0; step < 6; step++) cell.stepSync(Float32Array.of(0, -1, 0, 0, 0, 0, 1))
    const left = slide().travel
    expect(left).toBeGreaterThan(0.005)
    expect(left).toBeLessThan(STROKE - 0.005)
    for (let step = 0; step < 20; step++) cell.stepSync(idle)
    expect(slide().travel).toBeCloseTo(left, 4)
  })

  it('ends at a stop that holds against the arm', () => {
    pushOn(6, 25)
    expect(slide().travel).toBeGreaterThan(STROKE - 0.0005)
    expect(slide().travel).toBeLessThan(STROKE + 0.001)
    expect(truth().contactForce).toBeGreaterThan(25) // the arm does press
  })

  it('is in a snapshot, and a snapshot brings its scene with it', () => {
    pushOn(7, 2)
    const saved = cell.snapshot()
    const then = truth()
    cell.resetSync('pick', 7)
    expect(truth().slide).toBeUndefined()
    cell.restore(saved)
    expect(truth()).toEqual(then)
  })

  it('is not the scene of the other tasks: none follows another across it without a reset', () => {
    cell.resetSync('place', 8)
    expect(() => cell.begin('slide')).toThrow(InputError)
    cell.resetSync('slide', 8)
    expect(() => cell.begin('place')).toThrow(InputError)
    expect(() => cell.begin('slide')).not.toThrow()
  })
})

describe('success in slide', () => {
  it('needs a push: doing nothing earns nothing', () => {
    cell.resetSync('slide', 9)
    for (let step = 0; step < 40; step++) expect(cell.stepSync(idle)).toMatchObject({ reward: 0, terminated: false })
  })

  it('comes when the hand is clear, not when the stop is reached', () => {
    pushOn(10, 12)
    expect(STROKE - slide().travel).toBeLessThan(0.001)
    for (let step = 0; step < 3; step++) expect(cell.stepSync(idle).reward).toBe(0)
    let steps = 0
    while (cell.stepSync(expertAction(truth())).reward === 0) expect(++steps).toBeLessThan(15)
    expect(truth().tcp.position[2]).toBeGreaterThan(0.065)
  })
})

describe('the expert in slide', () => {
  it.each([0, 0.2])('succeeds with noise %d', async (noise) => {
    const counts = await expertSuccess({
      robot: cell,
      truth,
      tasks: ['slide'],
      firstSeed: 400,
      trials: 12,
      demonstrator: { noise },
    })
    expect(counts.slide).toMatchObject({ successes: 12, failedSeeds: [] })
    expect(counts.slide!.meanSteps).toBeLessThan(30)
  })

  it('has a potential that falls along its episodes and says how many steps are left', () => {
    const errors: number[] = []
    for (let seed = 410; seed < 416; seed++) {
      cell.resetSync('slide', seed)
      const potentials: number[] = []
      for (let step = 0; step < 80; step++) {
        potentials.push(stepsToGo(truth()))
        if (cell.stepSync(expertAction(truth())).terminated) break
      }
      for (const [step, potential] of potentials.entries()) {
        errors.push(Math.abs(potential - (potentials.length - step)))
        if (step >= 5) expect(potential).toBeLessThan(potentials[step - 5]! - 1)
      }
    }
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(2)
  })

  it('comes back from the wrong side of the stand without sweeping over it', () => {
    cell.resetSync('slide', 11)
    const aside = [0.03, 0.03, -0.14] // in front of the stand, low: 30 mm to each side of it
    for (let step = 0; step < 16; step++) {
      const { tcp, stand } = truth()
      const way = aside.map((x, i) => ((i < 2 ? stand.position[i]! : 0.18) + x - tcp.position[i]!) / 0.015)
      cell.stepSync(Float32Array.of(...way.map((x) => Math.max(-1, Math.min(1, x))), 0, 0, 0, 1))
    }
    let reward = 0
    for (let step = 0; step < 60 && reward === 0; step++) reward = cell.stepSync(expertAction(truth())).reward
    expect(reward).toBe(1)
  })
})

describe('the operator in slide', () => {
  it('leaves the expert alone and rescues a policy that stalls behind the stand', async () => {
    const watcher = new SimulatedOperator(truth, 0)
    const tended = (seed: number, plan: () => Action) => {
      watcher.begin('slide')
      return attempt(cell, 'slide', seed, () => {
        const planned = plan()
        return watcher.tend(nothing, planned).takeover ?? planned
      })
    }
    for (let seed = 420; seed < 426; seed++) expect((await tended(seed, demonstrator(truth, seed))).success).toBe(true)
    expect(watcher.report().operatorSteps).toBe(0)

    const stalling = () => (slide().travel > 0.01 ? idle : expertAction(truth()))
    let rescued = 0
    for (let seed = 420; seed < 426; seed++) {
      expect((await attempt(cell, 'slide', seed, stalling)).success).toBe(false)
      if ((await tended(seed, stalling)).success) rescued++
    }
    expect(rescued).toBe(6)
    expect(watcher.report().takeovers.stuck).toBeGreaterThanOrEqual(6)
  })
})

/** Episodes of the expert at noise 0.1, taken from the program before it had a rail: steps, tip of the bolt and TCP at the end, mm. */
const BEFORE: [task: string, seed: number, steps: number, tip: Vec3, tcp: Vec3][] = [
  ['place', 700, 34, [496.882402, -7.982704, 21.021306], [498.683005, -17.304775, 110.688888]],
  ['place', 701, 35, [496.533042, -3.230973, 21.032673], [494.695053, -4.992709, 117.70302]],
  ['pick', 700, 13, [495.02175, -12.145453, 83.462468], [495.74199, -8.556932, 123.88499]],
  ['pick', 701, 12, [493.600051, -5.622067, 79.947819], [492.779651, -3.0478, 119.788027]],
  ['assemble', 700, 19, [493.166912, -112.512375, 17.002025], [491.115144, -118.829287, 109.485618]],
  ['assemble', 701, 19, [501.615016, -112.203898, 16.988541], [497.399403, -112.701265, 110.463953]],
]

describe('the other three tasks', () => {
  it.each(BEFORE)('%s with seed %d is what it was before there was a rail', async (task, seed, steps, tip, tcp) => {
    const result = await attempt(cell, task, seed, demonstrator(truth, seed, { noise: 0.1 }))
    expect(result.steps.length).toBe(steps)
    const end = truth()
    for (const [axis, wanted] of tip.entries()) expect(1000 * end.bolts[0]!.tip[axis]!).toBeCloseTo(wanted, 5)
    for (const [axis, wanted] of tcp.entries()) expect(1000 * end.tcp.position[axis]!).toBeCloseTo(wanted, 5)
  })
})
