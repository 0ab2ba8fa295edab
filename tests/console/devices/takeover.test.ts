import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AXIS_NAMES,
  type Axes,
  type DeviceFault,
  type DeviceReading,
  type InputDevice,
  REST,
} from '../../../src/console/devices/device.ts'
import { type BaseAxes, cameraFrame, inBase, levelFrame, turned } from '../../../src/console/devices/frames.ts'
import { Handover } from '../../../src/console/devices/handover.ts'
import { DEFAULT_MAPPING, type Mapping, map } from '../../../src/console/devices/mapping.ts'
import { Takeover } from '../../../src/console/devices/takeover.ts'

const mapped = (axes: Axes, changes: Partial<Mapping>) => map(axes, { ...DEFAULT_MAPPING, ...changes })
const close = (got: readonly number[], wanted: readonly number[]) => {
  expect(got).toHaveLength(wanted.length)
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i]!, 8)
}
const anyAxes = fc.tuple(
  ...AXIS_NAMES.map(() => fc.double({ min: -1, max: 1, noNaN: true })),
) as unknown as fc.Arbitrary<Axes>

describe('mapping', () => {
  it('cuts the dead zone out and stretches the rest: (0.52 - 0.04) / 0.96 = 0.5', () => {
    close(mapped([0.52, -0.52, 0.04, 0.03, 1, -1], {}), [0.5, -0.5, 0, 0, 1, -1])
  })

  it('bends small pushes by the exponent: 0.5 squared', () => {
    close(mapped([0.5, -0.5, 0, 0, 0, 0], { deadZone: 0, exponent: 2 }), [0.25, -0.25, 0, 0, 0, 0])
  })

  it('keeps directions with a radial dead zone: |(0.36, 0.48)| = 0.6, less 0.2 of 0.8 is 0.5', () => {
    close(mapped([0.36, 0.48, 0, 0.12, 0, 0.16], { deadZone: 0.2, shape: 'radial' }), [0.3, 0.4, 0, 0, 0, 0])
  })

  it('locks axes, and moves only the strongest where that is asked for', () => {
    const push: Axes = [0.5, 0.6, 0, 0, 0, -0.7]
    close(mapped(push, { deadZone: 0, locked: ['y', 'yaw'] }), [0.5, 0, 0, 0, 0, 0])
    close(mapped(push, { deadZone: 0, dominant: true }), [0, 0, 0, 0, 0, -0.7])
    close(mapped(push, { deadZone: 0, dominant: true, locked: ['yaw'] }), [0, 0.6, 0, 0, 0, 0])
  })

  it('scales translation and rotation apart', () => {
    const scale = { translation: 0.5, rotation: 0.25 }
    close(mapped([1, 0, -1, 1, 0, 0], { scale }), [0.5, 0, -0.5, 0.25, 0, 0])
  })

  it('turns to the base frame: face to face forward is backward and left is right', () => {
    close(mapped([0.5, 0.25, 1, 0.5, 0, 1], { deadZone: 0, frame: turned(Math.PI) }), [-0.5, -0.25, 1, -0.5, 0, 1])
    close(mapped([1, 0, 0, 0, 0, 0], { frame: turned(Math.PI / 2) }), [0, 1, 0, 0, 0, 0])
  })

  it('shortens a diagonal that leaves the range, and keeps its direction', () => {
    close(mapped([1, 1, 0, 0, 0, 0], { frame: turned(Math.PI / 4) }), [0, 1, 0, 0, 0, 0]) // (0, √2) / √2
    const [less, more] = [(Math.sqrt(3) - 1) / 2, (Math.sqrt(3) + 1) / 2] // cos 30° -+ sin 30°
    close(mapped([1, 1, 0, 0, 0, 0], { frame: turned(Math.PI / 6) }), [less / more, 1, 0, 0, 0, 0])
  })

  it('stays in range, keeps rest at rest, is odd and continuous, whatever is set', () => {
    const settings = fc.record({
      deadZone: fc.double({ min: 0, max: 0.5, noNaN: true }),
      shape: fc.constantFrom('each axis' as const, 'radial' as const),
      exponent: fc.double({ min: 1, max: 3, noNaN: true }),
      frame: fc.double({ min: -4, max: 4, noNaN: true }).map(turned),
    })
    fc.assert(
      fc.property(anyAxes, anyAxes, settings, (axes, other, changes) => {
        const out = mapped(axes, changes)
        for (const value of out) expect(Math.abs(value)).toBeLessThanOrEqual(1)
        close(mapped(REST, changes), REST)
        close(
          mapped(axes.map((value) => -value) as unknown as Axes, changes),
          out.map((value) => -value),
        )
        const near = axes.map((value, i) => value + 1e-6 * (other[i]! - value)) as unknown as Axes
        const moved = mapped(near, changes).map((value, i) => Math.abs(value - out[i]!))
        expect(Math.max(...moved)).toBeLessThan(1e-4) // slope at most 3 / 0.5, over √3 by the frame
      }),
    )
  })
})

