/** @file What goes wrong between an arm behind ROS and us: what it is told then, in which words it ends, what clears it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { FaultFile } from '../../../src/robot/fault-file.ts'
import { safetyLimitsOf } from '../../../src/robot/real-config.ts'
import { SafeRobot } from '../../../src/robot/safety.ts'
import { RosRobot } from '../../../src/robots/ros/robot.ts'
import { SERVED, type StandInOptions } from '../../../src/robots/ros/serve/arm.ts'
import { openStage, rosConfig } from './opened.ts'

const folder = mkdtempSync(join(tmpdir(), 'duet-ros-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const TWIST = { mode: 'twist', topic: SERVED.twist }
const AGES = { hold: 0.5, fault: 1.5 }
const up = () => Float32Array.of(0, 0, 1, 0, 0, 0, 0)

async function opened(changes: Record<string, unknown> = {}, serve: StandInOptions = {}, cameras: string[] = []) {
  const stage = await openStage(serve, cameras)
  ends.push(() => stage.close())
  const config = rosConfig(stage.wire.port, changes)
  const driver = await RosRobot.open(config)
  ends.push(() => driver.close())
  const faults = new FaultFile(config.name, folder)
  faults.clear()
  const robot = new SafeRobot(driver, { limits: safetyLimitsOf(config.safety, driver.spec), faults })
  return { ...stage, driver, robot, faults }
}

/** Goes up until something is wrong, and says what. */
async function goUp({ robot }: Awaited<ReturnType<typeof opened>>): Promise<never> {
  for (;;) await robot.step(up())
}

/** What was told since then that would have moved the arm from where it was. */
const movesSince = ({ arm }: Awaited<ReturnType<typeof opened>>, from: number) =>
  arm.told
    .slice(from)
    .filter(({ from: { position }, aim, linear }) =>
      aim ? aim.position.some((x, i) => Math.abs(x - position[i]!) > 1e-3) : linear!.some((v) => v !== 0),
    )

