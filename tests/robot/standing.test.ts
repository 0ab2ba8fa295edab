/** @file An arm that is told to move and stands: when that is a fault, by steps worked out by hand, and when it never is. */
import { describe, expect, it } from 'vitest'
import { vector } from '../../src/robot/channels.ts'
import { RealSafetyConfig, safetyLimitsOf } from '../../src/robot/real-config.ts'
import type { Action, Observation, Outcome, Robot, RobotSpec } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'

type Nature = {
  rate?: number
  newtons?: number | null // null: it has no such sensor
  noise?: number // N
  stands?: (t: number) => boolean // in step t, from 1
  delay?: number // steps between a command and its motion
  executed?: (action: Action) => Action
}

/** Moves 10 mm and 0.1 rad a step at |a| = 1, in x and about z. */
class Arm implements Robot {
  readonly spec: RobotSpec
  private t = 0
  private x = 0
  private yaw = 0
  private readonly told: Action[] = []

  constructor(private readonly nature: Nature) {
    this.spec = {
      name: 'arm',
      rate: nature.rate ?? 10,
      cameras: {},
      channels: [
        ...vector('tcp', 'm', { of: 'position' }),
        ...vector('tcp.turn', 'rad', { of: 'turn' }),
        ...(nature.newtons === null ? [] : vector('force', 'N', { of: 'force' })),
      ],
      actionFrame: 'base',
      actionScale: { translation: 0.01, rotation: 0.1 },
      tasks: { push: { instruction: 'push', maxSteps: 1000 } },
    }
  }

  reset = () => this.observe()

  async observe(): Promise<Observation> {
    const { newtons = 0, noise = 0.1 } = this.nature
    const force = newtons === null ? [] : [newtons + noise * Math.sin(7 * this.t), 0, 0]
    return {
      images: {},
      proprio: Float32Array.of(this.x, 0, 0, 0, 0, this.yaw, ...force),
      time: this.t / this.spec.rate,
    }
  }

  async step(action: Action): Promise<Outcome> {
    this.t++
    this.told.push(action)
    const [dx, , , , , yaw] = this.told.at(-1 - (this.nature.delay ?? 0)) ?? [0, 0, 0, 0, 0, 0]
    if (!this.nature.stands?.(this.t)) {
      this.x += 0.01 * dx!
      this.yaw += 0.1 * yaw!
    }
    const executed = this.nature.executed?.(action)
    return { observation: await this.observe(), reward: 0, terminated: false, ...(executed && { executed }) }
  }

  async stop() {}
}

const real = (arm: Arm, settings: object = {}) => {
  const workBox = { low: [-1, -1, -1], high: [1, 1, 1] }
  const ages = { commandAge: 1000, heartbeatAge: 1000 } // none of these tests is about time that passes
  const safety = RealSafetyConfig.parse({ workBox, speed: 0.5, ...ages, ...settings })
  return new SafeRobot(arm, { limits: safetyLimitsOf(safety, arm.spec) })
}
const ahead = (dx = 0.6) => Float32Array.of(dx, 0, 0, 0, 0, 0, 0)

/** Goes on until it is stopped: after how many steps, and in which words; null where it never is. */
async function until(robot: SafeRobot, act: (t: number) => Action = () => ahead(), most = 60) {
  await robot.reset('push')
  for (let t = 1; t <= most; t++)
    try {
      await robot.step(act(t))
    } catch {
      expect(robot.fault!.kind).toBe('robot')
      return [t, robot.fault!.what]
    }
  return null
}

const always = () => true
const after5 = (t: number) => t > 5

describe('an arm that is told to move and stands is stopped', () => {
  it.each<[string, Nature, Action, number, string]>([
    ['in motion before, in free air: after 0.2 s', { stands: after5 }, ahead(), 7, '2 steps, 12 mm in all'],
    ['from rest: after 0.3 s', { stands: always }, ahead(), 3, '3 steps, 18 mm in all'],
    // 0.4 + 0.4 is less than half of two whole steps, 3 of them are more
    ['asked for less: after as much as that', { stands: after5 }, ahead(0.4), 8, '3 steps, 12 mm in all'],
    [
      'by a turn alone',
      { stands: after5 },
      Float32Array.of(0, 0, 0, 0, 0, 1, 0),
      7,
      '2 steps, 0.20 rad in all, and stands still',
    ],
    ['pressing lightly: after 1 s', { stands: always, newtons: 3 }, ahead(), 10, '10 steps, 60 mm in all'],
    ['feeling no force: after 2 s', { stands: always, newtons: null }, ahead(), 20, '20 steps, 120 mm in all'],
    [
      'its force sensor says the same to the last bit: after 1 s',
      { stands: always, newtons: 9, noise: 0 },
      ahead(),
      10,
      'its readings have been the same for 10 steps of motion',
    ],
    ['at 30 steps a second after as much time', { stands: after5, rate: 30 }, ahead(), 11, '6 steps, 36 mm in all'],
  ])('%s', async (_, nature, action, t, words) => {
    expect(await until(real(new Arm(nature)), () => action)).toEqual([t, expect.stringContaining(words)])
  })

  it('later where its config gives it longer', async () => {
    const stopped = await until(real(new Arm({ stands: after5 }), { standing: 0.5 }))
    expect(stopped?.[0]).toBe(10)
  })

  it('again after a person cleared the fault, counted from there', async () => {
    const robot = real(new Arm({ stands: after5 }))
    expect((await until(robot))?.[0]).toBe(7)
    robot.clearFault()
    expect((await until(robot))?.[0]).toBe(3)
  })
})

describe('no fault is', () => {
  it.each<[string, Nature, ((t: number) => Action)?]>([
    ['an arm that presses', { stands: always, newtons: 6 }],
    ['one that begins to move 0.2 s late', { delay: 2 }],
    ['a command for the gripper alone', { stands: always }, (t) => Float32Array.of(0, 0, 0, 0, 0, 0, t % 2 ? 1 : -1)],
    ['a command that is next to nothing', { stands: always }, () => ahead(0.29)],
    ['a pause between steps', { stands: always }, (t) => ahead(t % 3 === 0 ? 0 : 0.6)],
    ['what the robot says that it did not do', { stands: always, executed: () => new Float32Array(7) }],
    ['a slow arm: 2 % of what it is told', { executed: () => ahead(0.6) }, () => ahead(0.02)],
  ])('%s', async (_, nature, act) => {
    expect(await until(real(new Arm(nature)), act)).toBeNull()
  })

  it('an arm before the wall of its work box, which the envelope keeps from it', async () => {
    const workBox = { low: [-1, -1, -1], high: [0.013, 1, 1] }
    expect(await until(real(new Arm({}), { workBox }))).toBeNull()
  })

  it('an arm that was stopped meanwhile', async () => {
    const robot = real(new Arm({ stands: always }))
    await robot.reset('push')
    for (let t = 0; t < 20; t++) {
      await robot.step(ahead())
      const going = robot.step(ahead())
      await robot.stop()
      await going
    }
    expect(robot.fault).toBeNull()
  })

  it('a simulated arm', async () => {
    expect(await until(new SafeRobot(new Arm({ stands: always })))).toBeNull()
  })
})
