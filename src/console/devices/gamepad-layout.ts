/**
 * @file What a person said the sticks and buttons of a pad mean, for pads that the browser does not know: hats, throttles
 * and triggers that rest at one end included. Pure.
 */
import { AXIS_NAMES, type Axes, axesOf, clamp, type HandButton, WAYS } from './device.ts'
import type { GamepadState } from './gamepad.ts'

/** Where on the pad something can be pushed. */
export type ControlSource =
  | { of: 'axis'; index: number; rest: number; full: number } // from where it rests to where it was pushed
  | { of: 'hat'; index: number; at: number } // eight directions in one axis, which rests beyond the range
  | { of: 'button'; index: number }

export type Way = (typeof WAYS)[keyof typeof WAYS][number]
/** What a source may be for. */
export type PadControl = Way | HandButton

export type GamepadLayout = Readonly<Partial<Record<PadControl, ControlSource>>>

export const PAD_WAYS: readonly Way[] = AXIS_NAMES.flatMap((axis) => WAYS[axis])
export const PAD_BUTTONS = [
  ...(['hand over', 'toggle', 'close gripper', 'open gripper', 'gripper'] as const),
  ...(['success', 'failure', 'abort', 'undo', 'stop'] as const),
] as const satisfies readonly HandButton[]
const CONTROLS: readonly PadControl[] = [...PAD_WAYS, ...PAD_BUTTONS]

/** A hat goes round in eight steps from -1 (up) to 1 (up and left); a rest is 9/7 or 23/7, as the browser has it. */
const HAT_STEP = 2 / 7
const HAT_REST = 1.1

/** Beyond this a button counts as down. */
export const PRESSED = 0.5

export const isHatAtRest = (value: number) => Math.abs(value) > HAT_REST

/** Of a button, in [0, 1]: how far it is down. `pressed` alone is said of triggers that are hardly touched. */
export function depthOf(button: GamepadState['buttons'][number] | undefined): number {
  const { pressed = false, value = 0 } = button ?? {}
  if (value > 0 && value < 1) return value
  return pressed || value >= 1 ? 1 : 0
}

/** In [0, 1]: how far a source is pushed its way. What the pad does not have is at rest. */
export function pushOf(source: ControlSource | undefined, { axes, buttons }: GamepadState): number {
  if (!source) return 0
  if (source.of === 'button') return depthOf(buttons[source.index])
  const value = axes[source.index]
  if (value === undefined || !Number.isFinite(value)) return 0
  if (source.of === 'axis') return clamp((value - source.rest) / (source.full - source.rest), 0, 1)
  if (isHatAtRest(value)) return 0
  const steps = Math.round(Math.abs(value - source.at) / HAT_STEP) % 8
  return Math.min(steps, 8 - steps) <= 1 ? 1 : 0 // the diagonals beside it count
}

export const axesBy = (layout: GamepadLayout, pad: GamepadState): Axes =>
  axesOf(AXIS_NAMES.map((axis) => pushOf(layout[WAYS[axis][0]], pad) - pushOf(layout[WAYS[axis][1]], pad)))

/** Those that are pushed further than `beyond`. */
export const buttonsBy = (layout: GamepadLayout, pad: GamepadState, beyond = PRESSED): HandButton[] =>
  PAD_BUTTONS.filter((button) => pushOf(layout[button], pad) > beyond)

/** A control is given a source. A stick that is pushed forward also goes back, unless something else does. */
export function withSource(layout: GamepadLayout, control: PadControl, source: ControlSource): GamepadLayout {
  const [plus, minus] = Object.values(WAYS).find((ways) => (ways as readonly string[]).includes(control)) ?? []
  const opposite = control === plus ? minus : plus
  const goesBoth = source.of === 'axis' && Math.abs(source.rest) < 0.5
  if (!opposite || !goesBoth || layout[opposite]) return { ...layout, [control]: source }
  return { ...layout, [control]: source, [opposite]: { ...source, full: 2 * source.rest - source.full } }
}

/** Of anything that was kept: a layout, or null where it is none. */
export function layoutFrom(kept: unknown): GamepadLayout | null {
  if (typeof kept !== 'object' || kept === null) return null
  const fits = Object.entries(kept).every(
    ([control, source]) => CONTROLS.includes(control as PadControl) && isSource(source),
  )
  return fits && Object.keys(kept).length > 0 ? (kept as GamepadLayout) : null
}

function isSource(value: unknown): value is ControlSource {
  if (typeof value !== 'object' || value === null) return false
  const { of, index, rest, full, at } = value as Record<string, unknown>
  if (!Number.isInteger(index) || (index as number) < 0) return false
  if (of === 'axis') return Number.isFinite(rest) && Number.isFinite(full) && rest !== full
  return of === 'button' || (of === 'hat' && Number.isFinite(at))
}
