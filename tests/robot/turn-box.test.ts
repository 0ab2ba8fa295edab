/** @file Limits of how a tool may be turned, by angles worked out by hand, and as the safety envelope keeps them. */
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { vector } from '../../src/robot/channels.ts'
import type { Action, Observation, Outcome, Robot, RobotSpec } from '../../src/robot/robot.ts'
import {
  fromEuler,
  fromRotationVector,
  multiply,
  type Quat,
  rotationBetween,
  type Vec3,
} from '../../src/robot/rotation.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { keptTurn, turnedBeyond } from '../../src/robot/turn-box.ts'

const { PI } = Math
/** Of a tool that looks down: its roll is half a turn, where angles jump from π to -π. */
const box = { low: [PI - 0.3, -0.2, -0.5], high: [PI + 0.3, 0.2, 0.5] }

const expectTurn = (got: Vec3, want: Vec3, digits = 9) => {
  for (const axis of [0, 1, 2]) expect(got[axis]).toBeCloseTo(want[axis]!, digits)
}

describe('a turn', () => {
  it.each<[string, Vec3, Vec3, Vec3]>([
    ['within the box stays as it is', [PI, 0, 0], [0.1, -0.1, 0.1], [0.1, -0.1, 0.1]],
    ['of roll ends at its limit, beyond half a turn', [PI + 0.25, 0, 0], [0.1, 0, 0], [0.05, 0, 0]],
    ['of roll ends at the other one', [PI - 0.28, 0, 0], [-0.1, 0, 0], [-0.02, 0, 0]],
    ['of pitch ends at its limit', [PI, 0.15, 0], [0, 0.1, 0], [0, 0.05, 0]],
    ['of yaw ends at its limit', [PI, 0, -0.46], [0, 0, -0.1], [0, 0, -0.04]],
    // yawed by a quarter of a turn, the tool rolls about the y axis of the base
    [
      'of roll is about another axis of the base where the tool is yawed',
      [PI + 0.27, 0, PI / 2],
      [0, 0.1, 0],
      [0, 0.03, 0],
    ],
    ['goes no further out', [PI + 0.4, 0, 0], [0.1, 0, 0], [0, 0, 0]],
    ['may always come back', [PI + 0.4, 0, 0], [-0.1, 0, 0], [-0.1, 0, 0]],
  ])('%s', (_, at, about, kept) => {
    const wide = { low: box.low.with(2, -2), high: box.high.with(2, 2) }
    expectTurn(keptTurn(about, fromEuler(at), at[2] > 1 ? wide : box), kept)
  })

  it('that is stopped about one axis goes on about another', () => {
    const [, pitch, yaw] = keptTurn([0, 0.1, 0.1], fromEuler([PI, 0.2, 0]), box)
    expect(pitch).toBeCloseTo(0, 2)
    expect(yaw).toBeCloseTo(0.1, 2)
  })

  it('by turn, however long it goes on, never leads out of the box, nor is it larger than what was asked for', () => {
    const stream = new RandomStream(0, 'turns')
    let rotation: Quat = fromEuler([PI, 0, 0])
    let [larger, outside] = [0, 0]
    for (let k = 0; k < 500; k++) {
      const about = [0, 1, 2].map((i) => stream.uniform(-0.05, 0.1 - 0.1 * Number(i === k % 3))) as Vec3
      const kept = keptTurn(about, rotation, box)
      larger = Math.max(larger, Math.hypot(...kept) - Math.hypot(...about))
      rotation = multiply(fromRotationVector(kept), rotation)
      outside = Math.max(outside, turnedBeyond(rotation, box))
    }
    expect(larger).toBeLessThan(1e-9)
    expect(outside).toBeLessThan(0.003)
  })

  it('is so far beyond the box as the angle that is furthest out', () => {
    expect(turnedBeyond(fromEuler([PI + 0.35, 0, 0.9]), box)).toBeCloseTo(0.4, 9)
    expect(turnedBeyond(fromEuler([-PI + 0.2, 0.1, 0]), box)).toBe(0)
    expect(turnedBeyond(fromEuler([0, 0, 0]), undefined)).toBe(0)
  })
})

const HOME = fromEuler([PI, 0, 0])

/** Turns by 0.1 rad a step at |a| = 1, about the axes of the base. */
class Wrist implements Robot {
  readonly spec: RobotSpec = {
    name: 'wrist',
    rate: 10,
    cameras: {},
    channels: [...vector('tcp', 'm', { of: 'position' }), ...vector('tcp.turn', 'rad', { of: 'turn' })],
    home: HOME,
    actionFrame: 'base',
    actionScale: { translation: 0.01, rotation: 0.1 },
    tasks: { turn: { instruction: 'turn', maxSteps: 100 } },
  }
  rotation: Quat = HOME
  private time = 0
  reset = () => this.observe()
  async observe(): Promise<Observation> {
    const turn = rotationBetween(HOME, this.rotation)
    return { images: {}, proprio: Float32Array.of(0.5, 0, 0.2, ...turn), time: this.time++ }
  }
  async step(action: Action): Promise<Outcome> {
    const about = [...action.subarray(3, 6)].map((value) => 0.1 * value) as Vec3
    this.rotation = multiply(fromRotationVector(about), this.rotation)
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {}
}

describe('the safety envelope', () => {
  const workBox = { low: [0, -1, 0], high: [1, 1, 1], turn: box }

  it('turns the tool to the limit and no further, and counts what it took away', async () => {
    const wrist = new Wrist()
    const robot = new SafeRobot(wrist, { limits: { workBox } })
    await robot.reset('turn')
    const rolled: number[] = []
    for (let k = 0; k < 5; k++) {
      await robot.step(Float32Array.of(0, 0, 0, 0.8, 0, 0, 0))
      rolled.push(robot.executed[3]!)
    }
    // 0.08, 0.16, 0.24, then 0.06 of the 0.08 are left
    for (const [k, want] of [0.8, 0.8, 0.8, 0.6, 0].entries()) expect(rolled[k]).toBeCloseTo(want, 4)
    expect(robot.limitedSteps).toBe(2)
    await robot.step(Float32Array.of(0, 0, 0, -1, 0, 0, 0))
    expect(robot.executed[3]).toBeCloseTo(-1, 5)
  })

  it('leaves the turn alone where there is no limit', async () => {
    const robot = new SafeRobot(new Wrist(), { limits: { workBox: { low: workBox.low, high: workBox.high } } })
    await robot.reset('turn')
    for (let k = 0; k < 10; k++) {
      await robot.step(Float32Array.of(0, 0, 0, 1, 0, 0, 0))
      expect(robot.executed[3]).toBe(1)
    }
  })

  it('refuses a limit for a robot that does not tell its turn, and a box for one that moves in the frame of its tool', () => {
    const untold = new Wrist()
    untold.spec.channels = untold.spec.channels.slice(0, 3)
    expect(() => new SafeRobot(untold, { limits: { workBox } })).toThrow('wrist does not tell how its tool is turned')
    const inTool = new Wrist()
    inTool.spec.actionFrame = 'tool'
    expect(() => new SafeRobot(inTool, { limits: { workBox } })).toThrow('wrist moves in the frame of its tool')
  })
})
