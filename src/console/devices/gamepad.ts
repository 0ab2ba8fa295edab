/**
 * @file Gamepad API: sticks and buttons in the standard layout, or as a person has mapped them; polled. A SpaceMouse that
 * the browser lists as a gamepad (six axes, no layout) is read as one, for browsers without WebHID.
 */
import {
  type Axes,
  axesOf,
  Buttons,
  type DeviceFault,
  type DeviceReading,
  gripOf,
  type HandButton,
  type InputDevice,
  isShared,
  REST,
} from './device.ts'
import { axesBy, buttonsBy, depthOf, type GamepadLayout, PRESSED } from './gamepad-layout.ts'
import { FULL_SCALE, fromDeviceFrame, PUCK_ZONE } from './spacemouse.ts'

/** The part of the browser's Gamepad that is used. */
export type GamepadState = {
  readonly id: string
  readonly connected: boolean
  readonly mapping: string
  readonly axes: readonly number[]
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[]
}

/** Numbers of the standard layout (W3C Gamepad). */
const STANDARD = { A: 0, B: 1, X: 2, Y: 3, LB: 4, RB: 5, LT: 6, RT: 7, back: 8, start: 9, left: 14 } as const

/** LeRobot's and gym-hil's habits: hold RB to take over, Y success, A (or B) failure, X once more. The rest is ours. */
const MEANING: readonly (readonly [HandButton, ...numbers: number[]])[] = [
  ['hand over', STANDARD.RB],
  ['toggle', STANDARD.start],
  ['close gripper', STANDARD.LT],
  ['open gripper', STANDARD.RT],
  ['success', STANDARD.Y],
  ['failure', STANDARD.A, STANDARD.B],
  ['abort', STANDARD.X],
  ['undo', STANDARD.left],
  ['stop', STANDARD.back],
]

/** Worn sticks rest up to here off their centre; XInput's own zone is 7849 / 32767. */
const STICK_ZONE = 0.24

/** Up to here a trigger is let go: a worn one may rest near where it counts as pressed, and tremble over it. */
const RESTS = 0.25

/** How this pad is to be read; null where nobody knows. */
type Reader = { axes: (pad: GamepadState) => Axes; down: (pad: GamepadState, beyond: number) => HandButton[] }

export class GamepadDevice implements InputDevice {
  readonly kind = 'rate'
  readonly sprung = true
  private readonly buttons = new Buttons()
  private id: string | null // of the pad that was seen last
  /** Down, or half down, when we began to look, as the press that makes the browser show the pad: deaf until let go. */
  private early: Set<HandButton> | null = null

  /**
   * @param poll gives the pad's present state, null where there is none (anymore): navigator.getGamepads()[index]
   * @param layoutOf what a person has mapped, by the pad's id; null where they have not, or are at it
   */
  constructor(
    private readonly poll: () => GamepadState | null,
    private readonly layoutOf: (id: string) => GamepadLayout | null = () => null,
  ) {
    this.id = poll()?.id ?? null
  }

  get name(): string {
    return this.id ?? 'gamepad'
  }

  get deadZone(): number {
    const pad = this.poll()
    return pad && isSixAxis(pad) ? PUCK_ZONE : STICK_ZONE
  }

  /** The pad where it needs a mapping by hand, null where it does not, or is gone. */
  get unknown(): GamepadState | null {
    const pad = this.poll()
    return pad?.connected && !isStandard(pad) && !isSixAxis(pad) ? pad : null
  }

  read(time: number): DeviceReading {
    const pad = this.poll()
    const reader = pad?.connected ? this.readerOf(pad) : null
    if (!pad || !reader) {
      this.release()
      return { axes: REST, gripper: 'none', buttons: this.buttons.take(), time }
    }
    if (pad.id !== this.id) this.release()
    this.id = pad.id
    const down = this.freshlyDown((beyond) => reader.down(pad, beyond))
    for (const [button] of MEANING) if (isShared(button)) this.buttons.set(button, down.includes(button))
    this.buttons.set('gripper', down.includes('gripper'))
    const gripper = gripOf(down.includes('close gripper'), down.includes('open gripper'))
    return { axes: reader.axes(pad), gripper, buttons: this.buttons.take(), time }
  }

  fault(): DeviceFault | null {
    const pad = this.poll()
    if (!pad?.connected)
      return { kind: 'disconnected', words: `${this.name} is gone. Plug it in and press a button on it` }
    if (this.readerOf(pad)) return null
    const words = `The browser does not know the layout of ${pad.id}: it does nothing until it is mapped under Devices`
    return { kind: 'unknown layout', words }
  }

  release(): void {
    this.buttons.clear()
    this.early = null
  }

  private freshlyDown(beyond: (depth: number) => HandButton[]): HandButton[] {
    const down = beyond(PRESSED)
    const touched = beyond(RESTS).filter((button) => button !== 'stop' || down.includes(button)) // a stop is not doubted
    this.early ??= new Set(touched)
    for (const button of this.early) if (!touched.includes(button)) this.early.delete(button)
    return down.filter((button) => !this.early!.has(button))
  }

  private readerOf(pad: GamepadState): Reader | null {
    if (isStandard(pad)) return STANDARD_READER
    if (isSixAxis(pad)) return SIX_AXIS_READER
    const layout = this.layoutOf(pad.id)
    return (
      layout && { axes: (state) => axesBy(layout, state), down: (state, beyond) => buttonsBy(layout, state, beyond) }
    )
  }
}

/**
 * Left stick: forward and left. Right stick: up, and turning. With LB held: left stick sideways leans (roll), right stick
 * tips (pitch), nothing shifts. The API's y axes point down, its x axes right.
 */
function sticks({ axes, buttons }: GamepadState): Axes {
  const [leftX = 0, leftY = 0, rightX = 0, rightY = 0] = axes
  const turning = depthOf(buttons[STANDARD.LB]) > PRESSED
  return axesOf(
    (turning ? [0, 0, 0, leftX, -rightY, -rightX] : [-leftY, -leftX, -rightY, 0, 0, -rightX]).map((value) => value + 0),
  )
}

const isStandard = ({ mapping }: GamepadState) => mapping === 'standard'

const isSixAxis = ({ mapping, axes, id }: GamepadState) =>
  mapping === '' && axes.length === 6 && /256f|3dconnexion|space(mouse|navigator|explorer|pilot)/i.test(id)

const isDown = ({ buttons }: GamepadState, index: number, beyond: number) => depthOf(buttons[index]) > beyond

const STANDARD_READER: Reader = {
  axes: sticks,
  down: (pad, beyond) =>
    MEANING.flatMap(([button, ...numbers]) => (numbers.some((index) => isDown(pad, index, beyond)) ? [button] : [])),
}

/** The browser has scaled the counts to [-1, 1] already; of the buttons only the first two are known. */
const SIX_AXIS_READER: Reader = {
  axes: ({ axes }) => fromDeviceFrame(axes.map((value) => value * FULL_SCALE)),
  down: (pad, beyond) => (['close gripper', 'open gripper'] as const).filter((_, index) => isDown(pad, index, beyond)),
}
