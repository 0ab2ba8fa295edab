/** @file Observations that cannot be believed: what stops the robot at once, what after a while, and what never does. */
import { describe, expect, it } from 'vitest'
import { vector } from '../../src/robot/channels.ts'
import { RealSafetyConfig, safetyLimitsOf } from '../../src/robot/real-config.ts'
import type { Action, CameraMount, Image, Observation, Outcome, Robot, RobotSpec } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { findSensorFault } from '../../src/robot/senses.ts'

const spec: RobotSpec = {
  name: 'arm',
  rate: 10,
  cameras: { front: { width: 8, height: 6 }, wrist: { width: 8, height: 8 } },
  channels: [
    ...vector('tcp', 'm', { of: 'position', low: -2, high: 2 }),
    ...vector('wrist.force', 'N', { of: 'force', low: -500, high: 500 }),
  ],
  actionFrame: 'base',
  actionScale: { translation: 0.01, rotation: 0.1 },
  tasks: { push: { instruction: 'push', maxSteps: 100 } },
}

const picture = (width: number, height: number, seed: number): Image => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + seed * 11) % 251),
})

/** Goes where it is told; `spoil` changes what the sensors say of step t. */
class Arm implements Robot {
  spec = spec
  stops = 0
  steps = 0
  private at: number[] = []
  constructor(
    private readonly spoil: (observation: Observation, t: number) => Observation = (seen) => seen,
    private readonly from = [0, 0, 0.3],
  ) {
    this.at = [...from]
  }
  async reset() {
    this.at = [...this.from]
    return this.observe()
  }
  async observe(): Promise<Observation> {
    const images = { front: picture(8, 6, this.steps), wrist: picture(8, 8, this.steps) }
    return this.spoil({ images, proprio: Float32Array.of(...this.at, 0, 0, 0), time: this.steps / 10 }, this.steps)
  }
  async step(action: Action): Promise<Outcome> {
    this.steps++
    for (const axis of [0, 1, 2]) this.at[axis]! += 0.01 * action[axis]!
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {
    this.stops++
  }
}

const read = (index: number, value: number) => (seen: Observation) => ({
  ...seen,
  proprio: seen.proprio.with(index, value),
})
const show = (camera: string, image: Image | undefined) => (seen: Observation) => {
  const { [camera]: _, ...others } = seen.images
  return { ...seen, images: image ? { ...others, [camera]: image } : others }
}
const forth = () => Float32Array.of(0.6, 0, 0, 0, 0, 0, 1) // 6 mm a step
const still = () => new Float32Array(7)

/** Steps until the robot is stopped; how many steps that took, and what was said. */
async function until(robot: SafeRobot, act: () => Action, most = 60) {
  await robot.reset('push')
  for (let t = 1; t <= most; t++)
    try {
      await robot.step(act())
    } catch (error) {
      return { t, said: (error as Error).message }
    }
  return null
}

describe('at once', () => {
  it.each<[string, (seen: Observation) => Observation, RegExp]>([
    ['a NaN', read(5, Number.NaN), /wrist\.force\.z \[N\] reads NaN/],
    ['an infinity', read(0, Number.POSITIVE_INFINITY), /tcp\.x \[m\] reads Infinity/],
    ['a spike', read(4, 1e9), /wrist\.force\.y \[N\] reads 1000000000, it can be -500 to 500/],
    [
      'a channel too few',
      (seen) => ({ ...seen, proprio: seen.proprio.slice(1) }),
      /5 proprioceptive readings came, the robot has 6/,
    ],
    ['a camera that is missing', show('wrist', undefined), /camera wrist sent no picture/],
    ['a picture of another size', show('front', picture(6, 8, 0)), /camera front sent 6 × 8 pixels/],
    [
      'a picture of floats',
      show('front', { width: 8, height: 6, data: new Float32Array(144) as never }),
      /holds no bytes/,
    ],
    ['a picture without bytes', show('wrist', { width: 8, height: 8 } as never), /wrist sent a picture that holds no/],
    ['no pictures at all', (seen) => ({ ...seen, images: undefined as never }), /camera front sent no picture/],
    ['no readings', (seen) => ({ ...seen, proprio: null as never }), /no proprioceptive readings came/],
    [
      'doubles, which a log would take for infinite',
      (seen) => ({ ...seen, proprio: Float64Array.from(seen.proprio) as never }),
      /no proprioceptive readings came as a Float32Array/,
    ],
    ['nothing', () => undefined as never, /no proprioceptive readings came/],
    ['a picture cut short', show('front', { width: 8, height: 6, data: new Uint8Array(100) }), /in 100 bytes/],
    ['a clock without a number', (seen) => ({ ...seen, time: Number.NaN }), /clock reads NaN/],
    ['a clock that goes back', (seen) => ({ ...seen, time: 0.05 }), /clock went back from 0\.2 to 0\.05/],
    [
      'a picture that is old',
      (seen) => ({ ...seen, taken: { front: seen.time - 0.7 } }),
      /front is 0\.700 s old, the limit is 0\.5/,
    ],
  ])('%s stops the robot, and nobody is given the observation', async (_, spoil, words) => {
    const arm = new Arm((seen, t) => (t === 3 ? spoil(seen) : seen))
    const robot = new SafeRobot(arm)
    const stopped = await until(robot, forth)
    expect(stopped).toMatchObject({ t: 3 })
    expect(stopped!.said).toMatch(words)
    expect(robot.fault).toMatchObject({ kind: 'sensor', what: expect.stringMatching(words) })
    expect(arm.stops).toBeGreaterThan(0)
    await expect(robot.reset('push')).rejects.toThrow('holds after a fault (sensor: ')
  })

  it('so does a reward that is no number', async () => {
    const arm = new Arm()
    const told = arm.step.bind(arm)
    arm.step = async (action) => ({ ...(await told(action)), reward: arm.steps === 3 ? Number.NaN : 0 })
    expect(await until(new SafeRobot(arm), forth)).toMatchObject({
      t: 3,
      said: expect.stringContaining('the robot tells a reward of NaN'),
    })
  })

  it('stops it also when it is looked at, or reset', async () => {
    const robot = new SafeRobot(new Arm(read(1, Number.NaN)))
    await expect(robot.observe()).rejects.toThrow('tcp.y [m] reads NaN')
    expect(robot.fault?.kind).toBe('sensor')
    await expect(new SafeRobot(new Arm(read(1, 3))).reset('push')).rejects.toThrow(
      'tcp.y [m] reads 3, it can be -2 to 2',
    )
  })

  it('lets a sound observation through, and one whose pictures are as old as allowed', async () => {
    const { images, proprio, time } = await new Arm().observe()
    expect(findSensorFault({ images, proprio, time }, spec, 0.5)).toBeNull()
    expect(findSensorFault({ images, proprio, time: 1, taken: { front: 0.5, wrist: 1 } }, spec, 0.5)).toBeNull()
  })
})

describe('after a while', () => {
  const frozen = picture(8, 6, 99)
  const black = (seen: Observation, t: number): Observation =>
    show('front', { width: 8, height: 6, data: new Uint8Array(144).fill(t % 2) })(seen)

  const inTurn = (seen: Observation, t: number) => show('front', picture(8, 6, 99 + (t % 2)))(seen)

  it.each<[string, (seen: Observation, t: number) => Observation, string]>([
    ['a frozen camera', show('front', frozen), 'camera front has shown the same picture for 25 steps in motion'],
    ['a camera that shows two old pictures in turn', inTurn, 'camera front has shown the same picture for 25 steps'],
    ['a black camera', black, 'camera front has shown nothing for 25 steps in motion'],
    ['a clock that stands', (seen) => ({ ...seen, time: 0 }), "the robot's clock has stood at 0 s for 4 steps"],
  ])('%s stops the robot', async (_, spoil, words) => {
    const stopped = await until(new SafeRobot(new Arm(spoil)), forth)
    expect(stopped?.said).toContain(words)
  })

  it('of a real robot a black camera holds it with its first picture, and stops it though it no longer moves', async () => {
    const sent: number[] = []
    const arm = new Arm((seen, t) => (t >= 5 ? black(seen, t) : seen))
    const told = arm.step.bind(arm)
    arm.step = (action) => {
      sent.push(action[0]!)
      return told(action)
    }
    const workBox = { low: [-1, -1, -1], high: [1, 1, 1] }
    const limits = safetyLimitsOf(
      RealSafetyConfig.parse({ workBox, speed: 0.1, commandAge: 1000, heartbeatAge: 1000 }),
      spec,
    )
    expect(await until(new SafeRobot(arm, { limits }), forth)).toMatchObject({
      said: expect.stringContaining('camera front has shown nothing for 25 steps'),
    })
    expect(sent.findLastIndex((dx) => dx > 0)).toBe(4) // the step that brought the first black picture
  })

  it('is suspected first, and told once; not when it sees again', async () => {
    const told: (string | null)[] = []
    const robot = new SafeRobot(new Arm((seen, t) => (t >= 5 && t < 20 ? show('front', frozen)(seen) : seen)))
    robot.onSuspicion = (suspicion) =>
      told.push(suspicion && `${suspicion.camera} ${suspicion.look} ${suspicion.steps}`)
    expect(await until(robot, forth)).toBeNull()
    expect(told).toEqual(['front frozen 10', null])
  })
})

it('an arm that trembles in place, or works outside of what a standing camera sees, is no fault either', async () => {
  let t = 0
  const trembling = () => Float32Array.of(t++ % 2 ? 0.3 : -0.3, 0, 0, 0, 0, 0, 0)
  expect(await until(new SafeRobot(new Arm(show('front', picture(8, 6, 1)))), trembling)).toBeNull()
  // looks straight down on the origin from a metre above: what is more than 0.3 m aside is out of its picture
  const mount: CameraMount = { mount: 'base', position: [0, 0, 1], rotation: [1, 0, 0, 0], fovy: 0.4 }
  const seeing = (from: number[]) => {
    const arm = new Arm(show('front', picture(8, 6, 1)), from)
    arm.spec = { ...spec, cameras: { ...spec.cameras, front: { width: 8, height: 6, mount } } }
    return new SafeRobot(arm)
  }
  expect(await until(seeing([0.5, 0, 0]), forth)).toBeNull()
  expect(await until(seeing([-0.2, 0, 0]), forth)).toMatchObject({ said: expect.stringContaining('camera front') })
})

it('a picture in memory that the robot uses again is no fault, and a frozen one in it is', async () => {
  const memory = picture(8, 6, 0)
  const inPlace = (content: (t: number) => Image) => (seen: Observation, t: number) => {
    memory.data.set(content(t).data)
    return show('front', memory)(seen)
  }
  expect(await until(new SafeRobot(new Arm(inPlace((t) => picture(8, 6, t)))), forth)).toBeNull()
  expect(await until(new SafeRobot(new Arm(inPlace(() => picture(8, 6, 5)))), forth)).toMatchObject({ t: 26 })
})

it('a frozen camera is found at any rate of the robot, and while it moves slowly', async () => {
  const slow = () => Float32Array.of(0.08, 0, 0, 0, 0, 0, 0) // 0.8 mm a step
  for (const rate of [10, 50]) {
    const arm = new Arm(show('front', picture(8, 6, 1)))
    arm.spec = { ...spec, rate }
    expect(await until(new SafeRobot(arm), slow)).toMatchObject({ said: expect.stringContaining('camera front') })
  }
})

it('a wall before the lens is no fault: a plain picture that is neither black nor white', async () => {
  const wall = (seen: Observation, t: number) =>
    show('front', { width: 8, height: 6, data: new Uint8Array(144).fill(90 + (t % 2)) })(seen)
  expect(await until(new SafeRobot(new Arm(wall)), forth)).toBeNull()
})

it('a still arm before a still scene is no fault, for as long as it stands', async () => {
  const robot = new SafeRobot(new Arm(show('front', picture(8, 6, 1))))
  expect(await until(robot, still, 200)).toBeNull()
  expect(robot.suspicion).toBeNull()
})

it('a person who clears the fault begins anew: what was counted is forgotten', async () => {
  const robot = new SafeRobot(new Arm(show('front', picture(8, 6, 1))))
  expect(await until(robot, forth)).toMatchObject({ t: 26 })
  robot.clearFault()
  expect(await until(robot, forth)).toMatchObject({ t: 26 })
})

describe('a picture that comes late', () => {
  /** The wrist's picture of step t is so many seconds old. */
  const late = (ages: readonly number[]) =>
    new Arm((seen, t) => ({ ...seen, taken: { front: seen.time, wrist: seen.time - (ages[t] ?? 0) } }))

  it('holds the robot for the step that was decided on it, and no longer', async () => {
    const robot = new SafeRobot(late([0, 0.16, 0.14]))
    await robot.reset('push')
    const forwards = Float32Array.of(0.5, 0, 0, 0, 0, 0, 1)
    const executed: number[][] = []
    for (let t = 0; t < 3; t++) {
      await robot.step(forwards)
      executed.push([...robot.executed])
    }
    expect(executed).toEqual([
      [0.5, 0, 0, 0, 0, 0, 1],
      [0, 0, 0, 0, 0, 0, 1], // the gripper goes on with what it was asked for
      [0.5, 0, 0, 0, 0, 0, 1],
    ])
    expect([robot.limitedSteps, robot.fault]).toEqual([1, null])
  })

  it('stops the robot with its name when it is older than half a second', async () => {
    const robot = new SafeRobot(late([0, 0.51]))
    await robot.reset('push')
    await expect(robot.step(new Float32Array(7))).rejects.toThrow('the picture of camera wrist is 0.510 s old')
    expect(robot.fault?.kind).toBe('sensor')
  })
})
