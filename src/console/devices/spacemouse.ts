/**
 * @file SpaceMouse: from the HID reports of 3Dconnexion devices to axes. Both layouts are told apart by length, not by
 * model: translation and rotation in reports 1 and 2, or all six axes in one report 1 (wireless and Enterprise).
 */
import {
  type Axes,
  axesOf,
  Buttons,
  clamp,
  type DeviceFault,
  type DeviceReading,
  gripOf,
  type HandButton,
  type InputDevice,
  isShared,
  REST,
} from './device.ts'
import { productOf, type SpaceMouseProduct } from './spacemouse-products.ts'

/** Counts at full deflection; some units overshoot, so values are clamped after the division. */
export const FULL_SCALE = 350

/** Deflections of a puck up to here are rest: 14 counts. */
export const PUCK_ZONE = 0.04

/** ms without a report while the puck is pushed: pushed, it reports every 8 to 16 ms, and a 0 ends each push. */
const SILENCE = 500

/** ms over which not one count of a pushed puck changes although it reports: no hand is that calm. */
const STUCK = 3000

/** ms: a reading is the mean of the reports since the one before, but of no more than a control step. */
const MEMORY = 100

const AXIS_BYTES = 6

/** Three signed 16-bit little-endian numbers from byte `offset` on. */
const triple = (data: DataView, offset: number) => [0, 2, 4].map((byte) => data.getInt16(offset + byte, true))

/**
 * Device frame, cable away from the user: X right, Y towards the user, Z down, right-handed, rotations about the same
 * axes. Forward is -Y, left is -X, up is -Z, so the vectors of translation and rotation change their basis alike.
 */
export const fromDeviceFrame = ([x, y, z, rx, ry, rz]: readonly number[]): Axes =>
  axesOf([-y!, -x!, -z!, -ry!, -rx!, -rz!].map((count) => clamp(count / FULL_SCALE) + 0))

type Counts = [number, number, number]
type Sums = { counts: Counts; reports: number; from: number }
const nothing = (from = 0): Sums => ({ counts: [0, 0, 0], reports: 0, from })

export class SpaceMouse implements InputDevice {
  readonly kind = 'rate'
  readonly sprung = true
  readonly deadZone = PUCK_ZONE
  readonly name: string
  /** Percent; null before a wireless device has told. */
  battery: number | null = null
  /** Numbers of reports that mean nothing here; told once each to `onUnknown`. */
  onUnknown: (reportId: number, length: number) => void = () => {}

  private readonly product: SpaceMouseProduct
  private readonly buttons = new Buttons<HandButton>()
  private readonly unknown = new Set<number>()
  private last: [translation: Counts, rotation: Counts] = [
    [0, 0, 0],
    [0, 0, 0],
  ]
  private since: [Sums, Sums] = [nothing(), nothing()]
  private heardAt: number | null = null // of the last report with axes
  private changedAt = 0 // when a count last changed
  private gone = false

  constructor(identity: { vendorId: number; productId: number; productName?: string }) {
    this.product = productOf(identity)
    this.name = this.product.name
  }

  /** One input report. `data` is without the report's id, as WebHID gives it. Reports too short to mean anything are skipped. */
  report(reportId: number, data: DataView, time: number): void {
    this.gone = false
    if (reportId === 1 && data.byteLength >= 2 * AXIS_BYTES) {
      this.hear(0, triple(data, 0) as Counts, time)
      this.hear(1, triple(data, AXIS_BYTES) as Counts, time)
    } else if ((reportId === 1 || reportId === 2) && data.byteLength >= AXIS_BYTES) {
      this.hear(reportId - 1, triple(data, 0) as Counts, time)
    } else if (reportId === 3 && data.byteLength >= 1) {
      for (const { byte, bit, does } of this.product.buttons)
        if (does) this.buttons.set(does, byte <= data.byteLength && ((data.getUint8(byte - 1) >> bit) & 1) === 1)
    } else if (reportId === 0x17 && data.byteLength >= 1) {
      this.battery = data.getUint8(0)
    } else if (!this.unknown.has(reportId)) {
      this.unknown.add(reportId)
      this.onUnknown(reportId, data.byteLength)
    }
  }

  private hear(part: number, counts: Counts, time: number): void {
    const last = this.last[part]!
    if (this.heardAt === null || counts.some((count, i) => count !== last[i])) this.changedAt = time
    this.heardAt = time
    this.last[part] = counts
    let sums = this.since[part]!
    if (sums.reports === 0 || time - sums.from > MEMORY) this.since[part] = sums = nothing(time)
    counts.forEach((count, i) => {
      sums.counts[i]! += count
    })
    sums.reports++
  }

  /** The mean of the reports since the last reading; where none came, the last one still holds. */
  read(time: number): DeviceReading {
    const means = this.since.map(({ counts, reports, from }, part) =>
      reports > 0 && time - from <= 2 * MEMORY ? counts.map((sum) => sum / reports) : this.last[part]!,
    )
    this.since = [nothing(), nothing()]
    const axes = this.fault(time) ? REST : fromDeviceFrame(means.flat())
    const { held, pressed } = this.buttons.take()
    const down = [...held, ...pressed]
    const gripper = gripOf(down.includes('close gripper'), down.includes('open gripper'))
    return { axes, gripper, buttons: { held: held.filter(isShared), pressed: pressed.filter(isShared) }, time }
  }

  fault(time: number): DeviceFault | null {
    if (this.gone) return { kind: 'disconnected', words: `${this.name} is unplugged or out of reach. Plug it in again` }
    if (this.heardAt === null || this.last.flat().every((count) => count === 0)) return null
    if (time - this.heardAt > SILENCE) {
      const words = `${this.name} fell silent while it was pushed. Let go of it; if it stays so, unplug it or charge it`
      return { kind: 'silent', words }
    }
    if (time - this.changedAt > STUCK) {
      const words = `${this.name} repeats the same values. Let go of it; if they stay, unplug it or calibrate it`
      return { kind: 'stuck', words }
    }
    return null
  }

  /** The puck's position is not ours to forget: only buttons and what has gathered since the last reading are. */
  release(): void {
    this.buttons.clear()
    this.since = [nothing(), nothing()]
  }

  /** The device went away. It counts as faulty until it is back, or reports again. */
  disconnect(): void {
    this.release()
    this.last = [
      [0, 0, 0],
      [0, 0, 0],
    ]
    this.gone = true
  }

  /** It is plugged in again, and at rest until it says otherwise. */
  reconnect(): void {
    this.gone = false
  }

  /** Whether this is the device, or one of its kind, that went away. */
  awaits({ vendorId, productId }: { vendorId: number; productId: number }): boolean {
    return this.gone && this.product.vendorId === vendorId && this.product.productId === productId
  }
}
