/**
 * @file The pad on the screen, for fingers, pens and the mouse: two fields, one shifts in the plane, the other lifts and
 * turns. Where a finger comes down is its zero, so touching moves nothing.
 */
import { type Axes, axesOf, type Button, Buttons, type DeviceReading, type Grip, type InputDevice } from './device.ts'

/** 'plane': up is forward, left is left. 'lift': up is up, left turns left. 'tilt': up tips forward, left leans left. */
export type Field = 'plane' | 'lift' | 'tilt'

type Touch = { field: Field; zero: readonly [number, number]; at: readonly [number, number] }

export class Pad implements InputDevice {
  readonly name = 'pad on the screen'
  readonly kind = 'rate'
  readonly deadZone = 0.06
  private readonly touches = new Map<number, Touch>()
  private readonly buttons = new Buttons()
  private grip: Grip = 'none'
  private handOver = false // the button for it is held

  /** `radius`: pixels from a finger's zero to full deflection. */
  constructor(private readonly radius: number = 70) {}

  /** A pointer comes down at `x`, `y` in pixels (y points down). A field listens to one pointer at a time. */
  touch(pointer: number, field: Field, x: number, y: number): void {
    if ([...this.touches.values()].some((touch) => touch.field === field)) return
    this.touches.set(pointer, { field, zero: [x, y], at: [x, y] })
  }

  move(pointer: number, x: number, y: number): void {
    const touch = this.touches.get(pointer)
    if (touch) this.touches.set(pointer, { ...touch, at: [x, y] })
  }

  lift(pointer: number): void {
    this.touches.delete(pointer)
  }

  /** Buttons drawn beside the fields. */
  press(button: Button, down: boolean): void {
    if (button === 'hand over') this.handOver = down
    else this.buttons.set(button, down)
  }

  squeeze(grip: Grip): void {
    this.grip = grip
  }

  /** Whoever has a finger on a field, or on the button for it, has taken over, moving or not. */
  read(time: number): DeviceReading {
    this.buttons.set('hand over', this.handOver || this.touches.size > 0)
    const buttons = this.buttons.take()
    return { axes: this.axes(), gripper: this.grip, buttons, time }
  }

  private axes(): Axes {
    const axes = [0, 0, 0, 0, 0, 0]
    for (const { field, zero, at } of this.touches.values()) {
      const length = Math.max(1, Math.hypot(at[0] - zero[0], at[1] - zero[1]) / this.radius) * this.radius
      const [left, up] = [(zero[0] - at[0]) / length, (zero[1] - at[1]) / length]
      if (field === 'plane') [axes[0], axes[1]] = [up, left]
      else if (field === 'lift') [axes[2], axes[5]] = [up, left]
      else [axes[4], axes[3]] = [up, -left]
    }
    return axesOf(axes.map((value) => value + 0))
  }

  fault(): null {
    return null
  }

  release(): void {
    this.touches.clear()
    this.buttons.clear()
    this.grip = 'none'
    this.handOver = false
  }
}
