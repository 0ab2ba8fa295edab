/**
 * @file Finds out where a pad is pushed: the person pushes one thing all the way and lets go of it again. Its rest is read
 * after that, as browsers tell 0 of a trigger that was never touched.
 */
import type { GamepadState } from './gamepad.ts'
import { type ControlSource, depthOf, isHatAtRest } from './gamepad-layout.ts'

const STILL_FOR = 250 // ms without a change, after which it is believed that nothing moves
const STILL = 0.05
const PUSHED = 0.4 // of the range; less is tremor, or a neighbour that goes along
const RETURNED = 0.25 // of where it began
const NEAR_STOP = 0.9 // from here on a push is one to the stop

type Values = readonly number[] // axes, then buttons
type Push = { place: number; first: number; low: number; high: number }

export type LearnerPhase = 'let go' | 'push' | 'let go again'

export class GamepadLearner {
  phase: LearnerPhase = 'let go'
  private still: { values: Values; since: number } | null = null
  private start: Values = []
  private push: Push | null = null

  /** To be called with every state of the pad. @returns the source once it was pushed and let go */
  look(pad: GamepadState, time: number): ControlSource | null {
    const values = [...pad.axes.map((value) => (Number.isFinite(value) ? value : 0)), ...pad.buttons.map(depthOf)]
    const stands = this.standsStill(values, time)
    if (this.phase === 'let go') {
      this.start = values
      if (stands) this.phase = 'push'
    } else if (this.phase === 'push') this.findPush(values)
    else if (this.push) {
      const value = values[this.push.place] ?? 0
      this.push.low = Math.min(this.push.low, value)
      this.push.high = Math.max(this.push.high, value)
      if (stands) return this.sourceOf(this.push, value, pad.axes.length)
    }
    return null
  }

  private standsStill(values: Values, time: number): boolean {
    const { still } = this
    const same =
      still?.values.length === values.length && values.every((v, i) => Math.abs(v - still.values[i]!) < STILL)
    if (!still || !same) this.still = { values, since: time }
    return time - this.still!.since >= STILL_FOR
  }

  /** What moved most. */
  private findPush(values: Values): void {
    const ways = values.map((value, i) => Math.abs(value - (this.start[i] ?? value)))
    const place = ways.indexOf(Math.max(...ways))
    const first = values[place]!
    if (!(ways[place]! > PUSHED)) return
    this.push = { place, first, low: first, high: first }
    this.phase = 'let go again'
  }

  /** What stands still at `value` again; null while it may be held there. */
  private sourceOf({ place, first, low, high }: Push, value: number, axes: number): ControlSource | null {
    const start = this.start[place]!
    const returned = Math.abs(value - start) < RETURNED
    if (place >= axes) return returned ? { of: 'button', index: place - axes } : null
    if (isHatAtRest(value)) return { of: 'hat', index: place, at: first }
    const wasUnread = start === 0 && Math.abs(value) > NEAR_STOP && value * first > 0 && low < -PUSHED && high > PUSHED
    if (!returned && !wasUnread) return null
    const far = Math.abs(high - value) > Math.abs(low - value) ? high : low
    return { of: 'axis', index: place, rest: value, full: Math.abs(far) > NEAR_STOP ? Math.sign(far) : far }
  }
}
