import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inBase, turned } from '../../../src/console/devices/frames.ts'
import { GamepadDevice, type GamepadState } from '../../../src/console/devices/gamepad.ts'
import { KEYS, Keyboard } from '../../../src/console/devices/keyboard.ts'
import { Pad } from '../../../src/console/devices/pad.ts'
import { fromDeviceFrame, SpaceMouse } from '../../../src/console/devices/spacemouse.ts'
import { PRODUCTS } from '../../../src/console/devices/spacemouse-products.ts'
import { type HidDevice, isSpaceMouse, watchSpaceMice } from '../../../src/console/devices/webhid.ts'
import { dataOf, gamepadRecordings, hidRecording, hidRecordings, padAt, reportsOf } from './recordings.ts'

const close = (got: readonly number[], wanted: readonly number[]) => {
  expect(got).toHaveLength(wanted.length)
  for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i]!, 8)
}

describe('SpaceMouse', () => {
  it.each(hidRecordings)('reads the recording "%s"', (_, recording) => {
    const mouse = new SpaceMouse(recording.hid)
    const reports = reportsOf(recording)
    for (const { at, axes, gripper = 'none', held = [], pressed = [], fault, battery } of recording.readings) {
      while (reports.length && reports[0]!.at <= at) {
        const report = reports.shift()!
        mouse.report(report.id, dataOf(report), report.at)
      }
      expect(mouse.fault(at)?.kind).toBe(fault)
      const reading = mouse.read(at)
      close(reading.axes, axes)
      expect({ at, ...reading.buttons, gripper: reading.gripper }).toEqual({ at, held, pressed, gripper })
      if (battery !== undefined) expect(mouse.battery).toBe(battery)
    }
  })

  it('has the signs of HIL-SERL for an operator who faces the robot', () => {
    // pyspacemouse: x = X, y = -Y, z = -Z, pitch = -Rx, roll = -Ry, yaw = +Rz; HIL-SERL: [-y, x, z, -roll, -pitch, -yaw]
    const counts = [35, -70, 105, 140, -175, 210]
    const [x, y, z, rx, ry, rz] = counts.map((count) => count / 350)
    close(inBase(fromDeviceFrame(counts), turned(Math.PI)), [y!, x!, -z!, ry!, rx!, -rz!])
  })

  it('means the reports since the last reading, and keeps the last one when none came', () => {
    const mouse = new SpaceMouse(hidRecording('compact').hid)
    const push = (y: number, time: number) => {
      const data = new DataView(new ArrayBuffer(6))
      data.setInt16(2, y, true)
      mouse.report(1, data, time)
    }
    push(-70, 0)
    push(-140, 8)
    push(-210, 16)
    expect(mouse.read(20).axes[0]).toBeCloseTo(0.4, 8)
    expect(mouse.read(40).axes[0]).toBeCloseTo(0.6, 8)
  })

  it('skips reports that are short or unknown, and tells of unknown ones once', () => {
    const mouse = new SpaceMouse(hidRecording('compact').hid)
    const told: number[] = []
    mouse.onUnknown = (id) => told.push(id)
    for (const id of [1, 2, 3, 0x17]) mouse.report(id, new DataView(new ArrayBuffer(0)), 0)
    mouse.report(1, new DataView(new ArrayBuffer(5)), 0)
    for (const id of [9, 9]) mouse.report(id, new DataView(new ArrayBuffer(4)), 0)
    expect(told).toEqual([1, 2, 3, 0x17, 9])
    expect(mouse.read(1).axes).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('takes any bytes without throwing, and stays in range', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PRODUCTS),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 32 }))),
        (product, reports) => {
          const mouse = new SpaceMouse(product)
          for (const [i, [id, bytes]] of reports.entries()) mouse.report(id % 8, new DataView(bytes.buffer), i)
          for (const value of mouse.read(reports.length).axes) expect(Math.abs(value)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('is at rest and faulty once it is unplugged, until it speaks again', () => {
    const recording = hidRecording('push-left-and-up')
    const mouse = new SpaceMouse(recording.hid)
    const [report] = reportsOf(recording)
    mouse.report(report!.id, dataOf(report!), 0)
    mouse.disconnect()
    expect(mouse.fault(1)?.kind).toBe('disconnected')
    expect(mouse.read(1).axes).toEqual([0, 0, 0, 0, 0, 0])
    mouse.report(report!.id, dataOf(report!), 2)
    expect(mouse.fault(3)).toBeNull()
  })

  it('is found among the interfaces that the browser shows, and hears them', async () => {
    const usage = (vendorId: number, usagePage: number, number: number): HidDevice => ({
      ...hidRecording('wireless').hid,
      vendorId,
      collections: [{ usagePage, usage: number }],
      opened: false,
      open: async () => {},
      close: async () => {},
      oninputreport: null,
    })
    const [puck, receiver, mouse, other] = [
      usage(0x256f, 1, 8),
      usage(0x256f, 0xff00, 1),
      usage(0x046d, 1, 2),
      usage(0x1234, 1, 8),
    ]
    expect([puck, receiver, mouse, other].map((device) => isSpaceMouse(device!))).toEqual([true, false, false, false])

    const listeners = new Map<string, (event: { device: HidDevice }) => void>()
    const opened: SpaceMouse[] = []
    const hid = {
      getDevices: async () => [mouse!, receiver!, puck!],
      requestDevice: async () => [puck!],
      addEventListener: (type: string, listener: (event: { device: HidDevice }) => void) =>
        listeners.set(type, listener),
    }
    const { ask } = await watchSpaceMice(hid, (one) => opened.push(one), console.error)
    await ask()
    expect(opened).toHaveLength(1)
    puck!.oninputreport!({ reportId: 1, data: dataOf(reportsOf(hidRecording('wireless'))[0]!) })
    expect(opened[0]!.read(performance.now()).axes[0]).toBeCloseTo(0.2, 8)
    listeners.get('disconnect')!({ device: puck! })
    expect(opened[0]!.fault(performance.now())?.kind).toBe('disconnected')

    const again = { ...puck!, oninputreport: null as HidDevice['oninputreport'] }
    await listeners.get('connect')!({ device: again })
    expect(opened).toHaveLength(1)
    expect(opened[0]!.fault(performance.now())).toBeNull()
    again.oninputreport!({ reportId: 1, data: dataOf(reportsOf(hidRecording('wireless'))[0]!) })
    expect(opened[0]!.read(performance.now()).axes[0]).toBeCloseTo(0.2, 8)
  })

  it('that cannot be opened is told, and does not keep the others from opening', async () => {
    const told: unknown[] = []
    const opened: SpaceMouse[] = []
    const device = (open: () => Promise<void>): HidDevice => ({
      ...hidRecording('wireless').hid,
      opened: false,
      open,
      close: async () => {},
      oninputreport: null,
    })
    const refusal = new Error('held by another program')
    const list = [device(() => Promise.reject(refusal)), device(async () => {})]
    const hid = { getDevices: async () => list, requestDevice: async () => [], addEventListener: () => {} }
    await watchSpaceMice(
      hid,
      (one) => opened.push(one),
      (error) => told.push(error),
    )
    expect(told).toEqual([refusal])
    expect(opened).toHaveLength(1)
  })
})

