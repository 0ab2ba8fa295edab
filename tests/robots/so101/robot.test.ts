/** @file The driver behind its simulated bus: what it refuses before anything moves, what stops it, and what it says that it did. */
import { describe, expect, it } from 'vitest'
import { realClock } from '../../../src/robot/clock.ts'
import { SafeRobot } from '../../../src/robot/safety.ts'
import type { Arm } from '../../../src/robots/so101/arm.ts'
import { So101Config } from '../../../src/robots/so101/config.ts'
import { BusError } from '../../../src/robots/so101/feetech/bus.ts'
import { MODEL_STS3215, REGISTERS } from '../../../src/robots/so101/feetech/registers.ts'
import { type JointName, toRadians } from '../../../src/robots/so101/joints.ts'
import { leaving, openSo101 } from '../../../src/robots/so101/rig.ts'
import { So101 } from '../../../src/robots/so101/robot.ts'
import type { SimulatedBus } from '../../../src/robots/so101/simulated/bus.ts'
import { SimulatedServo } from '../../../src/robots/so101/simulated/servo.ts'
import { anArm, armConfig, servoOf } from './builders.ts'

const ahead = (x: number, y = 0, z = 0, grip = 0) => Float32Array.of(x, y, z, 0, 0, 0, grip)
const UP = ahead(0, 0, 1)

async function aGuardedArm(settings: object = {}) {
  const { robot: so101, config, ...hands } = await anArm(settings)
  const { workBox } = config.safety
  return { robot: new SafeRobot(so101, { limits: { workBox } }), so101, config, ...hands }
}

/** Steps until the robot holds after a fault; gives its words. */
async function untilFault(robot: SafeRobot, action: Float32Array, most = 40): Promise<string> {
  for (let i = 0; i < most && !robot.fault; i++) await robot.step(action).catch(() => {})
  return robot.fault ? `${robot.fault.kind}: ${robot.fault.what}` : 'no fault'
}

describe('an arm is refused before anything moves', () => {
  const meddled: [string, (bus: SimulatedBus) => void, string | RegExp][] = [
    [
      'without power',
      (bus) => bus.servos.forEach((_, j) => void bus.silent.add(j + 1)),
      "no servo answers. Switch the arm's own power supply on",
    ],
    [
      'with a broken chain',
      (bus) => void [4, 5, 6].map((id) => bus.silent.add(id)),
      'no answer from wrist_flex (servo 4), wrist_roll (servo 5), gripper (servo 6)',
    ],
    [
      'beside another one on its bus',
      (bus) => void (bus.servos as SimulatedServo[]).push(new SimulatedServo(2)),
      'several servos answer as 2, which is shoulder_lift',
    ],
    [
      'with a servo too many',
      (bus) => void (bus.servos as SimulatedServo[]).push(new SimulatedServo(9)),
      "has servos that are not this arm's: 9",
    ],
    [
      'with another model in it',
      (bus) => servoOf(bus, 'elbow_flex').set('model', 1284),
      `elbow_flex (servo 3) is of model 1284, an STS3215 is ${MODEL_STS3215}`,
    ],
    [
      'with mixed firmware',
      (bus) => servoOf(bus, 'gripper').set('firmwareMinor', 9),
      '3.10 in shoulder_pan, shoulder_lift, elbow_flex, wrist_flex, wrist_roll; 3.9 in gripper',
    ],
    [
      'calibrated otherwise than its file',
      (bus) => servoOf(bus, 'wrist_flex').set('homingOffset', 7),
      'wrist_flex (servo 4) has homing_offset 7, its calibration file says 100',
    ],
    [
      'that needs setting up while it holds itself up',
      (bus) => {
        servoOf(bus, 'elbow_flex').set('torqueEnable', 1)
      },
      'elbow_flex (servo 3) needs returnDelay 0, which is only written without torque',
    ],
  ]
  it.each(meddled)('%s', async (_, meddle, words) => {
    let goals = 0
    const opening = anArm({}, (bus) => {
      meddle(bus)
      bus.onGoal = () => goals++
    })
    await expect(opening).rejects.toThrow(words)
    if (!String(words).includes('torque')) expect(goals).toBe(0)
  })
})

