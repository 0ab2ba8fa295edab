/** @file Sticks and pucks that rest off their centre, or are leant on: they take no control and move nothing. */
import { describe, expect, it } from 'vitest'
import type { InputDevice } from '../../../src/console/devices/device.ts'
import { GamepadDevice, type GamepadState } from '../../../src/console/devices/gamepad.ts'
import { SpaceMouse } from '../../../src/console/devices/spacemouse.ts'
import { type Asked, Takeover } from '../../../src/console/devices/takeover.ts'

const TICK = 16 // ms, as the page reads its devices

/** A device as the page reads it: `until` goes on to a time in ms, and gives the last of what was asked meanwhile. */
class Played {
  readonly takeover: Takeover
  readonly all: Asked[] = []
  time = 0
  constructor(
    readonly device: InputDevice,
    private readonly before: (time: number) => void = () => {},
  ) {
    this.takeover = new Takeover(device)
  }
  until(end: number): Asked {
    for (; this.time < end; this.time += TICK) {
      this.before(this.time)
      this.all.push(this.takeover.update(this.time))
    }
    return this.all.at(-1)!
  }
  get everEngaged(): boolean {
    return this.all.some(({ engaged }) => engaged)
  }
  get everMoved(): boolean {
    return this.all.some(({ axes }) => axes.some((value) => value !== 0))
  }
}

const RB = 5
function gamepad(axes: number[] = [0, 0, 0, 0], down: number[] = [], values: Record<number, number> = {}) {
  const state = { id: 'Worn Pad', mapping: 'standard', connected: true, axes, down, values }
  const device = new GamepadDevice(
    (): GamepadState => ({
      ...state,
      buttons: Array.from({ length: 17 }, (_, i) => {
        const value = state.down.includes(i) ? 1 : (state.values[i] ?? 0)
        return { pressed: value > 0.1, value } // Chrome calls a trigger pressed from about there on
      }),
    }),
  )
  return Object.assign(new Played(device), { state })
}

/** A SpaceMouse Compact that reports `counts` every 16 ms. */
function puck(counts: { now: readonly number[] | null }) {
  const mouse = new SpaceMouse({ vendorId: 0x256f, productId: 0xc635 })
  const report = (time: number) => {
    if (!counts.now) return
    for (const [id, part] of [counts.now.slice(0, 3), counts.now.slice(3)].entries()) {
      const data = new DataView(new ArrayBuffer(6))
      for (const [i, count] of part.entries()) data.setInt16(2 * i, count, true)
      mouse.report(id + 1, data, time)
    }
  }
  return Object.assign(new Played(mouse, report), { mouse, counts })
}
const trembling = (time: number) => 120 + Math.round(5 * Math.sin(time / 37))

describe('a stick', () => {
  it.each([0.15, -0.2, 0.239])('that rests at %d is within its zone: it neither takes over nor moves', (off) => {
    const played = gamepad([off, 0.01, -0.02, 0])
    expect(played.until(60_000).fault).toBeNull()
    expect([played.everEngaged, played.everMoved]).toEqual([false, false])
    played.state.down = [RB]
    expect(played.until(61_000)).toMatchObject({ engaged: true, axes: [0, 0, 0, 0, 0, 0] })
  })

  it.each([0.3, -0.5, 1])('that rests at %d takes no control, not even by a button, and says why', (off) => {
    const played = gamepad([0, off, 0, 0])
    const { fault } = played.until(3000)
    expect(fault?.kind).toBe('not at rest')
    expect(fault?.words).toMatch(/^Worn Pad has not been seen at rest: let go of it/)
    played.state.down = [RB]
    played.until(6000)
    expect([played.everEngaged, played.everMoved]).toEqual([false, false])
  })

  it('that passes its rest on the way was not seen at rest', () => {
    const played = gamepad([-1, 0, 0, 0])
    played.until(1000)
    played.state.axes = [0, 0, 0, 0]
    played.until(1000 + 3 * TICK)
    played.state.axes = [1, 0, 0, 0]
    played.until(3000)
    expect(played.everMoved).toBe(false)
  })

  it('moves once it was let go, and must be let go again after it was gone, let go of, or exchanged', () => {
    const played = gamepad([0, -0.8, 0, 0])
    const push = [0, -0.8, 0, 0]
    const rested = (until: number) => {
      played.state.axes = [0, 0, 0, 0]
      played.until(until)
      played.state.axes = push
      return played.until(until + 200)
    }
    played.until(1000)
    expect(rested(2000)).toMatchObject({ engaged: true, fault: null })
    played.state.connected = false
    expect(played.until(2300).fault?.kind).toBe('disconnected')
    played.state.connected = true
    expect(played.until(4000).fault?.kind).toBe('not at rest')
    expect(played.all.at(-1)!.axes[0]).toBe(0)
    expect(rested(5000).axes[0]).toBeGreaterThan(0.7)
    played.takeover.letGo()
    expect(played.until(5500)).toMatchObject({ engaged: false, fault: { kind: 'not at rest' } })
    expect(rested(6500).engaged).toBe(true)
    played.state.id = 'Another Pad'
    expect(played.until(7000).fault?.words).toMatch(/^Another Pad has not been seen at rest/)
    played.state.axes = [0, 0, 0, 0]
    expect(played.until(8000)).toMatchObject({ engaged: false, fault: null })
    played.time += 60_000 // nobody looked: the page slept
    played.state.axes = push
    expect(played.until(68_500)).toMatchObject({ engaged: false, fault: { kind: 'not at rest' } })
  })

  it('that is held in exactly the same way for seconds raises the alarm and stands still, until it is let go', () => {
    const played = gamepad()
    played.until(500)
    played.state.axes = [0.6, 0, 0, 0]
    expect(played.until(5000)).toMatchObject({ engaged: true, fault: null })
    const { fault, axes, engaged } = played.until(6000)
    expect([fault?.kind, engaged, axes[1]]).toEqual(['stuck', true, 0])
    played.state.axes = [0.7, 0, 0, 0] // a bump is no rest
    expect(played.until(7000).axes[1]).toBe(0)
    played.state.axes = [0, 0, 0, 0]
    expect(played.until(8000)).toMatchObject({ engaged: false, fault: null })
  })

  it('may be held at its stop for longer; and no push is taken for rest, however long', () => {
    const played = gamepad()
    played.until(500)
    played.state.axes = [0, -1, 0, 0]
    expect(played.until(10_000)).toMatchObject({ fault: null, axes: [1, 0, 0, 0, 0, 0] })
    expect(played.until(11_000).fault?.kind).toBe('stuck')
    played.state.axes = [0, 0, 0, 0]
    expect(played.until(12_000)).toMatchObject({ engaged: false, axes: [0, 0, 0, 0, 0, 0] })
    played.state.axes = [0, -1, 0, 0]
    expect(played.until(12_100).axes[0]).toBe(1)
  })
})

