/** @file Pads that the browser does not know: a person says what each stick, trigger, hat and button is for. */
import { describe, expect, it } from 'vitest'
import { GamepadDevice, type GamepadState } from '../../../src/console/devices/gamepad.ts'
import {
  type ControlSource,
  type GamepadLayout,
  layoutFrom,
  pushOf,
} from '../../../src/console/devices/gamepad-layout.ts'
import { GamepadLearner } from '../../../src/console/devices/gamepad-learner.ts'
import { Takeover } from '../../../src/console/devices/takeover.ts'
import { GamepadLayouts } from '../../../src/console/web/hand/gamepad-layouts.ts'

const TICK = 16 // ms
const HAT_REST = 23 / 7 // as Firefox tells it

/** A flight stick: two axes that spring back, a throttle that rests at one end, a hat, 12 buttons. */
class FlightStick {
  readonly id = '044f-b10a-T.16000M'
  axes = [0.02, 0, -1, HAT_REST]
  down: number[] = []
  get state(): GamepadState {
    const buttons = Array.from({ length: 12 }, (_, i) => ({ pressed: this.down.includes(i), value: 0 }))
    return { id: this.id, mapping: '', connected: true, axes: this.axes, buttons }
  }
}

/** What is learned of moments: the stick as it stands for so many ms each. */
function learned(
  stick: FlightStick,
  moments: [milliseconds: number, change: Partial<FlightStick>][],
): ControlSource | null {
  const learner = new GamepadLearner()
  let time = 0
  for (const [milliseconds, change] of moments) {
    Object.assign(stick, change)
    for (const end = time + milliseconds; time < end; time += TICK) {
      const source = learner.look(stick.state, time)
      if (source) return source
    }
  }
  return null
}
const at = (x: number, y: number, throttle = -1, hat = HAT_REST): Partial<FlightStick> => ({
  axes: [x, y, throttle, hat],
})

describe('learning one control', () => {
  it('takes the axis that was pushed most, from where it rests to its stop, however long it was held', () => {
    expect(
      learned(new FlightStick(), [
        [400, {}],
        [50, at(0.1, -0.5)],
        [3000, at(0.2, -0.97)],
        [50, at(0.1, -0.4)],
        [500, at(0.02, 0.01)],
      ]),
    ).toEqual({ of: 'axis', index: 1, rest: 0.01, full: -1 })
  })

  it('waits until the pad stands still before it looks for a push', () => {
    expect(
      learned(new FlightStick(), [
        [200, at(1, 0)], // still on its way back from the last one
        [400, at(0, 0)],
        [300, at(0, 1)],
        [500, at(0, 0)],
      ]),
    ).toEqual({ of: 'axis', index: 1, rest: 0, full: 1 })
  })

  it.each([
    ['is known', -1],
    ['is told as 0 until it is touched', 0],
  ])('finds a trigger that rests at -1, where that %s', (_, first) => {
    const stick = new FlightStick()
    stick.axes[2] = first
    const pull = [-0.9, -0.2, 0.5, 1].map((value): [number, Partial<FlightStick>] => [50, at(0, 0, value)])
    expect(learned(stick, [[400, {}], ...pull, [1000, at(0, 0, 1)], [500, at(0, 0, -1)]])).toEqual({
      of: 'axis',
      index: 2,
      rest: -1,
      full: 1,
    })
  })

  it('finds a direction of a hat, and a button', () => {
    const right = -3 / 7
    expect(
      learned(new FlightStick(), [
        [400, {}],
        [500, at(0, 0, -1, right)],
        [500, at(0, 0)],
      ]),
    ).toEqual({ of: 'hat', index: 3, at: right })
    expect(
      learned(new FlightStick(), [
        [400, {}],
        [500, { down: [7] }],
        [500, { down: [] }],
      ]),
    ).toEqual({ of: 'button', index: 7 })
  })

  it('learns nothing while nothing is pushed, or it is held', () => {
    expect(learned(new FlightStick(), [[5000, {}]])).toBeNull()
    expect(
      learned(new FlightStick(), [
        [400, {}],
        [5000, at(1, 0)],
      ]),
    ).toBeNull()
  })
})

describe('a hat', () => {
  // eight directions, clockwise from up, in steps of 2/7 from -1; 9/7 or 23/7 at rest
  const around = Array.from({ length: 8 }, (_, i) => -1 + (2 / 7) * i)
  const pushed = (at: number) => (value: number) =>
    pushOf({ of: 'hat', index: 0, at }, { id: '', mapping: '', connected: true, axes: [value], buttons: [] }) === 1

  it('is pushed up in its three upper directions, left in its three left ones, and in none at rest', () => {
    expect(around.map(pushed(-1))).toEqual([true, true, false, false, false, false, false, true])
    expect(around.map(pushed(-1 + 12 / 7))).toEqual([false, false, false, false, false, true, true, true])
    expect([9 / 7, 23 / 7, Number.NaN].map(pushed(-1))).toEqual([false, false, false])
  })
})

