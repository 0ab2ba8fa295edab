/** @file Watchdogs of robots that can break, and faults that outlive the process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { RobotFault } from '../../src/robot/fault.ts'
import { FaultFile, faultFolder, keptFaults } from '../../src/robot/fault-file.ts'
import { expectGuarded } from '../../src/robot/rig.ts'
import type { Action, Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot, type SafeRobotOptions } from '../../src/robot/safety.ts'

class Motor implements Robot {
  readonly spec = {
    name: 'left arm/2',
    rate: 10,
    cameras: {},
    channels: [],
    actionFrame: 'base' as const,
    actionScale: { translation: 0.01, rotation: 0.1 },
    tasks: { wait: { instruction: 'wait', maxSteps: 10 } },
  }
  readonly actions: Action[] = []
  private time = 0
  reset = async () => this.observe()
  observe = async (): Promise<Observation> => ({ images: {}, proprio: new Float32Array(0), time: this.time })
  stop = async () => {}
  async step(action: Action): Promise<Outcome> {
    this.actions.push(action)
    this.time += 0.1
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'duet-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))
const watched = { commandAge: 0.5, heartbeatAge: 1 }
const opened = (options: SafeRobotOptions = {}) =>
  new SafeRobot(new Motor(), { limits: watched, faults: new FaultFile('left arm/2', folder), ...options })
const push = () => Float32Array.of(0.5, 0, 0, 0, 0, 0, 0)

describe('a real rig', () => {
  it.each([
    ['an age of its commands', { limits: { heartbeatAge: 1 } }, 'safety.commandAge has no limit'],
    ['a heartbeat', { limits: { commandAge: 1 } }, 'safety.heartbeatAge has no limit'],
    ['a place for its faults', { faults: undefined }, 'keeps no faults'],
  ])('is refused without %s', (_, options, words) => {
    expect(() => expectGuarded({ robot: opened(options), real: true })).toThrow(words)
    expect(() => expectGuarded({ robot: opened(options), real: false })).not.toThrow()
  })

  it('is taken with all of them', () => expect(() => expectGuarded({ robot: opened(), real: true })).not.toThrow())
})

describe('those who supervise', () => {
  it('are all waited for: one who is silent stops the robot, whoever else speaks', async () => {
    let now = 0
    const robot = opened({ faults: undefined, now: () => now })
    robot.supervisedBy(['the learner', 'the page'])
    await robot.reset('wait')
    for (let i = 0; i < 4; i++) {
      now += 0.4
      robot.heartbeat('the learner')
      await robot.step(push())
    }
    expect(robot.fault?.kind).toBe('lost heartbeat')
    await robot.stop()
  })

  it('may leave in order, and then are not waited for', async () => {
    let now = 0
    const robot = opened({ faults: undefined, now: () => now })
    robot.supervisedBy([])
    robot.supervise('the page', true)
    now += 0.9
    await robot.step(push())
    robot.supervise('the page', false)
    now += 5
    await robot.step(push(), now)
    expect(robot.fault).toBeNull()
    await robot.stop()
  })
})

describe('a robot that rests between two episodes', () => {
  it('is not stopped for want of commands', async () => {
    const robot = opened({ limits: { ...watched, commandAge: 0.03 }, faults: undefined })
    await robot.reset('wait')
    await robot.step(push())
    await robot.rest()
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(robot.fault).toBeNull()
  })
})

describe('a fault', () => {
  it('holds the robot in the next process too, until a person clears it', async () => {
    const first = opened()
    await first.reset('wait')
    await first.step(push().fill(Number.NaN))
    const motor = new Motor()
    const second = new SafeRobot(motor, { limits: watched, faults: new FaultFile('left arm/2', folder) })
    expect(second.fault).toMatchObject({ kind: 'not a number', what: 'action[0] is NaN' })
    await expect(second.reset('wait')).rejects.toThrow('duet robot clear left arm/2')
    await second.step(push())
    expect(motor.actions.at(-1)).toEqual(new Float32Array(7))
    writeFileSync(join(folder, '100%.json'), '{}') // of somebody else
    expect(keptFaults(folder)).toMatchObject([{ robot: 'left arm/2', kind: 'not a number' }])
    second.clearFault()
    expect(keptFaults(folder)).toEqual([])
    expect(opened().fault).toBeNull()
    await second.stop()
    await first.stop()
  })

  it('whose file is damaged holds the robot as well', () => {
    writeFileSync(join(folder, `${encodeURIComponent('left arm/2')}.json`), '{"kind": "sens')
    expect(opened().fault).toMatchObject({ kind: 'stopped', what: expect.stringContaining('cannot be read') })
    new FaultFile('left arm/2', folder).clear()
  })
})

describe('the disk', () => {
  /** A place for faults that says what came first. */
  class Slow extends FaultFile {
    constructor(
      private readonly order: string[],
      private readonly refuses: boolean,
    ) {
      super('left arm/2', folder)
    }
    override write(): string {
      this.order.push('written')
      if (this.refuses) throw new Error('no space left')
      return ''
    }
  }
  const started = async (refuses: boolean) => {
    const order: string[] = []
    const motor = new Motor()
    const step = motor.step.bind(motor)
    motor.stop = async () => void order.push('stopped')
    motor.step = async (action) => {
      order.push(action.every((value) => value === 0) ? 'held' : 'moved')
      return step(action)
    }
    const robot = new SafeRobot(motor, { limits: watched, faults: new Slow(order, refuses) })
    await robot.reset('wait')
    return { robot, order }
  }

  it('hears of a fault after the motors have', async () => {
    const halted = await started(false)
    await halted.robot.halt('a person')
    expect(halted.order).toEqual(['stopped', 'written'])
    const strange = await started(false)
    await strange.robot.step(Float32Array.of(Number.NaN, 0, 0, 0, 0, 0, 0))
    expect(strange.order.slice(0, 2)).toEqual(['held', 'written'])
  })

  it('that refuses keeps no robot from being stopped and held, and that is said', async () => {
    const { robot, order } = await started(true)
    await robot.halt('a person')
    await robot.step(push())
    expect(order).toEqual(['stopped', 'written', 'held'])
    expect(robot.fault).toEqual({ kind: 'stopped', what: expect.stringContaining('no space left') })
  })
})