describe('gamepad', () => {
  it.each(gamepadRecordings)('reads the recording "%s"', (_, recording) => {
    let now = 0
    const pad = new GamepadDevice(() => padAt(recording, now))
    for (const { at, axes, gripper = 'none', held = [], pressed = [] } of recording.readings) {
      now = at
      const reading = pad.read(at)
      close(reading.axes, axes)
      expect({ at, ...reading.buttons, gripper: reading.gripper }).toEqual({ at, held, pressed, gripper })
    }
  })

  it('is at rest and says why when it is gone or its layout is unknown', () => {
    const state = padAt(gamepadRecordings[0]![1], 150)
    let now: GamepadState | null = state
    const pad = new GamepadDevice(() => now)
    expect(pad.fault()).toBeNull()
    now = { ...state, mapping: '' }
    expect(pad.fault()?.kind).toBe('unknown layout')
    expect(pad.read(0).axes).toEqual([0, 0, 0, 0, 0, 0])
    now = null
    expect(pad.fault()?.kind).toBe('disconnected')
    expect(pad.fault()?.words).toContain('Xbox')
  })

  it('is deaf to what is down on a pad that takes the place of another', () => {
    const state = padAt(gamepadRecordings[0]![1], 0)
    const buttons = state.buttons.map((_, i) => ({ pressed: i === 3, value: i === 3 ? 1 : 0 })) // Y
    let now: GamepadState = state
    const pad = new GamepadDevice(() => now)
    pad.read(0)
    now = { ...state, id: 'Another Pad', buttons }
    expect(pad.read(16).buttons.pressed).toEqual([])
    now = { ...now, buttons: state.buttons }
    pad.read(32)
    now = { ...now, buttons }
    expect(pad.read(48).buttons.pressed).toEqual(['success'])
  })

  it('reads a SpaceMouse that the browser shows as a gamepad', () => {
    const state: GamepadState = {
      id: '3Dconnexion SpaceMouse Wireless (Vendor: 256f Product: c63a)',
      mapping: '',
      connected: true,
      axes: [0.1, -0.2, -0.3, -0.4, 0.5, -0.6],
      buttons: [],
    }
    close(new GamepadDevice(() => state).read(0).axes, [0.2, -0.1, 0.3, -0.5, 0.4, 0.6])
  })
})

