/**
 * @file Who acts, the person or the policy: by a held button, a toggled one, or the touch of the device; and what the
 * person asks the robot for meanwhile.
 */
import {
  type Axes,
  type DeviceFault,
  type DeviceReading,
  type Grip,
  type InputDevice,
  isAtRest,
  REST,
} from './device.ts'
import { DEFAULT_MAPPING, fromZero, type Mapping, map } from './mapping.ts'
import { RestWatch } from './rest-watch.ts'

export type TakeoverSettings = {
  touch: boolean // pushing the device takes over, resting gives back; held and toggled buttons always work
  rest: number // ms of rest that end a takeover by touch; shorter ones would cut the windows that labels need
}

export const DEFAULT_TAKEOVER: TakeoverSettings = { touch: true, rest: 300 }

export type Asked = {
  engaged: boolean // the person acts
  axes: Axes // [6] of an action, base frame; 0 unless engaged
  gripper: Grip // 'none': as it is
  raw: Axes // what the device says, for the screen
  fault: DeviceFault | null // the person still acts if they did: a robot whose device dies must stand still, not drive off
  reading: DeviceReading
}

const OFF_CENTRE = 'If it rests off its centre, calibrate it, or widen the dead zone under Devices'
const DISTRUST = {
  'not at rest': `has not been seen at rest: let go of it. ${OFF_CENTRE}`,
  stuck: `is pushed in exactly the same way for seconds, as no hand does: let go of it. ${OFF_CENTRE}`,
}

/** One device in one person's hand. `mapping` and `settings` may be changed at any moment. */
export class Takeover {
  mapping: Mapping
  settings: TakeoverSettings = DEFAULT_TAKEOVER
  private toggled = false
  private touchedAt: number | null = null // when the device was last pushed, while a takeover by touch lasts
  private zero: Axes = REST // of a position-like device: where it was when the hold began
  private wasEngaged = false
  private closed = false
  private readonly watch = new RestWatch()
  private watched: string // name of the device that was looked at last

  constructor(readonly device: InputDevice) {
    this.mapping = { ...DEFAULT_MAPPING, deadZone: device.deadZone }
    this.watched = device.name
  }

  /** `gripper`: what the robot was told last; where it is told, a gripper button turns it round. */
  update(time: number, gripper?: Exclude<Grip, 'none'>): Asked {
    if (gripper) this.closed = gripper === 'close'
    const reading = this.device.read(time)
    const { trusted, fault } = this.judge(reading)
    const engaged = trusted ? this.decide(reading) : this.wasEngaged
    if (engaged && !this.wasEngaged) this.zero = reading.axes
    this.wasEngaged = engaged
    const axes = engaged && trusted ? map(this.pushed(reading), this.mapping) : REST
    return { engaged, axes, gripper: engaged ? this.grip(reading) : 'none', raw: reading.axes, fault, reading }
  }

  /** Gives back at once, whatever is held: the page lost the focus, or control went to somebody else. */
  letGo(): void {
    this.device.release()
    this.watch.forget()
    this.toggled = false
    this.touchedAt = null
    this.wasEngaged = false
  }

  /** Whether the device may act now, and what is wrong with it. */
  private judge({ axes, time }: DeviceReading): { trusted: boolean; fault: DeviceFault | null } {
    const { device, watch } = this
    const { name } = device
    const fault = device.fault(time)
    if (!device.sprung) return { trusted: !fault, fault }
    if (fault || name !== this.watched) watch.forget()
    this.watched = name
    if (fault) return { trusted: false, fault }
    const seen = watch.look(axes, this.mapping.deadZone, time)
    if (seen === 'trusted' || seen === 'settling') return { trusted: seen === 'trusted', fault: null }
    return { trusted: false, fault: { kind: seen, words: `${name} ${DISTRUST[seen]}` } }
  }

  private pushed({ axes }: DeviceReading): Axes {
    return this.device.kind === 'position' ? fromZero(axes, this.zero) : axes
  }

  private decide({ axes, gripper, buttons: { held, pressed }, time }: DeviceReading): boolean {
    for (const button of pressed) if (button === 'toggle') this.toggled = !this.toggled
    const moved = this.device.kind === 'rate' && !isAtRest(axes, this.mapping.deadZone)
    if (moved || gripper !== 'none' || pressed.includes('gripper')) this.touchedAt = time
    if (this.touchedAt !== null && time - this.touchedAt >= this.settings.rest) this.touchedAt = null
    return held.includes('hand over') || this.toggled || (this.settings.touch && this.touchedAt !== null)
  }

  private grip({ gripper, buttons: { pressed } }: DeviceReading): Grip {
    if (gripper !== 'none') this.closed = gripper === 'close'
    else if (pressed.filter((button) => button === 'gripper').length % 2 === 1) this.closed = !this.closed
    else return 'none'
    return this.closed ? 'close' : 'open'
  }
}