describe('the place of the faults', () => {
  afterEach(() => vi.unstubAllEnvs())

  it.each([
    [{ DUET_STATE: '/state', XDG_STATE_HOME: '/home/ada/xdg' }, '/state/faults'],
    [{ DUET_STATE: undefined, XDG_STATE_HOME: '/home/ada/xdg' }, '/home/ada/xdg/duet/faults'],
    [{ DUET_STATE: undefined, XDG_STATE_HOME: undefined }, join(homedir(), '.local/state/duet/faults')],
  ])('by %o is %s', (variables, place) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    expect(faultFolder()).toBe(place)
  })

  it('may not be there yet, or hold other files', () => {
    const place = join(folder, 'state', 'faults')
    expect(keptFaults(place)).toEqual([])
    new FaultFile('b', place).write({ kind: 'force', what: '80 N' })
    new FaultFile('a', place).write({ kind: 'sensor', what: 'blind' })
    writeFileSync(join(place, 'notes.txt'), 'not a fault')
    expect(keptFaults(place).map(({ robot, what }) => `${robot}: ${what}`)).toEqual(['a: blind', 'b: 80 N'])
  })
})

describe('a driver that tells of a fault itself', () => {
  class Failing extends Motor {
    fails: Partial<Record<'reset' | 'observe' | 'step' | 'stop', RobotFault>> = {}
    stops = 0
    recovered = 0
    override reset = async () => this.or('reset', () => this.observe())
    override observe = async () =>
      this.or('observe', async () => ({ images: {}, proprio: new Float32Array(0), time: 0 }))
    override stop = async () => {
      this.stops++
      await this.or('stop', async () => {})
    }
    override async step(action: Action) {
      await this.or('step', async () => {})
      return super.step(action)
    }
    async recover() {
      this.recovered++
    }
    private async or<T>(name: keyof Failing['fails'], work: () => Promise<T>): Promise<T> {
      if (this.fails[name]) throw this.fails[name]
      return work()
    }
  }
  const silent = new RobotFault('no answer', 'silent for 200 ms')

  it.each(['reset', 'observe', 'step'] as const)('in %s is stopped, and the fault latches', async (where) => {
    const motor = new Failing()
    const robot = new SafeRobot(motor, { limits: watched })
    motor.fails = { [where]: silent, stop: silent }
    await expect(where === 'step' ? robot.step(push()) : robot[where]('wait')).rejects.toThrow(
      'was stopped after a fault, no answer: silent for 200 ms',
    )
    expect(motor.stops).toBe(1)
    expect(robot.fault).toEqual({ kind: 'no answer', what: 'silent for 200 ms' })
  })

  it('in a stop latches, too: nobody knows whether it stands', async () => {
    const motor = new Failing()
    const robot = new SafeRobot(motor, { limits: watched })
    motor.fails = { stop: silent }
    await expect(robot.rest()).rejects.toThrow('silent')
    expect(robot.fault?.kind).toBe('no answer')
  })

  it('is told when a person clears it, and by nobody else', async () => {
    const motor = new Failing()
    const robot = new SafeRobot(motor, { limits: watched })
    motor.fails = { step: silent }
    await expect(robot.step(push())).rejects.toThrow()
    motor.fails = {}
    await expect(robot.reset('wait')).rejects.toThrow('holds after a fault')
    expect(motor.recovered).toBe(0)
    robot.clearFault()
    await robot.step(push())
    expect(motor.recovered).toBe(1)
    await robot.stop()
  })

  it('is told of a clearing between two sessions when the next one opens it', async () => {
    const file = new FaultFile('left arm/2', folder)
    file.write(silent)
    file.clearForNext()
    expect(keptFaults(folder)).toEqual([])
    const motor = new Failing()
    const robot = new SafeRobot(motor, { limits: watched, faults: new FaultFile('left arm/2', folder) })
    expect(robot.fault).toBeNull()
    await robot.reset('wait')
    expect(motor.recovered).toBe(1)
    expect(file.clearedSince).toBe(false)
    new SafeRobot(motor, { limits: watched, faults: new FaultFile('left arm/2', folder) })
    expect(motor.recovered).toBe(1)
  })

  it('and cannot be cleared holds on', async () => {
    const motor = new Failing()
    motor.recover = async () => Promise.reject(silent)
    const robot = new SafeRobot(motor, { limits: watched, faults: new FaultFile('left arm/2', folder) })
    await robot.halt('a person')
    robot.clearFault()
    await expect(robot.reset('wait')).rejects.toThrow('could not be cleared')
    expect(robot.fault?.kind).toBe('robot')
    new FaultFile('left arm/2', folder).clear()
  })

  it('halted by a person on its way to a start, begins where it stands and holds', async () => {
    const motor = new Failing()
    const robot = new SafeRobot(motor, { limits: watched })
    let interrupt = () => {}
    motor.reset = () => new Promise((_, reject) => (interrupt = () => reject(new Error('stopped on its way'))))
    const beginning = robot.reset('wait')
    void robot.halt('a person')
    interrupt()
    await expect(beginning).resolves.toMatchObject({ time: 0 })
    await robot.step(push())
    expect(motor.actions).toEqual([new Float32Array(7)])
    await robot.stop()
  })
})