describe('opening', () => {
  it('drives the arm where it stands, with its limits set, and moves nothing', async () => {
    const { bus, robot, clock } = await anArm({ servos: { torque: 0.6, gripperTorque: 0.4 } })
    const before = bus.servos.map((servo) => servo.told)
    await clock.sleep(1)
    await robot.observe()
    expect(bus.servos.map((servo) => servo.told)).toEqual(before)
    for (const [j, servo] of bus.servos.entries()) {
      expect(servo.get('torqueEnable')).toBe(1)
      expect(servo.get('torqueLimit')).toBe(j < 5 ? 600 : 400)
      expect([servo.get('proportional'), servo.get('integral'), servo.get('derivative')]).toEqual([16, 0, 32])
    }
    expect(servoOf(bus, 'gripper').get('maxTorque')).toBe(500)
  })

  it('leaves an arm under torque that is set up already, so that it does not fall', async () => {
    const { robot, bus } = await anArm()
    const writes: number[] = []
    for (const servo of bus.servos) {
      const write = servo.write.bind(servo)
      servo.write = (address, bytes) => {
        if (address === 40) writes.push(bytes[0]!)
        write(address, bytes)
      }
    }
    await robot.recover()
    await robot.stop()
    await robot.close()
    expect(writes).toEqual([])
    expect(bus.servos.every((servo) => servo.get('torqueEnable') === 1)).toBe(true)
  })
})

describe('a step', () => {
  it('tells what it really asked of the joints: of a yaw with the gripper ahead, what five joints can do', async () => {
    const { robot } = await anArm()
    await robot.reset('reach')
    const straight = (await robot.step(ahead(1))).executed!
    expect(straight[0]).toBeCloseTo(1, 4)
    const yawed = (await robot.step(Float32Array.of(0, 0, 0, 0, 0, 1, 0))).executed!
    expect(yawed[5]!).toBeGreaterThan(0.3)
    expect(yawed[5]!).toBeLessThan(0.95)
    expect(Math.hypot(yawed[0]!, yawed[1]!, yawed[2]!)).toBeLessThan(0.01)
  })

  it('at the end of its reach tells that it went no further, and is recorded so', async () => {
    const { robot } = await aGuardedArm({ safety: { workBox: { low: [-1, -1, 0], high: [1, 1, 1] }, speed: 0.12 } })
    await robot.reset('reach')
    let last = 1
    for (let i = 0; i < 30; i++) {
      await robot.step(ahead(1))
      last = robot.executed[0]!
    }
    expect(robot.fault).toBeNull()
    expect(Math.abs(last)).toBeLessThan(0.2)
  })

  it('takes a period of its own clock, and a call that comes late a little less', async () => {
    const { robot, clock } = await anArm()
    await robot.reset('reach')
    const { time } = (await robot.step(UP)).observation
    await clock.sleep(0.03) // the policy thinks
    expect((await robot.step(UP)).observation.time - time).toBeCloseTo(0.1, 6)
    await clock.sleep(3)
    const late = clock.now()
    expect((await robot.step(UP)).observation.time - late).toBeCloseTo(0.1, 6)
  })

  it('ends with a success where the tool is at the place of the task', async () => {
    const { robot } = await anArm({ places: { reach: { position: [0.241, 0, 0.13], within: 0.012 } } })
    await robot.reset('reach')
    const rewards: number[] = []
    for (let i = 0; i < 4 && !rewards.includes(1); i++) rewards.push((await robot.step(UP)).reward)
    expect(rewards).toEqual([0, 0, 1])
  })

  it('closes on a thing no harder than its squeeze allows, and goes on holding it when stopped, and when a fault is cleared', async () => {
    const { robot, bus } = await anArm()
    await robot.reset('reach')
    const gripper = servoOf(bus, 'gripper')
    const offset = gripper.get('homingOffset')
    gripper.free = [2300 + offset, 5000]
    for (let i = 0; i < 60; i++) await robot.step(ahead(0, 0, 0, 1))
    expect(gripper.told).toBe(2300)
    const way = gripper.get('maxPosition') - gripper.get('minPosition')
    expect(gripper.told - gripper.get('goalPosition')).toBeCloseTo(0.04 * way, -1)
    expect(gripper.trouble).toBe(0)
    await robot.stop()
    expect(gripper.get('goalPosition')).toBeLessThan(2300)
    await robot.recover()
    expect(gripper.get('goalPosition')).toBeLessThan(2300)
  })
})

