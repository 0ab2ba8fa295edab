/** @file The scripted expert solves the tasks from any state, without a memory; the potential knows how far it has to go. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt } from '../../../src/robot/attempt.ts'
import { demonstrator, expertSuccess, handDemonstrator } from '../../../src/robots/workcell/demonstrator.ts'
import { expertAction, expertPlan } from '../../../src/robots/workcell/expert.ts'
import { stepsToGo } from '../../../src/robots/workcell/progress.ts'
import type { Quat, Truth, Vec3 } from '../../../src/robots/workcell/truth.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

const upright: Quat = [1, 0, 0, 0]
const home: Quat = [0, Math.SQRT1_2, Math.SQRT1_2, 0] // hand down, fingers along x

/** A bolt upright in the stand, seated: tip 24 mm below the opening at z 45 mm, so the head's underside is at 21 + 56 mm. */
function aPick(tcp: Vec3, changes: Partial<Truth> = {}): Truth {
  const hole = (position: Vec3, depth: number) => ({ position, rotation: upright, depth, clearance: 0.00075 })
  const still: Vec3 = [0, 0, 0]
  const bolt = { position: [0.5, 0, 0.077] as Vec3, rotation: upright, tip: [0.5, 0, 0.021] as Vec3 }
  return {
    task: 'pick',
    bolt: 0,
    tcp: { position: tcp, rotation: home, velocity: still, angularVelocity: still },
    gripper: { width: 0.05, command: 'open' },
    bolts: [{ ...bolt, speed: 0, held: false, touchesHand: false }],
    cradles: [hole([0.5, 0.115, 0.045], 0.02)],
    slots: [hole([0.5, -0.115, 0.045], 0.028)],
    stand: hole([0.5, 0, 0.045], 0.024),
    contactForce: 0,
    ...changes,
  }
}

describe('the action of the expert', () => {
  it('is a proportional step to the grasp: 6 mm above it, 0.6 · 6 / 15 down', () => {
    const action = expertAction(aPick([0.5, 0, 0.062 + 0.006]))
    for (const [axis, wanted] of [0, 0, -0.24, 0, 0, 0].entries()) expect(action[axis]).toBeCloseTo(wanted, 6)
    expect(action[6]).toBe(-1)
  })

  it('looks ahead of a moving arm: 5 cm/s down for 0.05 s leaves 3.5 of 6 mm', () => {
    const truth = aPick([0.5, 0, 0.062 + 0.006])
    truth.tcp.velocity = [0, 0, -0.05]
    expect(expertAction(truth)[2]).toBeCloseTo((-0.6 * 3.5) / 15, 6)
  })

  it('goes straight at full speed from afar: the largest axis is 1, the others in proportion', () => {
    // the waypoint is 55 mm above the grasp, at z 117 mm: 60 mm in x, -30 in y, -30 in z to go
    const action = expertAction(aPick([0.44, 0.03, 0.147]))
    expect(action[0]).toBeCloseTo(1, 6)
    expect(action[1]).toBeCloseTo(-0.5, 6)
    expect(action[2]).toBeCloseTo(-0.5, 6)
  })

  it('turns the hand back about the axis that it is tilted about, with its sign', () => {
    const truth = aPick([0.5, 0, 0.12])
    const angle = 0.1
    // tilt about world x, on top of the home orientation
    const [c, s] = [Math.cos(angle / 2), Math.sin(angle / 2)]
    truth.tcp.rotation = [-s * home[1], c * home[1], c * home[2], s * home[2]]
    const action = expertAction(truth)
    expect(action[3]).toBeCloseTo((-0.6 * angle) / 0.15, 4)
    expect(action[4]).toBeCloseTo(0, 6)
  })

  it('closes at the grasp, keeps closing while the fingers travel, and opens again when they met nothing', () => {
    const closing = (width: number) => aPick([0.5, 0, 0.063], { gripper: { width, command: 'close' } })
    expect(expertAction(aPick([0.5, 0, 0.063]))[6]).toBe(1)
    expect(expertAction(closing(0.035))[6]).toBe(1)
    expect(expertAction(closing(0.002))[6]).toBe(-1)
  })

  it('carries on a bolt that hangs by its head, and does not let it drop', () => {
    const byHead = (height: number) => {
      const truth = aPick([0.5, 0, 0.2], { gripper: { width: 0.024, command: 'close' } })
      const bolt = truth.bolts[0]!
      bolt.touchesHand = true
      bolt.position = [0.5, 0, height]
      bolt.tip = [0.5, 0, height - 0.056]
      truth.tcp.position = [0.5, 0, height + 0.004]
      return expertAction(truth)[6]
    }
    expect(byHead(0.16)).toBe(1)
    expect(byHead(0.077)).toBe(-1) // still in its hole: open, and grasp again
  })

  it('rises before it moves sideways past the head of a bolt', () => {
    const beside = expertAction(aPick([0.46, 0, 0.07]))
    expect(beside[0]).toBeCloseTo(0, 6)
    expect(beside[2]).toBeGreaterThan(0.9)
  })

  it('depends on the state alone', () => {
    const truth = aPick([0.48, 0.02, 0.1])
    const before = structuredClone(truth)
    const first = expertAction(truth)
    expertAction(aPick([0.5, 0, 0.063]))
    expect(expertAction(truth)).toEqual(first)
    expect(truth).toEqual(before)
  })
})

