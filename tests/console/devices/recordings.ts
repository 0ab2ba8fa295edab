/**
 * @file Recorded devices of tests/fixtures/devices: read, expanded to single reports, and played: to a device class here,
 * or in a page as a fake navigator.hid or gamepad. The bytes are written by hand from the documented layouts; byte 0 of a
 * report is its id. `every` and `until` (ms) repeat an entry; a list of reports is then played in turn.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { GamepadState } from '../../../src/console/devices/gamepad.ts'

type Entry = { at: number; bytes: string | string[]; every?: number; until?: number }
type PadState = { at: number; axes: number[]; down: number[] }
type Expected = {
  at: number
  axes: number[]
  gripper?: string
  held?: string[]
  pressed?: string[]
  fault?: string
  battery?: number
}
type Identity = {
  vendorId: number
  productId: number
  productName: string
  collections: { usagePage: number; usage: number }[]
}

export type HidRecording = { note: string; hid: Identity; reports: Entry[]; readings: Expected[] }
export type GamepadRecording = {
  note: string
  gamepad: { id: string; mapping: string }
  states: PadState[]
  readings: Expected[]
}

const folder = new URL('../../fixtures/devices/', import.meta.url)
const load = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const all: [name: string, recording: HidRecording | GamepadRecording][] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => [file.slice(0, -'.json'.length), load(file)])

export const hidRecordings = all.filter((one): one is [string, HidRecording] => 'hid' in one[1])
export const gamepadRecordings = all.filter((one): one is [string, GamepadRecording] => 'gamepad' in one[1])
export const hidRecording = (name: string): HidRecording => load(`${name}.json`)
export const gamepadRecording = (name: string): GamepadRecording => load(`${name}.json`)

export type Report = { at: number; id: number; bytes: number[] } // without the id

export function reportsOf({ reports }: HidRecording): Report[] {
  return reports.flatMap(({ at, bytes, every, until }) => {
    const list = [bytes].flat().map((text) => text.split(' ').map((byte) => Number.parseInt(byte, 16)))
    const count = every ? Math.floor((until! - at) / every) + 1 : list.length
    return Array.from({ length: count }, (_, i) => {
      const [id, ...rest] = list[i % list.length]!
      return { at: at + i * (every ?? 0), id: id!, bytes: rest }
    })
  })
}

export const dataOf = ({ bytes }: Report) => new DataView(Uint8Array.from(bytes).buffer)

const BUTTONS = 17

export function padAt({ gamepad, states }: GamepadRecording, time: number): GamepadState {
  const { axes, down } = states.findLast(({ at }) => at <= time) ?? states[0]!
  const buttons = Array.from({ length: BUTTONS }, (_, i) => ({
    pressed: down.includes(i),
    value: down.includes(i) ? 1 : 0,
  }))
  return { ...gamepad, connected: true, axes, buttons }
}

/**
 * For Playwright: `page.addInitScript(installHid, hidForPage(hidRecording('push-left-and-up')))`. The page then finds the
 * device already granted. `await page.evaluate(() => playDevice())` plays it once, and resolves with the moment of each
 * report on the page's clock.
 */
export const hidForPage = (recording: HidRecording) => ({ identity: recording.hid, reports: reportsOf(recording) })

/** Runs in the page, so it may use nothing from outside. */
export function installHid({ identity, reports }: { identity: Identity; reports: Report[] }): void {
  const device = {
    ...identity,
    opened: false,
    oninputreport: null as ((event: { reportId: number; data: DataView; device: unknown }) => void) | null,
    open: async () => {
      device.opened = true
    },
    close: async () => {
      device.opened = false
    },
  }
  const hid = Object.assign(new EventTarget(), {
    getDevices: async () => [device],
    requestDevice: async () => [device],
  })
  Object.defineProperty(navigator, 'hid', { value: hid, configurable: true })
  const play = async () => {
    const start = performance.now()
    const times: number[] = []
    for (const { at, id, bytes } of reports) {
      const wait = start + at - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      times.push(performance.now())
      device.oninputreport?.({ reportId: id, data: new DataView(Uint8Array.from(bytes).buffer), device })
    }
    return times
  }
  Object.assign(window, { playDevice: play })
}

/** As `hidForPage` and `installHid`, for a gamepad: `page.addInitScript(installGamepad, gamepadRecording('gamepad-push-right'))`. */
export function installGamepad({ gamepad, states }: GamepadRecording): void {
  let now = states[0]!
  let timestamp = 0
  const pad = () => ({
    ...gamepad,
    index: 0,
    connected: true,
    timestamp,
    axes: now.axes,
    buttons: Array.from({ length: 17 }, (_, i) => ({
      pressed: now.down.includes(i),
      touched: now.down.includes(i),
      value: now.down.includes(i) ? 1 : 0,
    })),
  })
  Object.defineProperty(navigator, 'getGamepads', { value: () => [pad(), null, null, null], configurable: true })
  const play = async () => {
    window.dispatchEvent(Object.assign(new Event('gamepadconnected'), { gamepad: pad() }))
    const start = performance.now()
    const times: number[] = []
    for (const state of states) {
      const wait = start + state.at - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      now = state
      timestamp = performance.now()
      times.push(timestamp)
    }
    return times
  }
  Object.assign(window, { playDevice: play })
}