describe('frames', () => {
  const right = [0, -1, 0, 0, 0, 0] as const

  it('of a camera that looks back at the robot: forward into its picture is backward', () => {
    const view = { direction: [-1, 0, -0.5], up: [-0.5, 0, 1] } as const
    close(inBase([1, 0, 0, 0, 0, 0], levelFrame(view)), [-1, 0, 0, 0, 0, 0])
    close(inBase(right, levelFrame(view)), [0, 1, 0, 0, 0, 0])
    const slope = 1 / Math.hypot(1, 0.5)
    close(inBase([1, 0, 0, 0, 0, 0], cameraFrame(view)), [-slope, 0, -0.5 * slope, 0, 0, 0])
    close(inBase([0, 0, 1, 0, 0, 0], cameraFrame(view)), [-0.5 * slope, 0, slope, 0, 0, 0])
  })

  it('of a camera that looks straight down: forward is up in its picture', () => {
    const view = { direction: [0, 0, -1], up: [0, 1, 0] } as const
    close(inBase([1, 0, 0, 0, 0, 0], levelFrame(view)), [0, 1, 0, 0, 0, 0])
    close(inBase([1, 0, 0, 0, 0, 0], cameraFrame(view)), [0, 0, -1, 0, 0, 0])
  })

  it('are rotations, so that turning left stays turning left', () => {
    const unitVector = fc
      .tuple(...[0, 1, 2].map(() => fc.double({ min: -1, max: 1, noNaN: true })))
      .filter((v) => Math.hypot(...(v as number[])) > 0.1)
    fc.assert(
      fc.property(unitVector, unitVector, (a, b) => {
        const [direction, up] = [a, b] as unknown as [[number, number, number], [number, number, number]]
        fc.pre(
          Math.abs(direction.reduce((sum, v, i) => sum + v * up[i]!, 0)) <
            0.95 * Math.hypot(...direction) * Math.hypot(...up),
        )
        for (const frame of [cameraFrame({ direction, up }), levelFrame({ direction, up })])
          expect(determinant(frame)).toBeCloseTo(1, 6)
      }),
    )
  })
})

function determinant([a, b, c]: BaseAxes): number {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1])
}

class Fake implements InputDevice {
  readonly name = 'fake'
  readonly deadZone = 0
  kind: InputDevice['kind'] = 'rate'
  released = 0
  trouble: DeviceFault | null = null
  next: Partial<Omit<DeviceReading, 'buttons'>> & Partial<DeviceReading['buttons']> = {}
  read(time: number): DeviceReading {
    const { axes = REST, gripper = 'none', held = [], pressed = [] } = this.next
    return { axes, gripper, buttons: { held, pressed }, time }
  }
  fault() {
    return this.trouble
  }
  release() {
    this.released++
  }
}

/** Feeds readings at their times; true where the person acts. */
function played(
  moments: [time: number, next: Fake['next']][],
  touch = true,
  { device = new Fake(), takeover = new Takeover(device) } = {},
) {
  takeover.settings = { ...takeover.settings, touch }
  return moments.map(([time, next]) => {
    device.next = next
    return takeover.update(time)
  })
}
const PUSH: Axes = [0.5, 0, 0, 0, 0, 0]

