/**
 * @file What every input device tells: how it is pushed, the gripper it asks for and its buttons by meaning. Runs in the
 * browser; times are milliseconds of one monotonic clock (performance.now()).
 */

/**
 * [6] in [-1, 1]: x forward, y left, z up of whoever holds the device, then rotation about these three, right-handed:
 * roll leans right, pitch tips forward, yaw turns left.
 */
export type Axes = readonly [x: number, y: number, z: number, roll: number, pitch: number, yaw: number]

export const AXIS_NAMES = ['x', 'y', 'z', 'roll', 'pitch', 'yaw'] as const
export type AxisName = (typeof AXIS_NAMES)[number]

/** In words, which way an axis goes where it is positive, and where it is negative. */
export const WAYS = {
  x: ['forward', 'back'],
  y: ['left', 'right'],
  z: ['up', 'down'],
  roll: ['lean right', 'lean left'],
  pitch: ['tip forward', 'tip back'],
  yaw: ['turn left', 'turn right'],
} as const satisfies Record<AxisName, readonly [plus: string, minus: string]>

export const REST: Axes = [0, 0, 0, 0, 0, 0]

export type Grip = 'open' | 'close' | 'none'

/** 'hand over' takes control for as long as it is held, 'toggle' takes it and gives it back; 'gripper' turns the gripper round. */
export type Button = 'hand over' | 'toggle' | 'gripper' | 'success' | 'failure' | 'abort' | 'undo' | 'stop'

/** A device whose buttons also squeeze: what each may do. */
export type HandButton = Button | 'close gripper' | 'open gripper'

/** What is no squeeze is a button of all devices. */
export const isShared = (button: HandButton): button is Button =>
  button !== 'close gripper' && button !== 'open gripper'

/** As an action and an input message write it: 1 closes, -1 opens, 0 leaves it. */
export const GRIP_VALUE = { close: 1, open: -1, none: 0 } as const

export type DeviceReading = {
  axes: Axes
  gripper: Grip
  buttons: {
    held: readonly Button[] // down now
    pressed: readonly Button[] // went down since the last reading, in their order; short presses are not lost
  }
  time: number // ms
}

/** Why a device cannot be trusted; while it lasts its axes read 0. */
export type DeviceFault = {
  kind: 'disconnected' | 'silent' | 'stuck' | 'unknown layout' | 'not at rest'
  words: string // what happened and what to do
}

export interface InputDevice {
  readonly name: string
  /** 'rate': rest is 0 and springs back. 'position': what counts is the way from where the hold began. */
  readonly kind: 'rate' | 'position'
  /** Deflections up to here count as rest, where nobody has set another dead zone. */
  readonly deadZone: number
  /** A stick or a puck: it may be worn, or leant on, so it counts only once it was seen at rest. */
  readonly sprung?: boolean
  /** What happened since the last reading, and how the device is pushed now. */
  read(time: number): DeviceReading
  fault(time: number): DeviceFault | null
  /** Lets go of everything: the page lost the focus, was hidden, or the device went away. */
  release(): void
}

export const clamp = (value: number, low = -1, high = 1) => Math.min(high, Math.max(low, value))

/** Reads axes from anything with six numbers; what is not finite counts as rest. */
export const axesOf = (values: ArrayLike<number>): Axes =>
  AXIS_NAMES.map((_, i) => (Number.isFinite(values[i]) ? clamp(values[i]!) : 0)) as unknown as Axes

export const isAtRest = (axes: Axes, deadZone: number) => axes.every((value) => Math.abs(value) <= deadZone)

/** Left and right at once ask for nothing. */
export const gripOf = (close: boolean, open: boolean): Grip => (close === open ? 'none' : close ? 'close' : 'open')

/** Remembers presses between two readings. */
export class Buttons<B extends string = Button> {
  private readonly down = new Set<B>()
  private presses: B[] = []

  set(button: B, down: boolean): void {
    if (down && !this.down.has(button)) this.presses.push(button)
    if (down) this.down.add(button)
    else this.down.delete(button)
  }

  has(button: B): boolean {
    return this.down.has(button)
  }

  /** Presses are told once. */
  take(): { held: B[]; pressed: B[] } {
    const pressed = this.presses
    this.presses = []
    return { held: [...this.down], pressed }
  }

  clear(): void {
    this.down.clear()
    this.presses = []
  }
}
