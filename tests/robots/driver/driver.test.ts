import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RealSafetyConfig } from '../../../src/robot/real-config.ts'
import { driverOf } from '../../../src/robots/driver/driver.ts'
import { ForeignRobot } from '../../../src/robots/driver/robot.ts'
import { describeRobot, openRig, RobotConfig } from '../../../src/robots/index.ts'
import { resolveConfig } from '../../../src/run/resolve.ts'
import { robotContract } from '../../robot/contract.ts'

const module = fileURLToPath(new URL('./arm.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'duet-driver-'))
const before = process.env.DUET_STATE
beforeEach(() => {
  process.env.DUET_STATE = mkdtempSync(join(folder, 'state-'))
})
afterEach(() => {
  if (before === undefined) delete process.env.DUET_STATE
  else process.env.DUET_STATE = before
})
afterAll(() => rmSync(folder, { recursive: true }))

const workBox = { low: [0.3, -0.1, 0.1], high: [0.5, 0.1, 0.23] }
const config = (settings: object = {}) =>
  RobotConfig.parse({ kind: 'driver', module, settings, safety: { workBox, speed: 0.25 } })

robotContract("an arm behind somebody else's driver", async () => {
  const { describe, open } = driverOf(module)
  const safety = RealSafetyConfig.parse({ workBox, speed: 0.25 })
  const robot = new ForeignRobot(describe({}, 'A'), await open({}, { cell: 'A', safety }), 1)
  return { robot, task: 'reach', release: () => void robot.close() }
})

it('is described by its driver, for each of its cells, with the settings that are its own', () =>
  expect(describeRobot(config({ name: 'blue' }), 'B').name).toBe('blue B'))

it('gets its driver from beside the settings that name it', () => {
  writeFileSync(
    join(folder, 'lab.yaml'),
    `robot: {kind: driver, module: ./arm.mjs, safety: ${JSON.stringify({ workBox, speed: 0.25 })}}\n`,
  )
  expect(resolveConfig('tiny', join(folder, 'lab.yaml')).robot).toMatchObject({ module: join(folder, 'arm.mjs') })
})

describe('in a rig', () => {
  it('is behind the envelope of the run, as what can break, and moves nothing until it is told', async () => {
    const told: unknown[] = []
    const rig = await openRig(config({ told }), 'A')
    expect(told).toEqual([])
    expect(rig).toMatchObject({ real: true, reset: 'itself' })
    expect(rig.robot.limits).toMatchObject({ commandAge: 0.3, heartbeatAge: 1 })
    await rig.robot.reset('reach', 1)
    await rig.robot.step(Float32Array.of(9, 0, 0, 0, 0, 0, 0))
    await rig.robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0))
    await rig.robot.step(Float32Array.of(0, 0, 1, 0, 0, 0, 0))
    const [, far, up, wall] = told as number[][]
    expect(far![0]).toBe(1)
    expect(up![2]).toBe(1)
    expect(wall![2]).toBeCloseTo(0.5) // 1 cm is left of the box, a step is 2 cm
    await rig.close()
    expect(told.slice(-2)).toEqual(['stop', 'close'])
  })

  const kindOf = async (fails: unknown) => {
    const told: unknown[] = []
    const rig = await openRig(config({ told, fails }), 'A')
    await rig.robot.reset('reach', 1)
    await expect(rig.robot.step(new Float32Array(7))).rejects.toThrow('the wire broke')
    expect(told.at(-1)).toBe('stop')
    const { fault } = rig.robot
    await rig.close()
    return fault?.kind
  }

  it('is stopped and holds, whatever its driver throws', async () =>
    expect(await kindOf(new Error('the wire broke'))).toBe('robot'))

  it('tells of which kind its fault is by an error of another copy of this package', async () =>
    expect(
      await kindOf(Object.assign(new Error('x'), { name: 'RobotFault', kind: 'no answer', what: 'the wire broke' })),
    ).toBe('no answer'))

  const HOLD = new Float32Array(7)

  it('is stopped and holds where its driver does not answer a step, a period and the age of a command later', async () => {
    const told: unknown[] = []
    const rig = await openRig(config({ told, hangs: 'step' }), 'A')
    await rig.robot.reset('reach', 1)
    const asked = performance.now()
    await expect(rig.robot.step(HOLD)).rejects.toThrow('no answer: step: its driver has not answered for 0.4 s')
    expect(performance.now() - asked).toBeGreaterThan(395)
    expect(told.at(-1)).toBe('stop')
    expect(rig.robot.fault?.kind).toBe('no answer')
    await rig.close()
  })

  it.each(['observe', 'stop'] as const)(
    'is no longer waited for where it does not answer `%s`',
    async (hangs) => {
      const rig = await openRig(config({ hangs }), 'A')
      await rig.robot.reset('reach', 1)
      const answer = rig.robot[hangs]()
      await expect(answer).rejects.toThrow(`${hangs}: its driver has not answered for 2 s`)
      expect(rig.robot.fault?.kind).toBe('no answer')
      await rig.close()
    },
    10_000,
  )

  it('is no longer waited for where it does not open within a minute; one that opens later is let go of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const told: unknown[] = []
      let open = () => {}
      const opens = new Promise<void>((resolve) => {
        open = resolve
      })
      const refused = expect(openRig(config({ told, opens }), 'A')).rejects.toThrow('has not opened its robot for 60 s')
      await vi.advanceTimersByTimeAsync(60_000)
      await refused
      expect(told).toEqual([])
      open()
      await vi.waitFor(() => expect(told).toEqual(['close']))
    } finally {
      vi.useRealTimers()
    }
  })

  it('does not keep a run from ending by a `close` that is never over', async () => {
    const rig = await openRig(config({ hangs: 'close' }), 'A')
    await expect(rig.close()).rejects.toThrow('close: its driver has not answered for 10 s')
  }, 20_000)

  it('may take its time on the way to a start, unless it was stopped on it', async () => {
    const rig = await openRig(config({ hangs: 'reset' }), 'A')
    let over = false
    const reset = rig.robot.reset('reach', 1).finally(() => {
      over = true
    })
    await sleep(2500)
    expect(over).toBe(false)
    await rig.robot.halt('a person')
    await reset // it begins where it stands, and holds
    expect(rig.robot.fault).toEqual({ kind: 'stopped', what: 'a person' })
    await rig.close()
  }, 10_000)

  it('has answered in time where it was this process that did not listen', async () => {
    const rig = await openRig(config({ waits: () => stat(folder) }), 'A')
    await rig.robot.reset('reach', 1)
    const step = rig.robot.step(HOLD)
    for (let turns = 0; turns < 20; turns++) await null // the step is asked for by now, its clock runs, and nothing was listened to
    const end = performance.now() + 600
    while (performance.now() < end);
    await step
    expect(rig.robot.fault).toBeNull()
    await rig.close()
  })

  it('holds in the next session, too', async () => {
    await kindOf(new Error('the wire broke'))
    const rig = await openRig(config(), 'A')
    expect(rig.robot.fault?.what).toContain('the wire broke')
    await rig.close()
  })

  it.each(['reset', 'observe', 'step', 'stop', 'close'])(
    'is not opened without `%s`, and lets go of it',
    async (missing) => {
      const told: string[] = []
      const path = join(folder, `without-${missing}.cjs`)
      writeFileSync(path, HALF)
      const settings = { missing, told }
      await expect(openRig({ ...config(settings), module: path } as RobotConfig, 'A')).rejects.toThrow(
        `${path}: opened a robot that has no function \`${missing}\``,
      )
      expect(told).toEqual(missing === 'close' ? [] : ['close'])
    },
  )
})

