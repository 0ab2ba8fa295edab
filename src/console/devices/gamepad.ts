/**
 * @file Gamepad API: sticks and buttons in the standard layout, polled. A SpaceMouse that the browser lists as a gamepad
 * (six axes, no layout) is read as one, for browsers without WebHID.
 */
import {
  type Axes,
  axesOf,
  type Button,
  Buttons,
  type Device,
  type DeviceFault,
  type Grip,
  REST,
  type Reading,
} from './device.ts'
import { FULL_SCALE, fromDeviceFrame } from './spacemouse.ts'

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
const MEANING: Readonly<Partial<Record<Button, readonly number[]>>> = {
  'hand over': [STANDARD.RB],
  toggle: [STANDARD.start],
  success: [STANDARD.Y],
  failure: [STANDARD.A, STANDARD.B],
  abort: [STANDARD.X],
  undo: [STANDARD.left],
  stop: [STANDARD.back],
}

/** A trigger counts as pulled from half of its way. */
const TRIGGER = 0.5

export class GamepadDevice implements Device {
  readonly kind = 'rate'
  readonly deadZone = 0.1
  private readonly buttons = new Buttons()
  private id: string | null // of the pad that was seen last
  /** Down when we began to look, as the press that makes the browser show the pad: deaf until they come up. */
  private early: Set<number> | null = null

  /** `poll` gives the pad's present state, null where there is none (anymore): navigator.getGamepads()[index]. */
  constructor(private readonly poll: () => GamepadState | null) {
    this.id = poll()?.id ?? null
  }

  get name(): string {
    return this.id ?? 'gamepad'
  }

  read(time: number): Reading {
    const pad = this.poll()
    if (!pad || this.faultOf(pad)) {
      this.release()
      return { axes: REST, gripper: 'none', buttons: this.buttons.take(), time }
    }
    this.id = pad.id
    const down = this.freshlyDown(pad)
    const sixAxis = isSixAxis(pad)
    const axes = sixAxis ? sixAxes(pad) : sticks(pad)
    if (!sixAxis)
      for (const [button, indices] of Object.entries(MEANING)) this.buttons.set(button as Button, indices.some(down))
    const [close, open] = sixAxis ? [0, 1] : [STANDARD.LT, STANDARD.RT]
    return { axes, gripper: gripOf(down(close), down(open)), buttons: this.buttons.take(), time }
  }

  fault(): DeviceFault | null {
    return this.faultOf(this.poll())
  }

  release(): void {
    this.buttons.clear()
    this.early = null
  }

  private freshlyDown({ buttons }: GamepadState): (index: number) => boolean {
    const pressed = (index: number) => buttons[index]?.pressed === true || (buttons[index]?.value ?? 0) > TRIGGER
    this.early ??= new Set([...buttons.keys()].filter(pressed))
    for (const index of this.early) if (!pressed(index)) this.early.delete(index)
    return (index) => pressed(index) && !this.early?.has(index)
  }

  private faultOf(pad: GamepadState | null): DeviceFault | null {
    if (!pad?.connected)
      return { kind: 'disconnected', words: `${this.name} is gone. Plug it in and press a button on it` }
    if (pad.mapping === 'standard' || isSixAxis(pad)) return null
    const words = `The browser does not know the layout of ${pad.id}. Switch it to XInput mode or use another device`
    return { kind: 'unknown layout', words }
  }
}

/**
 * Left stick: forward and left. Right stick: up, and turning. With LB held: left stick sideways leans (roll), right stick
 * tips (pitch), nothing shifts. The API's y axes point down, its x axes right.
 */
function sticks({ axes, buttons }: GamepadState): Axes {
  const [leftX = 0, leftY = 0, rightX = 0, rightY = 0] = axes
  const turning = buttons[STANDARD.LB]?.pressed
  return axesOf(
    (turning ? [0, 0, 0, leftX, -rightY, -rightX] : [-leftY, -leftX, -rightY, 0, 0, -rightX]).map((value) => value + 0),
  )
}

/** Left trigger closes, right one opens; both ask for nothing. */
const gripOf = (close: boolean, open: boolean): Grip => (close === open ? 'none' : close ? 'close' : 'open')

const isSixAxis = ({ mapping, axes, id }: GamepadState) =>
  mapping === '' && axes.length === 6 && /256f|3dconnexion|space(mouse|navigator|explorer|pilot)/i.test(id)

/** The browser has scaled the counts to [-1, 1] already. */
const sixAxes = ({ axes }: GamepadState) => fromDeviceFrame(axes.map((value) => value * FULL_SCALE))