describe('takeover', () => {
  it('by touch begins at once and ends after 300 ms of rest, not before', () => {
    const asked = played([
      [0, {}],
      [10, { axes: PUSH }],
      [100, {}],
      [309, {}],
      [310, {}],
      [320, { axes: PUSH }],
    ])
    expect(asked.map(({ engaged }) => engaged)).toEqual([false, true, true, true, false, true])
    expect(asked.map(({ axes }) => axes[0])).toEqual([0, 0.5, 0, 0, 0, 0.5])
  })

  it('by touch does not begin where only buttons count; by a held button does, and moves only while it is held', () => {
    const held = ['hand over'] as const
    const asked = played(
      [
        [0, { axes: PUSH }],
        [10, { axes: PUSH, held }],
        [20, { held }],
        [1000, { held }],
        [1010, { axes: PUSH }],
      ],
      false,
    )
    expect(asked.map(({ engaged }) => engaged)).toEqual([false, true, true, true, false])
    expect(asked.map(({ axes }) => axes[0])).toEqual([0, 0.5, 0, 0, 0])
  })

  it('by a toggle lasts until the next press', () => {
    const toggle = { pressed: ['toggle'] as const }
    const asked = played(
      [
        [0, toggle],
        [5000, {}],
        [5100, toggle],
        [5200, {}],
      ],
      false,
    )
    expect(asked.map(({ engaged }) => engaged)).toEqual([true, true, false, false])
  })

  it('a squeeze of the gripper is one, even without motion', () => {
    const asked = played([
      [0, { gripper: 'close' }],
      [100, {}],
      [400, {}],
    ])
    expect(asked.map(({ engaged, gripper }) => [engaged, gripper])).toEqual([
      [true, 'close'],
      [true, 'none'],
      [false, 'none'],
    ])
  })

  it('a gripper button turns the gripper round, from what the robot was told last', () => {
    const device = new Fake()
    const takeover = new Takeover(device)
    device.next = { pressed: ['gripper'] }
    expect(takeover.update(0, 'close').gripper).toBe('open')
    expect(takeover.update(10).gripper).toBe('close')
    device.next = { pressed: ['gripper', 'gripper'] }
    expect(takeover.update(20).gripper).toBe('none')
  })

  it('of a position-like device begins with no motion, wherever it points', () => {
    const device = new Fake()
    device.kind = 'position'
    const held = ['hand over'] as const
    const asked = played(
      [
        [0, { axes: [0.8, 0, 0, 0, 0, 0] }],
        [10, { axes: [0.8, 0, 0, 0, 0, 0], held }],
        [20, { axes: [0.5, 0.25, 0, 0, 0, 0], held }],
        [30, { axes: [0.5, 0.25, 0, 0, 0, 0] }],
        [40, { axes: [0.5, 0.25, 0, 0, 0, 0], held }],
      ],
      true,
      { device },
    )
    expect(asked.map(({ engaged }) => engaged)).toEqual([false, true, true, false, true])
    for (const [i, x] of [0, 0, -0.3, 0, 0].entries()) expect(asked[i]!.axes[0]).toBeCloseTo(x, 8)
    expect(asked[2]!.axes[1]).toBeCloseTo(0.25, 8)
  })

  it('stands still while its device is dead, and does not drive off again by itself', () => {
    const device = new Fake()
    const takeover = new Takeover(device)
    device.next = { axes: PUSH }
    expect(takeover.update(0).engaged).toBe(true)
    device.trouble = { kind: 'silent', words: '' }
    const dead = takeover.update(1000)
    expect([dead.engaged, dead.axes[0], dead.fault?.kind]).toEqual([true, 0, 'silent'])
    takeover.letGo()
    expect(takeover.update(1100).engaged).toBe(false)
    expect(device.released).toBe(1)
  })
})

describe('handover', () => {
  const asked = (x: number, gripper: 'open' | 'close' | 'none' = 'none') => ({
    axes: [x, 0, 0, 0, 0, 0] as Axes,
    gripper,
  })
  const action = (x: number, gripper = 0) => [x, 0, 0, 0, 0, 0, gripper]
  const close7 = (got: Float32Array | null, wanted: number[]) => {
    expect(got).not.toBeNull()
    for (const [i, value] of wanted.entries()) expect(got![i]).toBeCloseTo(value, 6)
  }

  it('leads from the policy to the person by half a unit a step, and back', () => {
    const handover = new Handover()
    close7(handover.step(asked(-1), action(0.6, 1), action(0.6, 1)), action(0.1))
    close7(handover.step(asked(-1), action(0.1, 1), action(0.6, -1)), action(-0.4))
    close7(handover.step(asked(-1), action(-0.4, 1), action(0.6, -1)), action(-0.9))
    close7(handover.step(null, action(-0.9, 1), action(0.6, -1)), action(-0.4, -1))
    close7(handover.step(null, action(-0.4, -1), action(0.6, -1)), action(0.1, -1))
    expect(handover.step(null, action(0.1, -1), action(0.6, -1))).toBeNull()
    expect(handover.step(null, action(0.6, -1), action(-0.6, -1))).toBeNull()
  })

  it('leaves the plan alone while nobody has taken over, and after a reset', () => {
    const handover = new Handover()
    expect(handover.step(null, action(-1), action(1))).toBeNull()
    handover.step(asked(1), action(0), action(0))
    handover.reset()
    expect(handover.step(null, action(-1), action(1))).toBeNull()
  })

  it('asks nothing of the gripper until the person squeezes, whatever the policy plans, and nothing more after it', () => {
    const handover = new Handover()
    close7(handover.step(asked(0), action(0, 1), action(0, -1)), action(0, 0))
    close7(handover.step(asked(0, 'open'), action(0, 1), action(0, 1)), action(0, -1))
    close7(handover.step(asked(0), action(0, -1), action(0, 1)), action(0, 0))
  })

  it('never lets a motion axis jump between policy and person', () => {
    const seven = fc.tuple(...Array.from({ length: 7 }, () => fc.double({ min: -1, max: 1, noNaN: true })))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.option(anyAxes), seven), { maxLength: 30 }), (steps) => {
        const handover = new Handover()
        let last: number[] = [0, 0, 0, 0, 0, 0, 0]
        let byPerson = false
        for (const [axes, planned] of steps) {
          const action = handover.step(axes ? { axes, gripper: 'none' } : null, last, planned)
          const executed = action ? [...action] : [...planned]
          if (action || byPerson)
            for (let i = 0; i < 6; i++) expect(Math.abs(executed[i]! - last[i]!)).toBeLessThanOrEqual(0.5 + 1e-6)
          byPerson = action !== null
          last = executed
        }
      }),
    )
  })
})
