/** @file A leader arm as a clutch: moved by hand behind its simulated bus, it says where the robot is to go. */
import { describe, expect, it } from 'vitest'
import { SmoothTending } from '../../../src/console/server/smooth-tending.ts'
import { Person } from '../../../src/operator/person.ts'
import { holdAction } from '../../../src/robot/guard.ts'
import { moved } from '../../../src/robot/rotation.ts'
import { Arm } from '../../../src/robots/so101/arm.ts'
import { toSteps } from '../../../src/robots/so101/calibration.ts'
import { posture } from '../../../src/robots/so101/chain.ts'
import { SimulatedClock } from '../../../src/robots/so101/clock.ts'
import { JOINTS } from '../../../src/robots/so101/joints.ts'
import { solve } from '../../../src/robots/so101/kinematics.ts'
import { LeaderArm } from '../../../src/robots/so101/leader.ts'
import { SIMULATED_CALIBRATION, simulatedServos } from '../../../src/robots/so101/simulated/arm.ts'
import { SimulatedBus } from '../../../src/robots/so101/simulated/bus.ts'
import { SimulatedLine } from '../../../src/robots/so101/simulated/line.ts'

const READY = [0, -0.44, 0.35, 1.22, 0]
const actionScale = { translation: 0.01, rotation: 0.1 }

async function aLeader(scale = 1) {
  const clock = new SimulatedClock()
  const bus = new SimulatedBus(simulatedServos(SIMULATED_CALIBRATION, [...READY, 0.5]), () => clock.now())
  const arm = await Arm.connect(new SimulatedLine(bus), SIMULATED_CALIBRATION, {
    patience: 5,
    scanPatience: 5,
    quiet: 1,
  })
  const settings = { scale, deadZone: { translation: 0.002, rotation: 0.03 }, actionScale }
  const leader = new LeaderArm(arm, clock, settings)
  let angles: readonly number[] = READY
  /** A hand moves the leader's tool, metres, and its handle. */
  const move = async (x: number, y: number, z: number, opening = 0.5) => {
    angles = solve(moved(posture(angles).tool, [x, y, z, 0, 0, 0]), angles).angles
    for (const [j, joint] of JOINTS.entries())
      bus.servos[j]!.turnTo(toSteps(j, SIMULATED_CALIBRATION[joint], j < 5 ? angles[j]! : opening))
    await leader.look()
  }
  await leader.look()
  return { leader, clock, bus, move }
}

const translation = (action: Float32Array | null) =>
  [...action!.subarray(0, 3)].map((value) => Number(value.toFixed(1)) + 0)

describe('a leader arm', () => {
  it('asks for no motion where it is taken up, wherever that is, and then for its own', async () => {
    const { leader, move } = await aLeader()
    await move(0.05, 0.04, -0.02)
    leader.engage()
    expect(translation(leader.motion(holdAction()))).toEqual([0, 0, 0])
    await move(0.006, 0, 0)
    expect(translation(leader.motion(holdAction()))).toEqual([0.6, 0, 0])
  })

  it('asks again for what the robot has not done yet, and no more for what it has', async () => {
    const { leader, move } = await aLeader()
    leader.engage()
    await move(0, 0, 0.025)
    const first = leader.motion(holdAction())!
    expect(translation(first)).toEqual([0, 0, 1])
    const second = leader.motion(Float32Array.of(0, 0, 0.5, 0, 0, 0, 0))! // half of it was let through
    expect(translation(second)).toEqual([0, 0, 1])
    leader.motion(Float32Array.of(0, 0, 1, 0, 0, 0, 0))
    expect(translation(leader.motion(Float32Array.of(0, 0, 1, 0, 0, 0, 0)))).toEqual([0, 0, 0])
  })

  it('is not followed for seconds after it was thrown far: what is beyond three steps is forgotten', async () => {
    const { leader, move } = await aLeader()
    leader.engage()
    await move(0, 0, 0.09)
    let way = 0
    let done = leader.motion(holdAction())!
    for (let i = 0; i < 12; i++) {
      way += done[2]!
      done = leader.motion(done)!
    }
    expect(way).toBeGreaterThan(2.5)
    expect(way).toBeLessThan(3.5)
  })

  it('at rest in a hand that trembles asks for nothing; scaled, for a share of its motion', async () => {
    const { leader, move } = await aLeader(0.5)
    leader.engage()
    await move(0.001, -0.001, 0)
    expect(translation(leader.motion(holdAction()))).toEqual([0, 0, 0])
    await move(0.009, 0.001, 0)
    expect(translation(leader.motion(holdAction()))).toEqual([0.5, 0, 0])
  })

  it('asks for the gripper only after its handle has moved since the takeover', async () => {
    const { leader, move } = await aLeader()
    await move(0, 0, 0, 0.1)
    leader.engage()
    expect(leader.motion(holdAction())![6]).toBe(0)
    await move(0, 0, 0, 0.9)
    expect(leader.motion(holdAction())![6]).toBe(-1)
    await move(0, 0, 0, 0.2)
    expect(leader.motion(holdAction())![6]).toBe(1)
  })

  it('that cannot be read any more moves nothing', async () => {
    const { leader, clock, move } = await aLeader()
    leader.engage()
    await move(0.01, 0, 0)
    await clock.sleep(0.3)
    expect(leader.motion(holdAction())).toBeNull()
  })

  it('that was moved while it could not be read begins anew where it is read again', async () => {
    const { leader, clock, move } = await aLeader()
    leader.engage()
    leader.motion(holdAction())
    await clock.sleep(0.3)
    expect(leader.motion(holdAction())).toBeNull()
    await move(0.02, 0, 0, 0.1)
    const pushed = Float32Array.of(1, 0, 0, 0, 0, 0, 0) // by the page, meanwhile
    expect(translation(leader.motion(pushed))).toEqual([0, 0, 0])
    expect(leader.motion(holdAction())![6]).toBe(0)
    await clock.sleep(0.3)
    leader.engage()
    await move(0.02, 0, 0, 0.9)
    expect(translation(leader.motion(holdAction()))).toEqual([0, 0, 0])
    expect(leader.motion(holdAction())![6]).toBe(0)
    await move(0.006, 0, 0, 0.9)
    expect(translation(leader.motion(holdAction()))).toEqual([0.6, 0, 0])
  })
})

describe('a person with a leader arm', () => {
  it('takes over by the page, and moves by the leader; with the hand off the leader moves nothing', async () => {
    const { leader, move } = await aLeader()
    let now = 0
    const person = new Person({ inputAge: 200, period: () => 100, now: () => now, tool: () => undefined })
    const tending = new SmoothTending(person, { executed: holdAction() }, leader)
    const observation = { images: {}, proprio: new Float32Array(0), time: 0 }
    const plan = Float32Array.of(0.3, 0, 0, 0, 0, 0, 0)
    const hand = (hold: boolean) => {
      now += 100
      person.input({ axes: [0, 0, 0, 0, 0, 0], gripper: 0, hold, at: now })
      return tending.tend(observation, plan).takeover ?? null
    }
    person.come()
    tending.begin('reach')
    await move(0.03, 0, 0)
    expect(hand(false)).toBeNull()
    expect(translation(hand(true))).toEqual([0, 0, 0])
    await move(0, 0.004, 0)
    expect(translation(hand(true))).toEqual([0, 0.4, 0])
  })
})