const QUICK = { stall: { current: 0.3, error: 0.05, time: 0.3 } }

/** So that the servo's own protection comes first. */
const PUSHING = {
  servos: { lead: 0.5 },
  stall: { current: 9 },
  safety: { workBox: { low: [0, -0.3, 0], high: [0.5, 0.3, 0.5] }, speed: 0.12, jump: 0.4 },
}

describe('a fault latches, and the arm holds where it is', () => {
  const cases: [string, (arm: Awaited<ReturnType<typeof aGuardedArm>>) => void, RegExp][] = [
    [
      'a joint that is held up',
      ({ bus }) => stall(bus, 'shoulder_lift'),
      /^robot: shoulder_lift is held up: \d+° from where it was sent, at \d\.\d A/,
    ],
    ['a servo that is overloaded', ({ bus }) => stall(bus, 'elbow_flex'), /^robot: elbow_flex: it is overloaded/],
    [
      'a servo that is too hot',
      ({ bus }) => {
        servoOf(bus, 'wrist_flex').temperature = 68
      },
      /^robot: wrist_flex is 68 °C hot, the limit is 65 °C/,
    ],
    [
      'a servo that is silent',
      ({ bus }) => void bus.silent.add(3),
      /^no answer: elbow_flex did not answer: the arm holds where it was sent last/,
    ],
    [
      'a line on which all bytes are damaged',
      ({ bus }) => {
        bus.damage = (byte) => byte ^ 0x10
      },
      /^no answer: shoulder_pan, .*gripper did not answer/,
    ],
    [
      'an adapter that is unplugged',
      ({ unplug }) => unplug(),
      /^no answer: simulated was unplugged: the arm holds where it was sent last/,
    ],
  ]
  it.each(cases)('%s', async (name, meddle, words) => {
    const arm = await aGuardedArm(name.includes('overloaded') ? PUSHING : QUICK)
    await arm.robot.reset('reach')
    await arm.robot.step(UP)
    let last = arm.clock.now()
    arm.bus.onGoal = (_id, at) => {
      last = at
    }
    meddle(arm)
    expect(await untilFault(arm.robot, UP)).toMatch(words)
    const held = arm.clock.now()
    expect(held - last).toBeLessThanOrEqual(0.1) // nothing is sent after the stop that follows the fault
    const goals = arm.bus.servos.map((servo) => servo.get('goalPosition'))
    await arm.clock.sleep(1)
    await arm.robot.step(UP).catch(() => {})
    expect(arm.bus.servos.map((servo) => servo.get('goalPosition'))).toEqual(goals)
    expect(arm.bus.servos.every((servo) => servo.get('torqueEnable') === 1)).toBe(true)
    await expect(arm.robot.reset('reach')).rejects.toThrow('holds after a fault')
  })

  it('relieves a joint that is held up: its goal is where it stands', async () => {
    const { robot, bus } = await aGuardedArm({ stall: { current: 0.3, error: 0.05, time: 0.3 } })
    await robot.reset('reach')
    stall(bus, 'shoulder_lift')
    await untilFault(robot, UP)
    const servo = servoOf(bus, 'shoulder_lift')
    expect(Math.abs(servo.get('goalPosition') - servo.told)).toBeLessThanOrEqual(1)
  })

  it('is taken up again by a person, after an unplugged adapter by a new connection', async () => {
    const { robot, bus, unplug } = await aGuardedArm()
    await robot.reset('reach')
    const before = bus.servos.map((servo) => servo.told)
    unplug()
    await untilFault(robot, UP)
    robot.clearFault()
    await robot.observe()
    const { observation } = await robot.step(ahead(0))
    expect(robot.fault).toBeNull()
    expect(observation.proprio).toHaveLength(14)
    bus.servos.forEach((servo, j) => void expect(Math.abs(servo.told - before[j]!)).toBeLessThan(20))
  })

  it('is taken up again by a person after its power was off: driven where it fell, with its limits set', async () => {
    const { robot, bus } = await aGuardedArm({ servos: { torque: 0.6, gripperTorque: 0.4 } })
    await robot.reset('reach')
    for (const servo of bus.servos) bus.silent.add(servo.get('id'))
    await untilFault(robot, UP)
    bus.silent.clear()
    for (const servo of bus.servos) {
      for (const [name, value] of [
        ['torqueEnable', 0],
        ['torqueLimit', 1000],
        ['acceleration', 0],
      ] as const)
        servo.set(name, value)
      servo.turnTo(servo.told - 60)
    }
    const fallen = bus.servos.map((servo) => servo.told)
    const [first] = bus.servos
    const write = first!.write.bind(first)
    const goals: number[] = []
    first!.write = (address, bytes) => {
      write(address, bytes)
      if (address === REGISTERS.goalPosition.address) goals.push(first!.get('goalPosition'))
      if (address === REGISTERS.torqueEnable.address) void robot.stop() // a console pauses what was cleared
    }
    robot.clearFault()
    await robot.observe()
    expect(robot.fault).toBeNull()
    for (const goal of goals) expect(Math.abs(goal - fallen[0]!)).toBeLessThan(20)
    expect(bus.servos.map((servo) => servo.get('torqueEnable'))).toEqual(Array(6).fill(1))
    expect(bus.servos.map((servo) => servo.get('torqueLimit'))).toEqual([600, 600, 600, 600, 600, 400])
    expect(bus.servos.every((servo) => servo.get('acceleration') > 0)).toBe(true)
    await robot.step(ahead(0))
    for (const j of [0, 1, 2, 3, 4]) expect(Math.abs(bus.servos[j]!.told - fallen[j]!)).toBeLessThan(20)
  })

  it('does not come of a few lost or damaged bytes: the request is sent again', async () => {
    const { robot, bus } = await aGuardedArm()
    await robot.reset('reach')
    let n = 0
    bus.damage = (byte) => (++n % 400 === 0 ? undefined : n % 400 === 200 ? byte ^ 1 : byte)
    for (let i = 0; i < 10; i++) await robot.step(UP)
    expect(n).toBeGreaterThan(2000)
    expect(robot.fault).toBeNull()
  })
})

