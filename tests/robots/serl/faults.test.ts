/** @file What can go wrong between a run and an arm behind a SERL server: each latches, and no motion is sent after it. */
import { afterEach, describe, expect, it } from 'vitest'
import { holdAction } from '../../../src/robot/guard.ts'
import { safetyLimitsOf } from '../../../src/robot/real-config.ts'
import { SafeRobot } from '../../../src/robot/safety.ts'
import { type SerlCell, serlCell } from './cell.ts'

let cell: SerlCell
let robot: SafeRobot
const opened = async (more: object = {}) => {
  cell = await serlCell(more)
  // Ages are tested elsewhere, and a busy machine must not end these tests.
  const ages = { commandAge: 1000, heartbeatAge: 1000 }
  const limits = { ...safetyLimitsOf(cell.config.safety, cell.robot.spec), ...ages }
  robot = new SafeRobot(cell.robot, { limits })
  await robot.reset('pick', 1)
}
afterEach(() => cell.close())

const left = () => Float32Array.of(0, 0.8, 0, 0, 0, 0, 0)
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...[0, 1, 2].map((i) => a[i]! - b[i]!))
const tool = () => [...cell.plant.state.tool.position]

/** Every pose from number `since` on lies where the tool was last measured. */
function expectOnlyHolds(since: number): void {
  for (const pose of cell.between.poses.slice(since)) expect(distance(pose, tool())).toBeLessThan(0.005)
}

describe('a fault of an arm behind a SERL server', () => {
  const spoiled = {
    'a state that is not a number': {
      spoil: () => {
        cell.between.change = ({ route }, text) =>
          route === 'getstate' ? text.replace(/"vel":\[[^,]+,/, '"vel":[NaN,') : text
      },
      kind: 'sensor',
      words: 'tells NaN',
    },
    'a page where a state is expected': {
      spoil: () => {
        cell.between.spoil = ({ route }) => (route === 'getstate' ? { text: '<!doctype html><p>proxy' } : undefined)
      },
      kind: 'robot',
      words: 'answers with a page (HTML)',
    },
    'an exception in the server': {
      spoil: () => {
        cell.between.spoil = ({ route }) => (route === 'pose' ? { status: 500, text: '<title>500' } : undefined)
      },
      kind: 'robot',
      words: 'fails inside the server (500)',
    },
    'a state of another shape': {
      spoil: () => {
        cell.between.change = ({ route }, text) => (route === 'getstate' ? text.replace('"force"', '"forces"') : text)
      },
      kind: 'sensor',
      words: 'tells no state of an arm: force',
    },
  }

  it.each(Object.entries(spoiled))(
    'latches after %s, and nothing but "hold" follows',
    async (_, { spoil, kind, words }) => {
      await opened()
      await robot.step(left())
      spoil()
      const before = cell.between.poses.length
      await expect(robot.step(left())).rejects.toThrow(words)
      expect(robot.fault).toMatchObject({ kind, what: expect.stringContaining(words) })
      const since = cell.between.poses.length
      expect(since).toBeGreaterThan(before)
      for (let i = 0; i < 3; i++) await robot.step(left()).catch(() => {})
      await expect(robot.reset('pick', 1)).rejects.toThrow('holds after a fault')
      expectOnlyHolds(since)
      expect(cell.between.count('clearerr')).toBe(0)
    },
  )

  it('latches when the server is gone', async () => {
    await opened()
    await robot.step(left())
    await cell.between.close()
    await expect(robot.step(left())).rejects.toThrow(/connection refused|cannot be reached/)
    expect(robot.fault?.kind).toBe('no answer')
    const sent = cell.between.poses.length
    await expect(robot.step(left())).rejects.toThrow()
    expect(cell.between.poses.length).toBe(sent)
  })

  it('latches when the arm stands still though the server says that it moved, and only a person clears its error', async () => {
    await opened()
    cell.plant.stopByItself()
    let steps = 0
    await expect(
      (async () => {
        for (; steps < 30; steps++) await robot.step(left())
      })(),
    ).rejects.toThrow('stands still')
    expect(steps).toBe(2) // two whole steps of 12 mm after the one in which it stopped
    expect(robot.fault?.kind).toBe('robot')
    expect(cell.between.count('clearerr')).toBe(0)
    const since = cell.between.poses.length
    await robot.step(left()) // holds: the console reads a stopped robot back this way
    expectOnlyHolds(since)
    robot.clearFault()
    const from = tool()
    await robot.reset('pick', 1)
    expect(cell.between.count('clearerr')).toBe(1)
    for (let i = 0; i < 5; i++) await robot.step(left())
    expect(tool()[1]! - from[1]!).toBeGreaterThan(0.03)
  })

  it('latches when the arm does not come to its start', async () => {
    await opened()
    for (let i = 0; i < 4; i++) await robot.step(left())
    cell.plant.stopController()
    await expect(robot.reset('pick', 1)).rejects.toThrow('was sent to a start and stands still')
    expect(robot.fault?.kind).toBe('robot')
  })

  it('latches at too much force on the way to a start, where no command passes the envelope', async () => {
    await opened()
    for (let i = 0; i < 4; i++) await robot.step(left())
    cell.between.change = ({ route }, text) =>
      route === 'getstate' ? text.replace(/"force":\[[^\]]+\]/, '"force":[0,0,31]') : text
    await expect(robot.reset('pick', 1)).rejects.toThrow('31.0 N on the way to a start, the limit is 30 N')
    expect(robot.fault?.kind).toBe('force')
  })

  it('of the gripper is told with the next step', async () => {
    await opened()
    cell.between.spoil = ({ route }) => (route === 'close_gripper' ? { status: 500 } : undefined)
    const close = holdAction()
    close[6] = 1
    await robot.step(close)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(
      (async () => {
        for (let i = 0; i < 20; i++) await robot.step(close)
      })(),
    ).rejects.toThrow('close_gripper: fails inside the server')
    expect(robot.fault?.kind).toBe('robot')
  })
})