describe('an arm in motion is stopped, and holds until a person clears it, when', () => {
  it('the connection is lost; the next one begins with nothing of the one before', async () => {
    const stage = await opened({ recovery: { service: SERVED.recover } })
    const { robot, wire, arm } = stage
    await robot.reset('reach')
    await robot.step(up())
    const going = goUp(stage)
    wire.cut()
    await expect(going).rejects.toThrow(/no answer: rosbridge at ws:.*: the connection closed/)
    expect(robot.fault?.kind).toBe('no answer')
    await expect(robot.reset('reach')).rejects.toThrow('duet robot clear ros-test')
    expect(arm.recoveries).toBe(0)
    const told = arm.told.length
    robot.clearFault()
    await robot.reset('reach')
    expect(arm.recoveries).toBe(1)
    expect(movesSince(stage, told)).toEqual([])
    const { observation } = await robot.step(up())
    expect(observation.proprio[2]).toBeGreaterThan(0.3)
  })

  it('the bridge is silent, although the connection stands', async () => {
    const stage = await opened({ age: AGES })
    const { robot, wire, arm } = stage
    await robot.reset('reach')
    const going = goUp(stage)
    wire.freeze()
    await expect(going).rejects.toThrow(/no answer: .* s old, the limit is 1\.5 s/)
    const told = arm.told.length
    await sleep(200)
    expect(movesSince(stage, told)).toEqual([])
    expect(stage.faults.read()).toMatchObject({ robot: 'ros-test', kind: 'no answer' })
  })

  it('messages come, but their stamps stand still', async () => {
    let stuck: number | null = null
    const stage = await opened({ age: AGES, command: TWIST }, { clock: () => stuck ?? Date.now() / 1000 })
    const { robot, arm } = stage
    await robot.reset('reach')
    const going = goUp(stage)
    stuck = Date.now() / 1000
    await expect(going).rejects.toThrow(/no answer: .* s old/)
    const told = arm.told.length
    await sleep(200)
    expect(movesSince(stage, told)).toEqual([])
    expect(arm.told.at(-1)).toMatchObject({ linear: [0, 0, 0] })
  })

  it('a pose is no number', async () => {
    const stage = await opened()
    const { robot, arm } = stage
    await robot.reset('reach')
    const going = goUp(stage)
    arm.pose = { position: [Number.NaN, 0, 0.3], rotation: [0, 1, 0, 0] }
    await expect(going).rejects.toThrow(/sensor: the message on \/tool_pose cannot be used: pose\.position\.x/)
    expect(robot.fault?.kind).toBe('sensor')
  })

  it('what it is told does not arrive: the next command is dropped', async () => {
    const stage = await opened({ age: AGES })
    const { robot, wire, arm } = stage
    await robot.reset('reach')
    wire.freeze('what is said')
    const told = arm.told.length
    await expect(goUp(stage)).rejects.toThrow(
      /what was said on \/target_pose has not come back for .* s, the next command was dropped/,
    )
    expect(arm.told.length).toBe(told)
  })

  it('it stands, although it goes on to tell where it is', async () => {
    const workBox = { low: [0.2, -0.4, 0.1], high: [0.8, 0.4, 0.6] }
    const stage = await opened({ safety: { workBox, speed: 0.5, commandAge: 30, heartbeatAge: 60 } })
    const { arm, robot } = stage
    await robot.reset('reach')
    await robot.step(up())
    arm.aim = (aim) => void arm.told.push({ from: arm.pose, aim }) // its controller is gone
    await expect(goUp(stage)).rejects.toThrow(
      /robot: it was told to move for \d+ steps, \d+ mm in all, and stands still/,
    )
    const told = arm.told.length
    await sleep(200)
    expect(movesSince(stage, told)).toEqual([])
    expect(stage.faults.read()).toMatchObject({ robot: 'ros-test', kind: 'robot' })
  })

  it('its emergency stop is pressed', async () => {
    const stage = await opened({ estop: SERVED.estop })
    const { robot, arm } = stage
    await robot.reset('reach')
    const going = goUp(stage)
    arm.estopped = true
    await expect(going).rejects.toThrow('its emergency stop was pressed (/estop)')
    robot.clearFault()
    await expect(robot.reset('reach')).rejects.toThrow('its emergency stop is pressed (/estop)')
    robot.clearFault()
    arm.estopped = false
    await sleep(300)
    await robot.reset('reach')
  })
})

describe('a reset', () => {
  it('that its service refuses is a fault, in the words of the service', async () => {
    const { robot, arm } = await opened()
    arm.refuses = 'joint 4 is at its limit'
    await expect(robot.reset('reach')).rejects.toThrow('service /reset was refused: joint 4 is at its limit')
    expect(robot.fault?.kind).toBe('robot')
  })

  it('by a service that is not there says so', async () => {
    const { robot } = await opened({ reset: { service: '/elsewhere' } })
    await expect(robot.reset('reach')).rejects.toThrow(
      'service /elsewhere was refused: service /elsewhere does not exist',
    )
  })

  it('by a person calls no service, and connects anew where the connection was lost meanwhile', async () => {
    const { robot, wire, arm } = await opened({ reset: 'person' })
    await robot.stop()
    wire.cut()
    await sleep(100)
    await robot.reset('reach')
    expect(arm.resets).toBe(0)
    expect(robot.fault).toBeNull()
  })

  it('knows nothing of a gripper that tells nothing of itself: what it was told before is not told again', async () => {
    const gripper = { command: { by: 'topic', topic: SERVED.gripper, open: 1, closed: 0 } }
    const { robot, arm } = await opened({ gripper })
    await robot.reset('reach')
    await robot.step(Float32Array.of(0, 0, 0, 0, 0, 0, 1))
    await robot.step(up())
    await expect.poll(() => arm.grips, { timeout: 10_000 }).toEqual([true])
    const first = await robot.reset('reach') // it opens
    expect(first.proprio.at(-1)).toBe(0)
    for (let step = 0; step < 3; step++) await robot.step(up())
    expect(arm.grips).toEqual([true])
  })
})