describe('a pad that the browser does not know', () => {
  const memory = () => {
    const kept = new Map<string, string>()
    return {
      kept,
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    }
  }
  function page(storage = memory()) {
    const stick = new FlightStick()
    const layouts = new GamepadLayouts(storage)
    const device = new GamepadDevice(
      () => stick.state,
      (id) => layouts.of(id),
    )
    const takeover = new Takeover(device)
    let time = 0
    const play = (milliseconds: number, change: Partial<FlightStick> = {}) => {
      Object.assign(stick, change)
      let asked = takeover.update(time)
      for (const end = time + milliseconds; time < end; time += TICK) {
        layouts.look(stick.state, time)
        asked = takeover.update(time)
      }
      return asked
    }
    return { stick, layouts, play, storage }
  }

  it('does nothing and says so, until each control was shown; then it moves the arm as mapped', () => {
    const { stick, layouts, play, storage } = page()
    expect(play(500, at(0, -1)).fault).toMatchObject({
      kind: 'unknown layout',
      words: expect.stringContaining('mapped'),
    })
    play(500, at(0.02, 0))
    layouts.begin(stick.id)
    const show = (control: Parameters<typeof layouts.learn>[0], change: Partial<FlightStick>, back = at(0.02, 0)) => {
      layouts.learn(control)
      play(400)
      expect(play(400, change)).toMatchObject({ engaged: false, axes: [0, 0, 0, 0, 0, 0] }) // it is being mapped
      play(400, back)
      expect(layouts.drafting.get()!.learning).toBeNull()
    }
    show('forward', at(0.02, -1))
    show('left', at(-1, 0))
    show('up', at(0.02, 0, 1))
    show('turn left', at(0.02, 0, -1, 5 / 7))
    show('close gripper', { down: [0] }, { down: [] })
    show('stop', { down: [3] }, { down: [] })
    layouts.use()

    play(500, at(0.02, 0))
    expect(play(100, at(0.02, -1))).toMatchObject({ fault: null, engaged: true, axes: [1, 0, 0, 0, 0, 0] })
    expect(play(100, at(0.02, 1)).axes[0]).toBe(-1) // the other way of the same stick
    expect(play(100, at(1, 0)).axes[1]).toBeCloseTo(-0.95, 1) // to the right
    expect(play(100, at(0.02, 0, 1)).axes[2]).toBe(1)
    expect(play(100, at(0.02, 0, -1, 5 / 7)).axes[5]).toBe(1)
    expect(play(100, { ...at(0.02, 0), down: [0] }).gripper).toBe('close')
    expect(play(TICK, { down: [3] }).reading.buttons.held).toEqual(['stop'])

    const again = page(storage) // the page is loaded anew
    again.play(500)
    expect(again.play(100, at(0.02, -1)).axes[0]).toBe(1)
    again.layouts.reset(again.stick.id)
    expect(again.play(500, at(0.02, -1)).fault?.kind).toBe('unknown layout')
    expect(page(storage).play(500).fault?.kind).toBe('unknown layout')
  })

  it('is not moved by a throttle that was left pushed', () => {
    const storage = memory()
    const layout: GamepadLayout = { up: { of: 'axis', index: 2, rest: -1, full: 1 } }
    storage.setItem('gamepads', JSON.stringify({ [new FlightStick().id]: layout }))
    const { play } = page(storage)
    expect(play(2000, at(0, 0, 0.2))).toMatchObject({ engaged: false, fault: { kind: 'not at rest' } })
  })

  it.each([
    ['nothing', {}],
    ['a control that does not exist', { fly: { of: 'button', index: 1 } }],
    ['no place', { up: { of: 'button', index: -1 } }],
    ['a push that is its rest', { up: { of: 'axis', index: 0, rest: 1, full: 1 } }],
    ['words', { up: 'axis 3' }],
    ['a list', [1]],
  ])('has no mapping of %s', (_, kept) => {
    expect(layoutFrom(kept)).toBeNull()
    const storage = memory()
    storage.setItem('gamepads', JSON.stringify({ [new FlightStick().id]: kept }))
    expect(page(storage).play(500).fault?.kind).toBe('unknown layout')
    storage.setItem('gamepads', '{"')
    expect(page(storage).play(500).fault?.kind).toBe('unknown layout')
  })
})
