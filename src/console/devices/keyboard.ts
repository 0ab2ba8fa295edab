/**
 * @file Keyboard: held keys push axes, which rise and fall on a ramp, as a key knows only all or nothing. Keys go by
 * place (event.code), so the layout of the keyboard does not matter.
 */
import {
  AXIS_NAMES,
  type AxisName,
  axesOf,
  type Button,
  Buttons,
  type DeviceReading,
  type Grip,
  type InputDevice,
} from './device.ts'

type Push = { axis: AxisName; sign: 1 | -1 }
type Meaning = Push | { grip: Exclude<Grip, 'none'> } | { button: Button }

const push = (axis: AxisName, sign: 1 | -1): Push => ({ axis, sign })

/** By event.code; "Shift+" where the same key turns instead of shifting. Keys on the left turn, lean and go left. */
export const KEYS: Readonly<Record<string, Meaning>> = {
  KeyW: push('x', 1),
  KeyS: push('x', -1),
  KeyA: push('y', 1),
  KeyD: push('y', -1),
  KeyR: push('z', 1),
  KeyF: push('z', -1),
  KeyU: push('roll', -1),
  KeyO: push('roll', 1),
  KeyI: push('pitch', 1),
  KeyK: push('pitch', -1),
  KeyJ: push('yaw', 1),
  KeyL: push('yaw', -1),
  'Shift+KeyW': push('pitch', 1),
  'Shift+KeyS': push('pitch', -1),
  'Shift+KeyA': push('yaw', 1),
  'Shift+KeyD': push('yaw', -1),
  'Shift+KeyR': push('roll', 1),
  'Shift+KeyF': push('roll', -1),
  KeyG: { button: 'gripper' },
  Comma: { grip: 'close' },
  Period: { grip: 'open' },
  KeyH: { button: 'hand over' },
  KeyT: { button: 'toggle' },
  Enter: { button: 'success' },
  Backspace: { button: 'failure' },
  KeyX: { button: 'abort' },
  KeyZ: { button: 'undo' },
  Space: { button: 'stop' },
  Escape: { button: 'stop' },
}

const SHIFTS = ['ShiftLeft', 'ShiftRight']

const RISE = 250 // ms from rest to full deflection
const FALL = 80 // ms from full deflection to rest: letting go must feel like letting go

export class Keyboard implements InputDevice {
  readonly name = 'keyboard'
  readonly kind = 'rate'
  readonly deadZone = 0
  private readonly keys = new Set<string>()
  private readonly buttons = new Buttons()
  private readonly level = new Float64Array(AXIS_NAMES.length)
  private readAt: number | null = null

  /** @returns whether the key means something here, so that the page keeps the browser from acting on it */
  down(code: string): boolean {
    if (SHIFTS.includes(code)) {
      this.keys.add(code)
      return false
    }
    const meaning = KEYS[code]
    if (!meaning) return false
    this.keys.add(code)
    if ('button' in meaning) this.buttons.set(meaning.button, true)
    return true
  }

  up(code: string): void {
    this.keys.delete(code)
    const meaning = KEYS[code]
    if (!meaning || !('button' in meaning)) return
    const { button } = meaning
    const still = [...this.keys].some((key) => {
      const other = KEYS[key]
      return other && 'button' in other && other.button === button
    })
    this.buttons.set(button, still)
  }

  read(time: number): DeviceReading {
    const elapsed = this.readAt === null ? 0 : Math.max(0, time - this.readAt)
    this.readAt = time
    const wanted = this.wanted()
    this.level.forEach((level, axis) => {
      this.level[axis] = approach(level, wanted[axis]!, elapsed)
    })
    const grips = [...this.keys].flatMap((code) => {
      const meaning = KEYS[code]
      return meaning && 'grip' in meaning ? [meaning.grip] : []
    })
    const gripper = grips.length === 1 ? grips[0]! : 'none'
    return { axes: axesOf(this.level), gripper, buttons: this.buttons.take(), time }
  }

  /** -1, 0 or 1 an axis; opposite keys cancel. */
  private wanted(): number[] {
    const wanted = AXIS_NAMES.map(() => 0)
    const shift = SHIFTS.some((code) => this.keys.has(code)) ? 'Shift+' : ''
    for (const code of this.keys) {
      const meaning = KEYS[shift + code] ?? KEYS[code]
      if (meaning && 'axis' in meaning) wanted[AXIS_NAMES.indexOf(meaning.axis)]! += meaning.sign
    }
    return wanted.map((value) => Math.sign(value))
  }

  /** A keyboard that is unplugged sends nothing, not even that it is gone; the page's silence is the server's to watch. */
  fault(): null {
    return null
  }

  /** At once, without the ramp: who looks away holds nothing. */
  release(): void {
    this.keys.clear()
    this.buttons.clear()
    this.level.fill(0)
  }
}

/** Towards rest in FALL, away from it in RISE; through rest first where the sign turns. */
function approach(level: number, wanted: number, elapsed: number): number {
  const back = level !== 0 && Math.sign(wanted) !== Math.sign(level)
  if (!back) return Math.sign(wanted) * Math.min(Math.abs(wanted), Math.abs(level) + elapsed / RISE)
  const needed = Math.abs(level) * FALL
  if (elapsed < needed) return Math.sign(level) * (Math.abs(level) - elapsed / FALL)
  return Math.sign(wanted) * Math.min(1, (elapsed - needed) / RISE)
}

const TEXTLESS = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/

/** Whether the browser needs this key for what has the focus: text fields all but Escape, buttons Enter, boxes Space. */
export function belongsToPage(code: string, target: EventTarget | null): boolean {
  if (code === 'Escape' || !(target instanceof HTMLElement)) return false
  const tag = target.tagName
  const type = tag === 'INPUT' ? (target as HTMLInputElement).type : ''
  if (target.isContentEditable || tag === 'TEXTAREA' || tag === 'SELECT') return true
  if (tag === 'INPUT' && !TEXTLESS.test(type)) return true
  if (code === 'Space') return type === 'checkbox' || type === 'radio'
  return code === 'Enter' && (tag === 'INPUT' || tag === 'BUTTON' || tag === 'A' || tag === 'SUMMARY')
}

/**
 * Listens to the window. Chords with Ctrl, Alt or Meta belong to the browser; while a text field has the focus all keys
 * do but Escape, which stops from anywhere. `robots`: whether there are any, or else all keys are the page's.
 * @returns how to stop listening
 */
export function listenToKeys(keyboard: Keyboard, window: Window, robots = () => true): () => void {
  const stopping = new AbortController()
  const { signal } = stopping
  const release = () => keyboard.release()
  const down = (event: KeyboardEvent) => {
    if (event.metaKey) return release() // macOS tells no key-up while Command is held
    if (event.ctrlKey || event.altKey || !robots() || belongsToPage(event.code, event.target)) return
    if (event.repeat ? event.code in KEYS : keyboard.down(event.code)) event.preventDefault()
  }
  window.addEventListener('keydown', down, { signal })
  window.addEventListener('keyup', ({ code }) => keyboard.up(code), { signal })
  window.addEventListener('blur', release, { signal })
  window.document.addEventListener('visibilitychange', release, { signal })
  window.document.addEventListener('focusin', ({ target }) => belongsToPage('KeyW', target) && release(), { signal })
  return () => stopping.abort()
}
