import { describe, expect, it } from 'vitest'
import { Exploration, explorationNotices } from '../../src/loop/exploration.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { vector } from '../../src/robot/channels.ts'
import type { RobotSpec } from '../../src/robot/robot.ts'

const spec = {
  channels: [
    ...vector('tcp', 'm', { of: 'position' }),
    ...vector('tcp.turn', 'rad', { of: 'turn' }),
    { name: 'grip', unit: '', role: 'grip' as const },
  ],
  actionScale: { translation: 0.01, rotation: 0.1 },
}
const settings = { after: 4, hold: 3, reach: 0.4, gripper: 0 }

/** Where the tool is, mm along x; its turn about z, mrad; what the hand is asked for. */
const at = (x: number, turn = 0, grip = 1) => ({
  images: {},
  proprio: Float32Array.of(x / 1000, 0.2, 0.1, 0, 0, turn / 1000, grip),
  time: 0,
})
const exploration = (
  changes: Partial<typeof settings> = {},
  channels: readonly (typeof spec.channels)[number][] = spec.channels,
  seed = 0,
) => {
  const made = new Exploration(
    { ...settings, ...changes },
    { ...spec, channels: [...channels] },
    new RandomStream(seed, 'exploration'),
  )
  made.begin()
  return made
}
/** What is tried at each of these moments. */
const over = (one: Exploration, moments: readonly ReturnType<typeof at>[]) => moments.map((now) => one.instead(now))
const times = <T>(count: number, of: T): T[] => Array.from({ length: count }, () => of)

describe('what is tried where the arm stands still', () => {
  it('comes after as many steps as are set, for as many as are set, and then not before as many again', () => {
    const tried = over(exploration(), times(16, at(0))).map((action) => action !== undefined)
    // four steps lie between the first observation and the fifth; three are tried; then it is looked at anew
    expect(tried.map(Number).join('')).toBe('0000111000011100'.slice(0, 16))
  })

  it('is one way, held, no further than set, without a turn, and leaves the hand as it is', () => {
    const [first, second, third] = over(exploration(), times(7, at(0))).slice(4) as Float32Array[]
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    expect([...first!.subarray(3)]).toEqual([0, 0, 0, 0])
    const entries = [...first!.subarray(0, 3)]
    expect(Math.max(...entries.map(Math.abs))).toBeLessThanOrEqual(Math.fround(0.4))
    expect(Math.min(...entries.map(Math.abs))).toBeGreaterThan(0)
  })

  it('draws a way of its own each time, over all of what is set, and the same ways from the same stream', () => {
    const ways = (seed: number) => {
      const one = exploration({ hold: 1, after: 1 }, spec.channels, seed)
      return over(one, times(2000, at(0))).flatMap((action) => (action ? [[...action.subarray(0, 3)]] : []))
    }
    const drawn = ways(0)
    expect(drawn.length).toBe(1000)
    for (const axis of [0, 1, 2]) {
      const own = drawn.map((way) => way[axis]!)
      expect(Math.min(...own)).toBeLessThan(-0.39)
      expect(Math.max(...own)).toBeGreaterThan(0.39)
      expect(Math.abs(own.reduce((a, b) => a + b) / own.length)).toBeLessThan(3 * 0.0073) // 0.4 / √3 / √1000
    }
    expect(ways(0)).toEqual(drawn)
    expect(ways(1)).not.toEqual(drawn)
  })

  it('is nothing while the tool moves by a quarter of a step’s reach in that time, however it turns', () => {
    const moving = (mm: number, mrad: number) =>
      over(
        exploration(),
        Array.from({ length: 12 }, (_, t) => at((t * mm) / 4, (t * mrad) / 4)),
      ).some(Boolean)
    expect(moving(2.6, 0)).toBe(false)
    expect(moving(2.4, 0)).toBe(true)
    expect(moving(2.4, 300)).toBe(true) // a tool that turns on the spot
  })

  it('is the hand the other way as often as set, and never where nobody knows what it is asked for', () => {
    const hands = (gripper: number, grip: number) => {
      const one = exploration({ gripper, hold: 1, after: 1 })
      return over(one, times(400, at(0, 0, grip))).flatMap((action) => (action ? [action[6]!] : []))
    }
    expect(new Set(hands(1, 1))).toEqual(new Set([-1])) // closed: opened
    expect(new Set(hands(1, -1))).toEqual(new Set([1]))
    expect(new Set(hands(1, 0))).toEqual(new Set([0]))
    const half = hands(0.5, 1).filter((entry) => entry === -1).length
    expect(half).toBeGreaterThan(70)
    expect(half).toBeLessThan(130) // of 200
    expect([...(exploration({ gripper: 1, after: 1 }).instead(at(0)) ?? [])]).toEqual([])
  })

  it('is forgotten with the episode, in the middle of what is tried, too', () => {
    const one = exploration()
    over(one, times(5, at(0)))
    one.begin()
    expect(over(one, times(4, at(0)))).toEqual(times(4, undefined))
  })

  it('is nothing while the tool moves, of a robot that tells all of it in one array, too', () => {
    const one = exploration()
    const told = at(0)
    const tried = Array.from({ length: 12 }, (_, t) => {
      told.proprio[0] = t / 1000
      return one.instead(told)
    })
    expect(tried.some(Boolean)).toBe(false)
  })

  it('is never anything for a robot that does not tell where its tool is', () => {
    const blind = exploration({}, [{ name: 'grip', unit: '', role: 'grip' }])
    expect(over(blind, times(20, { images: {}, proprio: Float32Array.of(1), time: 0 })).some(Boolean)).toBe(false)
  })
})

describe('what is said of it before anything moves', () => {
  const rig = (name: string, real: boolean, channels: readonly object[] = spec.channels) => ({
    real,
    robot: { spec: { name, channels } as RobotSpec },
  })

  it('names each real robot, and when', () => {
    const rigs = [rig('left', true), rig('simulated', false), rig('right', true)]
    expect(explorationNotices(rigs, { practice: 10 })).toEqual([
      expect.stringMatching(/^left moves by itself .*, in practice after 10 steps: /),
      expect.stringMatching(/^right moves by itself .*, in practice after 10 steps: /),
    ])
    expect(explorationNotices(rigs, { evaluation: 4 })[0]).toMatch(/, in evaluations after 4 steps: /)
  })

  it('is nothing where nothing is tried', () =>
    expect(explorationNotices([rig('left', true)], { practice: 0 })).toEqual([]))

  it('is that nothing happens, of a robot that does not tell where its tool is', () =>
    expect(explorationNotices([rig('blind', true, [])], { practice: 10 })).toEqual([
      expect.stringMatching(/^blind does not tell where its tool is: nothing is tried/),
    ]))
})