describe('a stop', () => {
  it('on the way to the start ends it there: every joint is told to stay', async () => {
    const { robot, bus, clock } = await anArm()
    const going = robot.reset('reach')
    going.catch(() => {})
    while (clock.now() < 0.5) await new Promise(setImmediate)
    await robot.stop()
    await expect(going).rejects.toThrow('was stopped on its way')
    const there = bus.servos.map((servo) => servo.get('goalPosition'))
    await clock.sleep(1)
    await robot.observe()
    expect(bus.servos.map((servo) => servo.get('goalPosition'))).toEqual(there)
    expect(bus.servos.every((servo) => servo.get('torqueEnable') === 1)).toBe(true)
  })

  it('holds the arm where it stands, also where it is read back before the stop has been told', async () => {
    const { robot, bus } = await aGuardedArm()
    await robot.reset('reach')
    for (let i = 0; i < 4; i++) await robot.step(UP)
    const stood = bus.servos.map((servo) => servo.told)
    const lag = Math.max(...bus.servos.map((servo, j) => Math.abs(servo.get('goalPosition') - stood[j]!)))
    expect(lag).toBeGreaterThan(20) // it was on its way
    const stopping = robot.halt('a person')
    for (let i = 0; i < 3; i++) await robot.step(UP)
    await stopping
    for (const [j, servo] of bus.servos.entries()) expect(Math.abs(servo.told - stood[j]!)).toBeLessThan(lag / 2)
  })

  it('keeps a gripper that moves where it is, until it is asked for something again', async () => {
    const { robot, bus } = await aGuardedArm()
    await robot.reset('reach')
    for (let i = 0; i < 3; i++) await robot.step(ahead(0, 0, 0, 1))
    await robot.halt('a person')
    const gripper = servoOf(bus, 'gripper')
    const stood = gripper.told
    expect(stood - gripper.get('minPosition')).toBeGreaterThan(300) // it was half closed
    for (let i = 0; i < 10; i++) await robot.step(ahead(0, 0, 0, -1))
    expect(Math.abs(gripper.told - stood)).toBeLessThan(60) // the way that it needs to come to rest
    robot.clearFault()
    for (let i = 0; i < 10; i++) await robot.step(ahead(0, 0, 0, 1))
    expect(gripper.told - gripper.get('minPosition')).toBeLessThan(100)
  })
})