describe('an arm that is told to stop', () => {
  it('does not move by a step that waited for a fresh reading', async () => {
    let stuck: number | null = null
    const stage = await opened({ age: { hold: 0.3, fault: 20 } }, { clock: () => stuck ?? Date.now() / 1000 })
    const { driver, arm } = stage
    await driver.reset('reach')
    stuck = Date.now() / 1000
    await sleep(600)
    const told = arm.told.length
    const going = driver.step(up())
    await driver.stop()
    stuck = null
    await going
    expect(movesSince(stage, told)).toEqual([])
  })

  it('by twists is told zero again and again, also when no further step comes, and before the connection is closed', async () => {
    const { driver, arm } = await opened({ command: TWIST })
    await driver.reset('reach')
    await driver.step(up())
    expect(Math.max(...arm.told.map(({ linear }) => linear![2]))).toBeCloseTo(0.01 * 20, 6) // a·scale·rate
    await sleep(400)
    const zeros = () => arm.told.length - 1 - arm.told.findLastIndex(({ linear }) => linear![2] !== 0)
    expect(zeros()).toBeGreaterThan(2)
    await driver.step(up())
    await driver.close()
    await sleep(50)
    expect(zeros()).toBeGreaterThan(0)
  })
})

describe('a robot is not opened', () => {
  const opening = (changes: Record<string, unknown>, serve: StandInOptions = {}) =>
    opened({ patience: 3, ...changes }, serve)

  it('where nobody listens', async () => {
    await expect(RosRobot.open(rosConfig(1))).rejects.toThrow(/rosbridge at ws:\/\/127\.0\.0\.1:1: cannot be reached/)
  })

  it('on a topic that nobody has; the error names it, its type, and what there is', async () => {
    await expect(opening({ pose: '/nowhere' })).rejects.toThrow(
      /no message on \/nowhere \(geometry_msgs\/msg\/PoseStamped\) within 3 s; geometry_msgs\/PoseStamped is on \/tool_pose, \/target_pose/,
    )
  })

  it('on a topic of another type', async () => {
    await expect(opening({ pose: SERVED.wrench, wrench: undefined })).rejects.toThrow(
      'no message on /wrench (geometry_msgs/msg/PoseStamped) within 3 s; /wrench is a geometry_msgs/WrenchStamped there',
    )
  })

  it('by the names of ROS 2 from ROS 1, nor by stamps of ROS 2 as ROS 1', async () => {
    await expect(opening({ version: 2 }, { version: 1 })).rejects.toThrow(
      'its types are those of ROS 1, robot.version says 2',
    )
    await expect(opening({ version: 1 }, { version: 2 })).rejects.toThrow('is one of ROS 2, robot.version says 1')
  })

  it('without a camera of its own computer, which is named however long the bridge takes', async () => {
    const cameras = { front: { kind: 'usb', device: '/dev/no-such-camera', width: 32, height: 24 } }
    await expect(opening({ cameras }, { readings: 0.5 })).rejects.toThrow(
      'cameras.front.device: is /dev/no-such-camera, which is not there',
    )
  })
})

describe('the clocks of two machines', () => {
  it('may differ by an hour', async () => {
    const { robot } = await opened({ age: AGES }, { clock: () => Date.now() / 1000 - 3600 })
    await robot.reset('reach')
    const { observation } = await robot.step(up())
    expect(observation.proprio[2]).toBeGreaterThan(0.3)
  })
})

describe('a camera of ROS', () => {
  it('is seen as the policy wants it, with the moment of its stamp', async () => {
    const front = { kind: 'ros', topic: SERVED.picture('front'), width: 16, height: 12 }
    const { robot } = await opened({ cameras: { front } }, {}, ['front'])
    const { images, taken, time } = await robot.reset('reach')
    expect([images.front!.width, images.front!.height]).toEqual([16, 12])
    const colour = [...images.front!.data.subarray(0, 3)]
    for (const [i, value] of [200, 40, 90].entries()) expect(Math.abs(colour[i]! - value)).toBeLessThan(6)
    expect(time - taken!.front!).toBeGreaterThanOrEqual(0)
    expect(time - taken!.front!).toBeLessThan(4)
  })
})
