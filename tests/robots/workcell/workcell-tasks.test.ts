/** @file When a task counts as done or lost, in scenes that are set by hand. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BOLT, HOME_ROTATION, nominalFixtures } from '../../../src/robots/workcell/layout.ts'
import { fails, isHeld } from '../../../src/robots/workcell/outcome.ts'
import { fromRotationVector, IDENTITY } from '../../../src/robots/workcell/spatial.ts'
import type { Start } from '../../../src/robots/workcell/start.ts'
import { TASKS } from '../../../src/robots/workcell/tasks/index.ts'
import type { Pose, Quat, Truth, Vec3 } from '../../../src/robots/workcell/truth.ts'
import { add, rotate } from '../../../src/robots/workcell/vector.ts'
import { Workcell } from '../../../src/robots/workcell/workcell.ts'

const standing = (x: number, y: number, tipHeight: number, rotation: Quat = IDENTITY): Pose => ({
  position: add([x, y, tipHeight], rotate(rotation, [0, 0, BOLT.tipBelowHead])),
  rotation,
})
const inStand = standing(0.5, 0, 0.0215)
const inSlot = standing(0.5, -0.115, 0.0175)
const lying: Pose = { position: [0.42, -0.05, 0.0135], rotation: fromRotationVector([0, 1.5, 0]) }
const still = new Float32Array(7)

describe('a scene set by hand', () => {
  let cell: Workcell
  beforeAll(async () => {
    cell = await Workcell.create({ cameras: false })
  })
  afterAll(() => cell.free())

  const set = (bolt: Pose, tool: Vec3, rest: Partial<Start> = {}) =>
    cell.setScene({
      fixtures: nominalFixtures(1),
      bolts: [bolt],
      toys: [],
      tcp: { position: tool, rotation: HOME_ROTATION },
      gripper: 'open',
      fingerOpening: 0.025,
      ...rest,
    })
  const held = { gripper: 'close', fingerOpening: 0.008 } as const
  const steps = (count: number) =>
    Array.from({ length: count }, () => {
      const { reward, terminated } = cell.stepSync(still)
      return [reward, terminated]
    })
  const goesOn = [0, false]
  const succeeds = [1, true]
  const isLost = [0, true]

  it.each([
    { task: 'place', bolt: inStand, tool: [0.5, 0, 0.11] },
    { task: 'assemble', bolt: inSlot, tool: [0.5, -0.115, 0.11] },
  ])('is a finished $task on the second step in a row', ({ task, bolt, tool }) => {
    set(bolt, tool as Vec3)
    cell.begin(task)
    expect(steps(2)).toEqual([goesOn, succeeds])
    cell.begin(task)
    expect(steps(1)).toEqual([goesOn])
  })

  it('is a finished pick when the bolt hangs 25 mm over the stand', () => {
    set(standing(0.5, 0, 0.045 + 0.03), [0.5, 0, 0.045 + 0.03 + 0.044], held)
    cell.begin('pick')
    expect(steps(2)).toEqual([goesOn, succeeds])
    set(standing(0.5, 0, 0.045 + 0.02), [0.5, 0, 0.045 + 0.02 + 0.044], held)
    cell.begin('pick')
    expect(steps(2)).toEqual([goesOn, goesOn])
  })

  it('is no finished place while the hand still holds the bolt or hovers round it', () => {
    set(inStand, [0.5, 0, 0.0215 + 0.044], held)
    cell.begin('place')
    expect(steps(3)).toEqual([goesOn, goesOn, goesOn])
    set(inStand, [0.5, 0, 0.0215 + 0.044])
    cell.begin('place')
    expect(steps(3)).toEqual([goesOn, goesOn, goesOn])
  })

  it('is no finished place or assembly in the wrong hole', () => {
    set(inSlot, [0.5, -0.115, 0.11])
    cell.begin('place')
    expect(steps(3)).toEqual([goesOn, goesOn, goesOn])
    set(inStand, [0.5, 0, 0.11])
    cell.begin('assemble')
    expect(steps(3)).toEqual([goesOn, goesOn, goesOn])
  })

  it.each(['place', 'pick', 'assemble'])('is lost for %s with the bolt on the table', (task) => {
    set(lying, [0.5, 0, 0.2])
    cell.begin(task)
    expect(steps(1)).toEqual([isLost])
  })

  it('is lost when the gripper opens over the empty table', () => {
    const swung = standing(0.42, -0.05, 0.15, fromRotationVector([0.1, 0, 0]))
    set(swung, add(swung.position, [0, 0, -0.012]), held)
    cell.begin('assemble')
    expect(steps(1)).toEqual([goesOn])
    const open = Float32Array.from([0, 0, 0, 0, 0, 0, -1])
    const ends = Array.from({ length: 8 }, () => cell.stepSync(open)).find(({ terminated }) => terminated)
    expect(ends?.reward).toBe(0)
  })

  it('starts counting anew when the conditions break, also over a restore', () => {
    set(inStand, [0.5, 0, 0.11])
    cell.begin('place')
    expect(steps(1)).toEqual([goesOn])
    const counted = cell.snapshot()
    expect(steps(1)).toEqual([succeeds])
    cell.restore(counted)
    expect(steps(1)).toEqual([succeeds])
    cell.restore(counted)
    const close = Float32Array.from([0, 0, 0, 0, 0, 0, 1])
    const open = Float32Array.from([0, 0, 0, 0, 0, 0, -1])
    expect([close, close, open, open, open, open].map((action) => cell.stepSync(action).reward)).toEqual([
      // one step of closing leaves the gripper less than 80 % open; it needs one step to open again
      0, 0, 0, 0, 1, 1,
    ])
    cell.restore({ ...counted, streak: 0 })
    expect(steps(2)).toEqual([goesOn, succeeds])
  })
})

describe('conditions', () => {
  const fixtures = nominalFixtures(1)
  let truth: Truth
  beforeEach(() => {
    truth = {
      task: 'assemble',
      bolt: 0,
      tcp: { position: [0.5, -0.115, 0.12], rotation: HOME_ROTATION, velocity: [0, 0, 0], angularVelocity: [0, 0, 0] },
      gripper: { width: 0.05, command: 'open' },
      bolts: [{ ...inSlot, tip: [0.5, -0.115, 0.0175], speed: 0, held: false, touchesHand: false }],
      ...fixtures,
      contactForce: 0,
    }
  })
  const bolt = () => truth.bolts[0]!
  /** The bolt in the slot with its tip at `tip` and its axis tilted by `tilt` about x. */
  const put = (tip: Vec3, tilt: number) =>
    Object.assign(bolt(), standing(tip[0], tip[1], tip[2], fromRotationVector([tilt, 0, 0])), { tip })

  it('accept every seat that the free play of the slot allows', () => {
    put([0.5, -0.115, 0.0195], 0.106) // docs/simulator.md §5: diagonal free play
    expect(TASKS.assemble!.succeeds(truth)).toBe(true)
  })

  it.each([
    ['too shallow (24.5 mm)', () => put([0.5, -0.115, 0.0205], 0)],
    ['tip 3.5 mm off the axis', () => put([0.5035, -0.115, 0.0175], 0)],
    ['tilted 0.14 rad', () => put([0.5, -0.115, 0.0175], 0.14)],
    ['touched by the hand', () => void (bolt().touchesHand = true)],
    ['moving at 4 cm/s', () => void (bolt().speed = 0.04)],
    ['gripper 70 % open', () => void (truth.gripper.width = 0.035)],
    // the head's top is at 17.5 + 56 + 10 = 83.5 mm
    ['tool 9 mm over the head', () => void (truth.tcp.position = [0.5, -0.115, 0.0925])],
  ])('refuse an assembly that is %s', (_, spoil) => {
    expect(TASKS.assemble!.succeeds(truth)).toBe(true)
    spoil()
    expect(TASKS.assemble!.succeeds(truth)).toBe(false)
  })

  it('call a bolt held within 8 mm of its axis, along the shaft, with the fingers around it', () => {
    const grip = { width: 0.0157, command: 'close' as const }
    const tool = (x: number, z: number) => ({ ...truth.tcp, position: [0.5 + x, -0.115, z] as Vec3 })
    const head = 0.0175 + 0.056
    expect(isHeld(bolt(), grip, tool(0, head - 0.012))).toBe(true)
    expect(isHeld(bolt(), grip, tool(0.0075, head - 0.05))).toBe(true)
    expect(isHeld(bolt(), grip, tool(0.0085, head - 0.012))).toBe(false)
    expect(isHeld(bolt(), grip, tool(0, head + 0.001))).toBe(false)
    expect(isHeld(bolt(), grip, tool(0, head - 0.057))).toBe(false)
    expect(isHeld(bolt(), { width: 0.0115, command: 'close' }, tool(0, head - 0.012))).toBe(false)
    expect(isHeld(bolt(), { width: 0.0157, command: 'open' }, tool(0, head - 0.012))).toBe(false)
  })

  it('give up a bolt that left the work area or lies below 20 mm, unless it is held', () => {
    expect(fails(truth)).toBe(false)
    for (const position of [
      [0.76, 0, 0.1],
      [0.24, 0, 0.1],
      [0.5, 0.29, 0.1],
      [0.5, 0, 0.019],
    ] as Vec3[]) {
      bolt().position = position
      expect(fails(truth)).toBe(true)
    }
    bolt().held = true
    expect(fails(truth)).toBe(false)
  })
})