describe('a stop', () => {
  it('on the way to a start ends the way: the arm stays where it is', async () => {
    await opened()
    for (let i = 0; i < 8; i++) await robot.step(left())
    const beginning = robot.reset('pick', 1)
    const { poses } = cell.between
    const sent = poses.length
    while (cell.between.poses.length < sent + 3) await new Promise(setImmediate)
    await robot.halt('a person')
    const stopped = cell.between.poses.length
    await expect(beginning).resolves.toMatchObject({ images: {} })
    cell.plant.pass(1)
    const at = tool()
    for (let i = 0; i < 3; i++) await robot.step(left())
    expect(distance(tool(), at)).toBeLessThan(0.002)
    expectOnlyHolds(stopped)
    expect(robot.fault?.kind).toBe('stopped')
  })

  it('holds at the measured pose, not at the one that was asked for', async () => {
    await opened()
    await robot.step(left())
    await robot.step(left())
    const [, y] = tool()
    await robot.stop()
    expect(cell.between.poses.at(-1)![1]).toBeCloseTo(y!, 6)
  })

  it('that finds the server silent says so, and latches', async () => {
    await opened()
    await robot.step(left())
    cell.between.spoil = () => ({ status: 500 })
    await expect(robot.stop()).rejects.toThrow('500')
    expect(robot.fault?.kind).toBe('robot')
    expect(cell.between.poses.length).toBeGreaterThan(0)
  })

  const gripperTold = () => cell.between.asked.filter(({ route }) => route.endsWith('_gripper')).length
  const closing = () => Float32Array.of(0, 0.8, 0, 0, 0, 0, 1)

  it('that comes while a step sends its pose keeps the gripper as it is', async () => {
    await opened()
    let armed = true
    cell.between.spoil = ({ route }) => {
      if (route === 'pose' && armed) void robot.halt('a person').catch(() => {})
      if (route === 'pose') armed = false
      return undefined
    }
    await robot.step(closing())
    for (let i = 0; i < 8; i++) await robot.step(closing())
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(armed).toBe(false)
    expect(gripperTold()).toBe(0)
  })

  it('forgets what the hand was not told yet, for good', async () => {
    await opened()
    await robot.step(closing())
    await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, -1)) // the hand needs its time before
    await robot.halt('a person')
    for (let i = 0; i < 8; i++) await robot.step(closing())
    robot.clearFault()
    for (let i = 0; i < 8; i++) await robot.step(left())
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(gripperTold()).toBe(1)
    await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, -1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(gripperTold()).toBe(2)
  })

  it('on the way to a start is not followed by what the gripper is told there', async () => {
    await opened({ startGrip: 'close' })
    for (let i = 0; i < 15; i++) await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, -1)) // the hand has had its time
    await new Promise((resolve) => setTimeout(resolve, 50))
    const told = gripperTold()
    let armed = false
    cell.between.spoil = ({ route }) => {
      if (route === 'getstate' && armed) void robot.halt('a person').catch(() => {})
      armed = route === 'pose' && !robot.fault
      return undefined
    }
    await robot.reset('pick', 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(robot.fault?.kind).toBe('stopped')
    expect(gripperTold()).toBe(told)
  })

  it('does not send the arm to where it was long ago', async () => {
    await opened()
    await cell.clock.sleep(5) // a server that brings the joints home moves it meanwhile
    const sent = cell.between.poses.length
    cell.between.spoil = ({ route }) => (route === 'getstate' ? { status: 500 } : undefined)
    await expect(robot.stop()).rejects.toThrow('500')
    expect(robot.fault?.kind).toBe('robot')
    expect(cell.between.poses.length).toBe(sent)
  })
})

describe('silence', () => {
  it('for longer than its patience is no answer', async () => {
    await opened()
    cell.between.spoil = () => 'silence'
    const { ServerConnection } = await import('../../../src/robots/serl/connection.ts')
    const server = new ServerConnection(cell.between.url, 0.05)
    await expect(server.query('getstate')).rejects.toMatchObject({
      kind: 'no answer',
      message: expect.stringContaining('is silent for 50 ms'),
    })
    server.close()
  })
})