describe('the expert in the workcell', () => {
  let cell: Workcell
  beforeAll(async () => {
    cell = await Workcell.create({ cameras: false })
  })
  afterAll(() => cell.free())

  it.each([0, 0.1])('solves the three tasks with one bolt, noise %d', async (noise) => {
    const counts = await expertSuccess({
      robot: cell,
      truth: () => cell.truth(),
      tasks: ['place', 'pick', 'assemble'],
      firstSeed: 400,
      trials: 12,
      demonstrator: { noise },
    })
    expect(Object.fromEntries(Object.entries(counts).map(([task, { successes }]) => [task, successes]))).toEqual({
      place: 12,
      pick: 12,
      assemble: 12,
    })
    // the design's expert needs 38, 15 and 20 steps without noise
    expect(counts.place!.meanSteps).toBeLessThan(40)
    expect(counts.pick!.meanSteps).toBeLessThan(18)
    expect(counts.assemble!.meanSteps).toBeLessThan(24)
  })

  it('counts failures as failures', async () => {
    const robot = cell
    const counts = await expertSuccess({
      robot,
      truth: () => cell.truth(),
      tasks: ['assemble'],
      firstSeed: 400,
      trials: 2,
      demonstrator: { noise: 3 },
    })
    expect(counts.assemble).toMatchObject({ trials: 2, successes: 0, failedSeeds: [400, 401] })
  })

  it('takes up a task where another left the scene: twelve operations on four bolts in a row', async () => {
    const four = await Workcell.create({ bolts: 4, cameras: false })
    four.resetSync('place', 401, { bolt: 0 })
    const done: string[] = []
    for (let bolt = 0; bolt < 4; bolt++)
      for (const task of ['place', 'pick', 'assemble']) {
        four.begin(task, { bolt })
        for (let step = 0; step < 80; step++)
          if (four.stepSync(expertAction(four.truth())).reward === 1) {
            done.push(`${task} ${bolt}`)
            break
          }
      }
    expect(done.length).toBe(12)
    four.free()
  })

  it('helps itself after a disturbance: the gripper opened on the way', async () => {
    cell.resetSync('pick', 402)
    let opened = false
    for (let step = 0; step < 80; step++) {
      const truth = cell.truth()
      const action = expertAction(truth)
      if (!opened && truth.bolts[0]!.held) {
        opened = true
        action.fill(0)
        action[6] = -1
      }
      if (cell.stepSync(action).reward === 1) break
    }
    expect(opened).toBe(true)
    expect(cell.truth().bolts[0]!.held).toBe(true)
  })

  it('repeats an episode exactly: its noise comes from the seed', async () => {
    const once = async () => {
      const result = await attempt(
        cell,
        'pick',
        403,
        demonstrator(() => cell.truth(), 403, { noise: 0.2, memory: 0.5 }),
      )
      return result.steps.map(({ action, outcome }) => [...action, ...outcome.observation.proprio])
    }
    expect(await once()).toEqual(await once())
  })
})

describe('a person who demonstrates', () => {
  it('solves the tasks by a device: two axes at a time, at five speeds, slower than the expert', async () => {
    const cell = await Workcell.create({ cameras: false })
    for (const task of ['place', 'pick', 'assemble']) {
      const done = []
      for (let seed = 404; seed < 408; seed++) {
        const act = handDemonstrator(() => cell.truth(), seed)
        const { success, steps } = await attempt(cell, task, seed, act)
        for (const { action } of steps) {
          const pushed = action.subarray(0, 6).filter((value) => value !== 0)
          expect(pushed.length).toBeLessThanOrEqual(2)
          for (const value of pushed) expect(5 * value).toBeCloseTo(Math.round(5 * value), 5)
        }
        if (success) done.push(steps.length)
      }
      expect(done.length).toBeGreaterThanOrEqual(3)
      expect(Math.min(...done)).toBeGreaterThan({ place: 42, pick: 16, assemble: 23 }[task]!)
    }
    cell.free()
  })
})

describe('the potential', () => {
  let cell: Workcell
  beforeAll(async () => {
    cell = await Workcell.create({ cameras: false })
  })
  afterAll(() => cell.free())

  it.each(['place', 'pick', 'assemble'])('predicts the steps that the expert still needs in %s', (task) => {
    const errors: number[] = []
    for (let seed = 410; seed < 416; seed++) {
      cell.resetSync(task, seed)
      const potentials: number[] = []
      for (let step = 0; step < 80; step++) {
        const truth = cell.truth()
        potentials.push(stepsToGo(truth))
        if (cell.stepSync(expertAction(truth)).terminated) break
      }
      for (const [step, potential] of potentials.entries())
        errors.push(Math.abs(potential - (potentials.length - step)))
    }
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(3)
  })

  it('rises when the bolt has to be fetched again, and when the hand goes away from it', () => {
    const near = aPick([0.5, 0, 0.13])
    const far = aPick([0.4, 0, 0.13])
    expect(stepsToGo(far) - stepsToGo(near)).toBeCloseTo(0.1 / 0.015 / 0.95, 0)
    const held = aPick([0.5, 0, 0.063], { gripper: { width: 0.016, command: 'close' } })
    held.bolts[0]!.held = true
    expect(stepsToGo(near)).toBeGreaterThan(stepsToGo(held) + 5)
  })

  it('names the phase from geometry', () => {
    expect(expertPlan(aPick([0.4, 0, 0.2])).phase).toBe('approach')
    expect(expertPlan(aPick([0.5, 0, 0.1])).phase).toBe('descend')
    expect(expertPlan(aPick([0.5, 0, 0.063])).phase).toBe('close')
  })
})