describe('a stop from another process', () => {
  const stopFromElsewhere = () =>
    new FaultFile('left arm/2', folder).write({ kind: 'stopped', what: 'stopped by somebody from a terminal' })
  afterEach(() => new FaultFile('left arm/2', folder).clear())

  it('holds the robot from its next step on, and is told as any other stop', async () => {
    const motor = new Motor()
    const told: string[] = []
    const faults = new FaultFile('left arm/2', folder)
    const robot = new SafeRobot(motor, { faults, onFault: ({ what }) => told.push(what) })
    await robot.reset('wait')
    await robot.step(push())
    stopFromElsewhere()
    await robot.step(push())
    expect(motor.actions.map(([x]) => x)).toEqual([0.5, 0])
    expect(robot.fault).toMatchObject({ kind: 'stopped' })
    expect(told).toEqual(['stopped by somebody from a terminal'])
    robot.clearFault()
    await robot.step(push())
    expect(motor.actions.map(([x]) => x)).toEqual([0.5, 0, 0.5])
  })

  it('holds on where an earlier fault is cleared, before or while the robot is told so, that nobody meant', async () => {
    let told = () => {}
    const recover = () => new Promise<void>((resolve) => (told = resolve))
    const motor: Motor & { recover?: () => Promise<void> } = new Motor()
    const robot = new SafeRobot(motor, { faults: new FaultFile('left arm/2', folder) })
    await robot.halt('Ada')
    await sleep(2) // the next one is another moment's
    stopFromElsewhere()
    robot.clearFault()
    expect(robot.fault?.what).toBe('stopped by somebody from a terminal')
    motor.recover = recover
    robot.clearFault()
    expect(robot.fault).toBeNull()
    await sleep(2)
    stopFromElsewhere()
    told()
    await expect(robot.reset('wait')).rejects.toThrow('holds after a fault (stopped: stopped by somebody')
    robot.clearFault()
    told()
    await robot.reset('wait')
    expect(new FaultFile('left arm/2', folder).read()).toBeNull()
  })

  it('is told of a park that ends all the same', async () => {
    let arrive = () => {}
    const park = () => new Promise<void>((resolve) => (arrive = resolve))
    const robot = new SafeRobot(Object.assign(new Motor(), { park }), { faults: new FaultFile('left arm/2', folder) })
    const parking = robot.park()
    stopFromElsewhere()
    await expect.poll(() => robot.fault?.kind, { timeout: 10_000 }).toBe('stopped')
    arrive()
    await expect(parking).rejects.toThrow('was stopped after a fault, stopped: stopped by somebody from a terminal')
  })

  it.each(['reset', 'park'] as const)('ends a %s, on which no step is sent', async (way) => {
    const motor = new Motor()
    let stop = () => {}
    const going = new Promise<Observation>((_, reject) => {
      stop = () => reject(new Error('was stopped on its way'))
    })
    motor.stop = async () => stop()
    const robot = new SafeRobot(Object.assign(motor, { reset: () => going, park: async () => void (await going) }), {
      faults: new FaultFile('left arm/2', folder),
    })
    const over = (way === 'reset' ? robot.reset('wait') : robot.park()).catch(() => {})
    stopFromElsewhere()
    await over
    expect(robot.fault).toMatchObject({ kind: 'stopped' })
    await expect(robot.reset('wait')).rejects.toThrow('holds after a fault (stopped: stopped by somebody')
  })
})