describe('a trigger', () => {
  it.each([
    ['rests half pulled', 0.45],
    ['was down when the pad was first seen', 0.8],
  ])('that %s squeezes nothing', (_, value) => {
    const played = gamepad([0, 0, 0, 0], [], { 6: value })
    played.until(2000)
    expect(played.everEngaged).toBe(false)
  })

  it('that trembles about half squeezes nothing until it was let go', () => {
    const played = gamepad()
    for (let time = 0; time < 2000; time += 20) {
      played.state.values = { 6: 0.5 + 0.05 * Math.sin(time) }
      played.until(time)
    }
    expect(played.everEngaged).toBe(false)
    played.state.values = { 6: 0.1 }
    played.until(2500)
    played.state.values = { 6: 0.9 }
    expect(played.until(2600)).toMatchObject({ engaged: true, gripper: 'close' })
  })

  it('whose rest is read late squeezes nothing, and squeezes when it is pulled', () => {
    const played = gamepad()
    played.until(500)
    played.state.values = { 6: 0.3 } // Chrome: "pressed"
    expect(played.until(1000)).toMatchObject({ engaged: false, gripper: 'none' })
    played.state.values = { 6: 0.9 }
    expect(played.until(1100)).toMatchObject({ engaged: true, gripper: 'close' })
  })
})

describe('a puck', () => {
  it.each([
    [18, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, -40, 0],
    [-350, 0, 0, 0, 0, 0],
  ])('that rests at %j counts takes no control and says why', (...counts) => {
    const played = puck({ now: counts })
    expect(played.until(2000).fault).toMatchObject({ words: expect.stringContaining('has not been seen at rest') })
    expect([played.everEngaged, played.everMoved]).toEqual([false, false])
    played.takeover.mapping = { ...played.takeover.mapping, deadZone: 0.12 } // as a person widens it
    expect(played.until(2500).fault === null).toBe(Math.max(...counts.map(Math.abs)) <= 42) // 0.12 of 350
  })

  it('that says nothing is at rest, and takes over at the first push', () => {
    const played = puck({ now: null })
    played.until(500)
    played.counts.now = [-200, 0, 0, 0, 0, 0]
    expect(played.until(600)).toMatchObject({ engaged: true, fault: null })
  })

  it('that fell silent in a push, or was unplugged in one, must be let go first', () => {
    const played = puck({ now: null })
    const push = (end: number) => {
      for (let last = played.time; last < end; last += TICK) {
        played.counts.now = [-trembling(last), 0, 0, 0, 0, 0]
        played.until(last + TICK)
      }
      return played.all.at(-1)!
    }
    played.until(500)
    expect(push(1000).axes[1]).toBeGreaterThan(0.2)
    played.counts.now = null
    expect(played.until(2000).fault?.kind).toBe('silent')
    expect(push(3000)).toMatchObject({ fault: { kind: 'not at rest' }, axes: [0, 0, 0, 0, 0, 0] })
    played.counts.now = [0, 0, 0, 0, 0, 0]
    expect(played.until(4000)).toMatchObject({ engaged: false, fault: null })
    expect(push(4500).axes[1]).toBeGreaterThan(0.2)
    played.counts.now = null
    played.mouse.disconnect()
    played.until(4600)
    played.mouse.reconnect()
    expect(push(5500)).toMatchObject({ fault: { kind: 'not at rest' }, axes: [0, 0, 0, 0, 0, 0] })
  })
})