describe('keyboard', () => {
  it('rises to full deflection in 250 ms and falls to rest in 80', () => {
    const keyboard = new Keyboard()
    keyboard.read(0)
    keyboard.down('KeyW')
    expect(keyboard.read(50).axes[0]).toBeCloseTo(0.2, 8)
    expect(keyboard.read(250).axes[0]).toBe(1)
    keyboard.up('KeyW')
    expect(keyboard.read(270).axes[0]).toBeCloseTo(0.75, 8)
    expect(keyboard.read(330).axes[0]).toBe(0)
  })

  it('turns round through rest: 20 ms down from a quarter, then up to the other side', () => {
    const keyboard = new Keyboard()
    keyboard.read(0)
    keyboard.down('KeyA')
    expect(keyboard.read(62.5).axes[1]).toBeCloseTo(0.25, 8)
    keyboard.down('KeyD')
    keyboard.up('KeyA')
    expect(keyboard.read(132.5).axes[1]).toBeCloseTo(-0.2, 8)
  })

  it.each([
    [['KeyW'], [1, 0, 0, 0, 0, 0]],
    [['KeyD'], [0, -1, 0, 0, 0, 0]],
    [['KeyR'], [0, 0, 1, 0, 0, 0]],
    [['KeyU'], [0, 0, 0, -1, 0, 0]],
    [['KeyI'], [0, 0, 0, 0, 1, 0]],
    [['KeyJ'], [0, 0, 0, 0, 0, 1]],
    [
      ['ShiftLeft', 'KeyA'],
      [0, 0, 0, 0, 0, 1],
    ],
    [
      ['ShiftRight', 'KeyS'],
      [0, 0, 0, 0, -1, 0],
    ],
    [
      ['KeyW', 'KeyA', 'KeyF'],
      [1, 1, -1, 0, 0, 0],
    ],
    [
      ['KeyW', 'KeyS'],
      [0, 0, 0, 0, 0, 0],
    ],
  ])('%j pushes %j', (codes, axes) => {
    const keyboard = new Keyboard()
    keyboard.read(0)
    for (const code of codes) keyboard.down(code)
    expect(keyboard.read(1000).axes).toEqual(axes)
  })

  it('tells each press once, however often the key repeats', () => {
    const keyboard = new Keyboard()
    keyboard.down('Space')
    keyboard.down('Space')
    keyboard.down('Escape')
    keyboard.up('Space')
    expect(keyboard.read(0).buttons).toEqual({ held: ['stop'], pressed: ['stop'] })
    keyboard.up('Escape')
    expect(keyboard.read(1).buttons).toEqual({ held: [], pressed: [] })
  })

  it('squeezes with comma and full stop, and lets go of everything at once', () => {
    const keyboard = new Keyboard()
    keyboard.read(0)
    for (const code of ['Comma', 'KeyW', 'KeyH']) keyboard.down(code)
    expect(keyboard.read(500)).toMatchObject({ gripper: 'close', buttons: { held: ['hand over'] } })
    keyboard.release()
    const after = keyboard.read(501)
    expect(after).toMatchObject({ axes: [0, 0, 0, 0, 0, 0], gripper: 'none', buttons: { held: [], pressed: [] } })
  })

  it('knows its keys from others', () => {
    const keyboard = new Keyboard()
    expect(['KeyW', 'Enter', 'F5', 'Tab', 'ShiftLeft'].map((code) => keyboard.down(code))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(new Set(Object.keys(KEYS)).size).toBeGreaterThan(20)
  })
})

describe('pad on the screen', () => {
  it('takes the place where the finger comes down as its zero', () => {
    const pad = new Pad(100)
    pad.touch(1, 'plane', 300, 500)
    expect(pad.read(0)).toMatchObject({ axes: [0, 0, 0, 0, 0, 0], buttons: { held: ['hand over'] } })
    pad.move(1, 280, 450)
    close(pad.read(1).axes, [0.5, 0.2, 0, 0, 0, 0])
  })

  it('takes over while its button is held, without a finger on a field', () => {
    const pad = new Pad()
    pad.press('hand over', true)
    for (const time of [0, 16]) expect(pad.read(time).buttons.held).toEqual(['hand over'])
    pad.press('hand over', false)
    expect(pad.read(32).buttons.held).toEqual([])
    pad.press('hand over', true)
    pad.release()
    expect(pad.read(48).buttons.held).toEqual([])
  })

  it('listens to two fingers, one a field, and is bounded by a circle', () => {
    const pad = new Pad(100)
    pad.touch(1, 'plane', 0, 0)
    pad.touch(2, 'lift', 1000, 0)
    pad.touch(3, 'lift', 1000, 0)
    pad.move(1, 300, 400)
    pad.move(2, 1030, -40)
    pad.move(3, 1100, 0)
    close(pad.read(0).axes, [-0.8, -0.6, 0.4, 0, 0, -0.3])
    pad.lift(1)
    close(pad.read(1).axes, [0, 0, 0.4, 0, 0, -0.3])
    pad.release()
    expect(pad.read(2)).toMatchObject({ axes: [0, 0, 0, 0, 0, 0], buttons: { held: [] } })
  })
})