describe('a bus that fails after the arm was found', () => {
  it('is told with what to do, and the port is let go', async () => {
    let closed = false
    const arm = {
      drive: () => Promise.reject(new BusError('3 did not answer 3 times', [3])),
      close: async () => void (closed = true),
    } as unknown as Arm
    const opening = So101.open(armConfig(), {
      connect: async () => arm,
      clock: realClock,
      pictures: () => ({ images: {} }),
    })
    await expect(opening).rejects.toThrow('the servo bus fails: 3 did not answer 3 times. Check the cables')
    expect(closed).toBe(true)
  })
})

describe('a start pose', () => {
  it('outside of the work box is refused before anything is opened', async () => {
    const config = So101Config.parse({
      kind: 'so101',
      port: '/dev/none',
      tasks: { cube: { instruction: 'put it there', maxSteps: 10 } },
      safety: { workBox: { low: [0.08, 0.2, 0.01], high: [0.4, 0.25, 0.35] }, speed: 0.12 }, // the arm begins at y 0
    })
    await expect(openSo101(config, 'A')).rejects.toThrow(
      /^robot.start: brings the tool to .* m, 200 mm outside of the work box/,
    )
  })
})

describe('the end of a run', () => {
  it.each([
    ['hold', 1, false],
    ['park', 1, true],
    ['relax', 0, true],
  ] as const)('with %s', async (exit, torque, parked) => {
    const { robot, bus, config } = await anArm()
    await robot.reset('reach')
    await leaving(new SafeRobot(robot), robot, { ...config, exit }).leave?.()
    expect(bus.servos.map((servo) => servo.get('torqueEnable'))).toEqual(Array(6).fill(torque))
    const lift = robot.state[1]!.position
    expect(Math.abs(lift - toRadians((parked ? config.park : config.start)[1])) < 0.05).toBe(true)
    const lifted = bus.servos[1]!
    const goal = lifted.get('goalPosition')
    lifted.turnTo(lifted.told + 200) // by hand, or it falls
    await robot.observe()
    await robot.stop() // as whatever closes it does
    expect(lifted.get('goalPosition') === goal).toBe(exit === 'relax') // a goal may drive a servo that was let go of
  })
})

/** Something is in the way of a joint, right where it is. */
function stall(bus: SimulatedBus, joint: JointName): void {
  const servo = servoOf(bus, joint)
  const at = servo.told + servo.get('homingOffset')
  servo.free = [at, at]
}
