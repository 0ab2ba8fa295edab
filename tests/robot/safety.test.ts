/** @file The safety envelope as a specification; properties over random, broken and late commands. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { vector } from '../../src/robot/channels.ts'
import { defaultLimits, guard, type SafetyLimits, type SafetySituation } from '../../src/robot/guard.ts'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'

const box = { low: [0.3, -0.25, 0.012], high: [0.7, 0.25, 0.4] }
const limits: SafetyLimits = {
  ...defaultLimits,
  change: 0.5,
  workBox: box,
  force: 50,
  commandAge: 0.2,
  heartbeatAge: 1,
}
const calm: SafetySituation = {
  previous: [0, 0, 0, 0, 0, 0, 0],
  grip: 0,
  position: [0.5, 0, 0.2],
  force: 3,
  commandAge: 0.01,
  heartbeatAge: 0.1,
  pictureAge: 0,
  blind: false,
  rotation: null,
  actionScale: { translation: 0.015, rotation: 0.1 },
  fault: null,
}
const still = new Float32Array(7)

const number = fc.double({ min: -3, max: 3, noNaN: true })
const command = fc.array(number, { minLength: 7, maxLength: 7 })
const notFinite = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)
const previous = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 })
const position = fc.tuple(
  fc.double({ min: 0.25, max: 0.75, noNaN: true }),
  fc.double({ min: -0.3, max: 0.3, noNaN: true }),
  fc.double({ min: -0.02, max: 0.45, noNaN: true }),
)

describe('guard', () => {
  it('lets a moderate command through as it is', () => {
    const wanted = [0.25, -0.5, 0.125, 0.5, 0, -0.25, 1]
    const { action, fault, limited } = guard(wanted, calm, limits)
    expect(Array.from(action)).toEqual(wanted)
    expect(fault).toBeNull()
    expect(limited).toBe(false)
  })

  it('never lets more than 1, more than the allowed change, or a way out of the box reach the motor', () =>
    fc.assert(
      fc.property(command, previous, position, (wanted, before, tcp) => {
        const { action, fault } = guard(wanted, { ...calm, previous: before, position: tcp }, limits)
        expect(fault).toBeNull()
        for (let i = 0; i < 7; i++) expect(Math.abs(action[i]!)).toBeLessThanOrEqual(1)
        for (let i = 3; i < 6; i++) expect(Math.abs(action[i]! - before[i]!)).toBeLessThanOrEqual(0.5 + 1e-6)
        for (let i = 0; i < 3; i++) {
          const next = tcp[i]! + 0.015 * action[i]!
          expect(next).toBeLessThanOrEqual(Math.max(box.high[i]!, tcp[i]!) + 1e-6)
          expect(next).toBeGreaterThanOrEqual(Math.min(box.low[i]!, tcp[i]!) - 1e-6)
        }
      }),
    ))

  it('limits the change of translation away from the walls, and of rotation anywhere', () =>
    fc.assert(
      fc.property(command, previous, (wanted, before) => {
        const { action } = guard(wanted, { ...calm, previous: before }, limits)
        for (let i = 0; i < 6; i++) expect(Math.abs(action[i]! - before[i]!)).toBeLessThanOrEqual(0.5 + 1e-6)
      }),
    ))

  it('goes to the full command within a few steps: limiting is not refusing', () => {
    let before: ArrayLike<number> = calm.previous
    for (let step = 0; step < 2; step++)
      before = guard([1, -1, 1, 1, -1, 1, -1], { ...calm, previous: before }, limits).action
    expect(Array.from(before)).toEqual([1, -1, 1, 1, -1, 1, -1])
  })

  it('stands still on any command with a non-finite entry, and says which', () =>
    fc.assert(
      fc.property(command, fc.integer({ min: 0, max: 6 }), notFinite, (wanted, at, poison) => {
        const { action, fault } = guard(wanted.with(at, poison), calm, limits)
        expect(action).toEqual(still)
        expect(fault).toEqual({ kind: 'not a number', what: `action[${at}] is ${poison}` })
      }),
    ))

  it('stands still on a command of another length', () =>
    fc.assert(
      fc.property(
        fc.array(number, { maxLength: 20 }).filter((values) => values.length !== 7),
        (wanted) => {
          const { action, fault } = guard(wanted, calm, limits)
          expect(action).toEqual(still)
          expect(fault?.kind).toBe('wrong length')
        },
      ),
    ))

  it('stands still on late commands, a silent supervisor, ages that are no numbers', () =>
    fc.assert(
      fc.property(command, fc.double({ min: 1.001, max: 1e6, noNaN: true }), (wanted, age) => {
        for (const bad of [age, Number.NaN]) {
          const late = guard(wanted, { ...calm, commandAge: bad }, limits)
          expect([late.fault?.kind, ...late.action]).toEqual(['stale command', ...still])
          const silent = guard(wanted, { ...calm, heartbeatAge: bad }, limits)
          expect([silent.fault?.kind, ...silent.action]).toEqual(['lost heartbeat', ...still])
        }
      }),
    ))

  it.each([
    ['force', { force: 51 }],
    ['sensor', { force: Number.NaN }],
    ['sensor', { position: [0.5, Number.NaN, 0.2] }],
    ['sensor', { position: [0.5, 0] }],
    ['sensor', { position: [0.5, 0, 0.2, 0] }],
  ] as const)('stands still on a %s fault', (kind, change) => {
    const { action, fault } = guard([1, 0, 0, 0, 0, 0, 1], { ...calm, ...change }, limits)
    expect(fault?.kind).toBe(kind)
    expect(action).toEqual(still)
  })

  it('lets through what is exactly as much as allowed, and what nobody measures', () => {
    const wanted = [0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 1]
    for (const change of [
      { force: 50, commandAge: 0.2, heartbeatAge: 1 },
      { force: null, position: null },
    ]) {
      const { action, fault, limited } = guard(wanted, { ...calm, ...change }, limits)
      expect([fault, limited, ...action]).toEqual([null, false, ...wanted])
    }
  })

  it('says that a command was larger than allowed: than 1, than the change, than the way to the wall', () => {
    const near = { ...calm, position: [0.697, 0, 0.2] } // 3 mm are 0.2 of a step
    for (const [wanted, situation] of [
      [[0, 0, 0, 0, 0, 0, 1.5], calm],
      [[0, 0, 0, 0.6, 0, 0, 1], calm],
      [[0.3, 0, 0, 0, 0, 0, 1], near],
    ] as const)
      expect(guard(wanted, situation, limits)).toMatchObject({ fault: null, limited: true })
    expect(guard([0.2, 0, 0, 0, 0, 0, 1], near, limits)).toMatchObject({ fault: null, limited: false })
  })

  it('keeps the first fault, whatever comes after it', () => {
    const fault = { kind: 'stopped', what: 'by Ada' } as const
    expect(guard([Number.NaN], { ...calm, fault, force: 99 }, limits)).toEqual({ action: still, fault, limited: false })
  })

  it('lets the arm back into the box, not further out', () => {
    const outside = { ...calm, position: [0.71, 0, 0.2] }
    expect(guard([0.4, 0, 0, 0, 0, 0, 0], outside, limits).action[0]).toBe(0)
    expect(guard([-0.4, 0, 0, 0, 0, 0, 0], outside, limits).action[0]).toBeCloseTo(-0.4, 6)
  })
})

/** Keeps what reaches the motors. */
class Recorder implements Robot {
  readonly spec = {
    name: 'recorder',
    cameras: {},
    rate: 10,
    channels: [...vector('tcp', 'm', { of: 'position' }), ...vector('wrist.force', 'N', { of: 'force' })],
    actionFrame: 'base' as const,
    actionScale: { translation: 0.015, rotation: 0.15 },
    tasks: { wait: { instruction: 'wait', maxSteps: 10 } },
  }
  actions: Action[] = []
  stops = 0
  force = 0
  time = 0
  async reset(): Promise<Observation> {
    return this.observe()
  }
  async observe(): Promise<Observation> {
    return { images: {}, proprio: Float32Array.of(0.5, 0, 0.2, this.force, 0, 0), time: this.time++ }
  }
  async step(action: Action): Promise<Outcome> {
    this.actions.push(action)
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop(): Promise<void> {
    this.stops++
  }
}
const push = () => Float32Array.of(0.5, 0, 0, 0, 0, 0, 1)

describe('SafeRobot', () => {
  it('whatever is asked of it, only sane actions reach the motor', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.oneof(number, notFinite), { minLength: 5, maxLength: 8 }), { maxLength: 12 }),
        async (commands) => {
          const motor = new Recorder()
          const robot = new SafeRobot(motor, { limits: { change: 0.5, workBox: box } })
          await robot.reset('wait')
          for (const values of commands) await robot.step(Float32Array.from(values))
          let before: ArrayLike<number> = still
          for (const action of motor.actions) {
            expect(action.length).toBe(7)
            expect(action.every((value) => Math.abs(value) <= 1)).toBe(true)
            const held = action.every((value) => value === 0)
            for (let i = 0; i < 6 && !held; i++)
              expect(Math.abs(action[i]! - before[i]!)).toBeLessThanOrEqual(0.5 + 1e-6)
            before = action
          }
        },
      ),
      { numRuns: 200 },
    ))

  it('measures the way to the wall of the work box by the metres that its robot moves a step', async () => {
    const motor = new Recorder() // 0.015 m and 0.15 rad a step, at x = 0.5, y = 0, z = 0.2
    const near = { low: [0.494, -1, 0.197], high: [0.509, 1, 1] }
    const robot = new SafeRobot(motor, { limits: { workBox: near } })
    await robot.reset('wait')
    await robot.step(Float32Array.of(1, 1, -1, 0, 0, 0, 0))
    await robot.step(Float32Array.of(-1, 1, 1, 0, 0, 0, 0))
    const [towards, away] = motor.actions as [Action, Action]
    for (const [axis, want] of [0.6, 1, -0.2].entries()) expect(towards[axis]).toBeCloseTo(want, 5)
    for (const [axis, want] of [-0.4, 1, 0.8].entries()) expect(away[axis]).toBeCloseTo(want, 5)
  })

  it('latches a fault: good commands do not move the robot until a person clears it', async () => {
    const motor = new Recorder()
    const faults: string[] = []
    const robot = new SafeRobot(motor, { onFault: (fault) => faults.push(fault.kind) })
    await robot.reset('wait')
    await robot.step(push().fill(Number.NaN))
    await robot.step(push())
    expect(motor.actions).toEqual([still, still])
    await expect(robot.reset('wait')).rejects.toThrow('clear the fault')
    expect(faults).toEqual(['not a number'])
    robot.clearFault()
    await robot.step(push())
    expect(motor.actions.at(-1)).toEqual(push())
    expect(robot.executed).toEqual(push())
  })

  it('reads the force from the observation of the step before', async () => {
    const motor = new Recorder()
    const robot = new SafeRobot(motor, { limits: { force: 50 } })
    await robot.reset('wait')
    motor.force = -51
    await robot.step(push())
    expect(robot.fault).toBeNull()
    await robot.step(push())
    expect(robot.fault?.kind).toBe('force')
    expect(motor.actions.at(-1)).toEqual(still)
  })

  it('holds when the supervisor falls silent, or when a command was made too long ago', async () => {
    let now = 100
    const motor = new Recorder()
    const robot = new SafeRobot(motor, { limits: { heartbeatAge: 1, commandAge: 0.5 }, now: () => now })
    await robot.reset('wait')
    now += 0.9
    robot.heartbeat()
    now += 0.9
    await robot.step(push())
    expect(robot.fault).toBeNull()
    await robot.step(push(), now - 0.6)
    expect(robot.fault?.kind).toBe('stale command')
    robot.clearFault()
    now += 1.1
    await robot.step(push())
    expect(robot.fault?.kind).toBe('lost heartbeat')
    expect(motor.actions.slice(1)).toEqual([still, still])
    await robot.stop()
  })

  it('waits for a supervisor from the beginning, also for one who is never heard', async () => {
    let now = 100
    const robot = new SafeRobot(new Recorder(), { limits: { heartbeatAge: 1 }, now: () => now })
    await robot.reset('wait')
    now += 1.1
    await robot.step(push())
    expect(robot.fault?.kind).toBe('lost heartbeat')
  })

  it('counts the steps whose command was larger than allowed', async () => {
    const robot = new SafeRobot(new Recorder(), { limits: { change: 0.5 } })
    await robot.reset('wait')
    for (const x of [0.5, 1, 0.1, 0.2]) await robot.step(Float32Array.of(x, 0, 0, 0, 0, 0, 1))
    expect(robot.limitedSteps).toBe(1) // from 1 to 0.1
    expect(robot.executed[0]).toBeCloseTo(0.2, 6)
  })

  it('that a person halts takes the stop at once, says by whom, and holds until it is cleared', async () => {
    const motor = new Recorder()
    const robot = new SafeRobot(motor)
    await robot.reset('wait')
    await robot.halt('by Ada')
    expect(motor.stops).toBe(1)
    await robot.halt('by Bert')
    expect(robot.fault).toEqual({ kind: 'stopped', what: 'by Ada' })
    await robot.step(push())
    expect(motor.actions).toEqual([still])
    robot.clearFault()
    await robot.step(push())
    expect(motor.actions.at(-1)).toEqual(push())
  })

  it('stops by itself when no next command comes', async () => {
    vi.useFakeTimers()
    try {
      const motor = new Recorder()
      const robot = new SafeRobot(motor, { limits: { commandAge: 0.3 } })
      await robot.reset('wait')
      await robot.step(push())
      await vi.advanceTimersByTimeAsync(250)
      expect(motor.stops).toBe(0)
      await vi.advanceTimersByTimeAsync(100)
      expect(motor.stops).toBe(1)
      expect(robot.fault?.kind).toBe('stale command')
    } finally {
      vi.useRealTimers()
    }
  })

  it('waits for no next command where it was stopped in the midst of a step', async () => {
    vi.useFakeTimers()
    try {
      const motor = new Recorder()
      const robot = new SafeRobot(motor, { limits: { commandAge: 0.3 } })
      await robot.reset('wait')
      const going = robot.step(push()) // what beside it fails ends the run meanwhile
      await robot.stop()
      await going
      await vi.advanceTimersByTimeAsync(1000)
      expect([motor.stops, robot.fault]).toEqual([1, null])
      await robot.step(push())
      await vi.advanceTimersByTimeAsync(350)
      expect(robot.fault?.kind).toBe('stale command')
    } finally {
      vi.useRealTimers()
    }
  })

  it('stops at any time, also while a fault holds it', async () => {
    const motor = new Recorder()
    const robot = new SafeRobot(motor)
    await robot.step(new Float32Array(3))
    await robot.stop()
    await robot.stop()
    expect(motor.stops).toBe(2)
    expect(robot.fault?.kind).toBe('wrong length')
  })

  it('keeps its own copy of what is executed, so that the caller cannot change it afterwards', async () => {
    const motor = new Recorder()
    const robot = new SafeRobot(motor)
    const command = push()
    await robot.step(command)
    command.fill(9)
    motor.actions[0]!.fill(9)
    expect(robot.executed).toEqual(push())
  })

  it('hides the wrapped robot from the program', () => {
    const motor = new Recorder()
    const robot = new SafeRobot(motor)
    const reachable = Object.values(Object.getOwnPropertyDescriptors(robot)).map((property) => property.value)
    expect(reachable).not.toContain(motor)
  })

  it('refuses limits that cannot protect anything', () => {
    expect(() => new SafeRobot(new Recorder(), { limits: { force: -1 } })).toThrow('safety.force: is -1')
    expect(() => new SafeRobot(new Recorder(), { limits: { workBox: { low: [1, 0, 0], high: [0, 1, 1] } } })).toThrow(
      'low must be',
    )
    expect(() => new SafeRobot(new Recorder(), { limits: { change: 0 } })).toThrow('safety.change: is 0')
    expect(() => new SafeRobot(new Recorder(), { limits: { commandAge: Number.NaN } })).toThrow('commandAge: is NaN')
    expect(() => new SafeRobot(new Recorder(), { limits: { workBox: { low: [0, 0, 1], high: [1, 1, 1] } } })).toThrow(
      'low must be',
    )
    const blind = new Recorder()
    blind.spec.channels.splice(0, 1)
    expect(() => new SafeRobot(blind, { limits: { workBox: box } })).toThrow('reports no TCP position')
  })
})