const HALF = `
  const spec = {
    name: 'half an arm', rate: 10, cameras: {}, tasks: { reach: { instruction: 'reach', maxSteps: 5 } },
    channels: ['x', 'y', 'z'].map((axis) => ({ name: axis, unit: 'm', role: 'position.' + axis })),
    actionFrame: 'base', actionScale: { translation: 0.02, rotation: 0.1 },
  }
  exports.driver = {
    reset: 'itself',
    describe: () => spec,
    async open({ missing, told }) {
      const robot = { reset() {}, observe() {}, step() {}, stop() {}, async close() { told.push('close') } }
      delete robot[missing]
      return robot
    },
  }
`

const described = (spec: string) => `
  const spec = {
    name: 'an arm', rate: 10, cameras: {}, channels: [], tasks: { reach: {} },
    actionFrame: 'base', actionScale: { translation: 1, rotation: 1 },
  }
  export const driver = { reset: 'itself', open() {}, describe: () => (${spec}) }
`

describe('a module that is no driver is refused in words', () => {
  it.each([
    ['missing.mjs', undefined, 'cannot be loaded as a driver (Cannot find module'],
    ['other.mjs', 'export const robot = {}', 'exports no `driver` with the functions `describe` and `open`'],
    ['reset.mjs', 'export const driver = { describe() {}, open() {}, reset: "me" }', 'whose reset is "me"'],
    ['broken.mjs', 'import "nothing-of-this-name"', 'cannot be loaded as a driver'],
    ['bare.mjs', described('{ name: "x" }'), 'describes a robot without channels'],
    ['idle.mjs', described('{ name: "x", channels: [] }'), 'describes a robot without tasks'],
    ['slow.mjs', described('{ ...spec, rate: 0 }'), 'the description of "an arm".rate'],
    ['odd.mjs', described('{ ...spec, channels: [{ name: "tcp.x" }] }'), 'the description of "an arm".channels.0.unit'],
  ])('%s', (name, text, what) => {
    const path = join(folder, name)
    if (text !== undefined) writeFileSync(path, text)
    expect(() => describeRobot({ ...config(), module: path } as RobotConfig, 'A')).toThrow(what)
  })
})
