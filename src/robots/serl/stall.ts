/**
 * @file Whether an arm that is told to move does. A Franka that stopped by itself, or whose controller is gone, still has a
 * server that answers "Moved": only its standing still tells.
 */
import { distance } from '../../robot/rotation.ts'
import type { ArmState } from './state.ts'
import { angleTo, type Stride } from './way.ts'

const STEPS = 10
const ASKED = 0.3 // of the stride: a step that asks for less is none to judge by
const MOVED = 0.05 // of what is asked at least: less is noise
const TOUCHES = 5 // N: an arm that presses on something may well stand still
const AT_ONCE = { steps: 2, strides: 1, free: 2 } // so much asked for in free air (N) is enough to judge by

type Seen = { state: ArmState; metres: number; radians: number }

export class Stall {
  private readonly seen: Seen[] = []

  constructor(private readonly stride: Stride) {}

  forget(): void {
    this.seen.length = 0
  }

  /** What is wrong, if anything. `metres`, `radians`: what the step before this state asked for. */
  check(state: ArmState, metres: number, radians: number): string | null {
    const { translation, rotation } = this.stride
    if (metres < ASKED * translation && radians < ASKED * rotation) {
      this.forget()
      return null
    }
    this.seen.push({ state, metres, radians })
    if (this.seen.length > STEPS + 1) this.seen.shift()
    return this.standsStill(this.seen, TOUCHES, this.seen.length > STEPS) ?? this.standsStillInFreeAir()
  }

  /** The fewest last steps that asked for enough. */
  private standsStillInFreeAir(): string | null {
    const { translation, rotation } = this.stride
    for (let from = this.seen.length - 1, asked = 0; from > 0; from--) {
      const { metres, radians } = this.seen[from]!
      asked += Math.max(metres / translation, radians / rotation)
      const steps = this.seen.length - from
      if (steps < AT_ONCE.steps || asked < AT_ONCE.strides) continue
      return this.standsStill(this.seen.slice(from - 1), AT_ONCE.free, true)
    }
    return null
  }

  /** The first of `seen` is where the arm was before. */
  private standsStill(seen: readonly Seen[], touches: number, enough: boolean): string | null {
    if (!enough) return null
    const { translation, rotation } = this.stride
    const told = seen.slice(1)
    const pairs = told.map((now, i) => [seen[i]!.state, now.state] as const)
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    const went = sum(pairs.map(([a, b]) => distance(a.pose, b.pose)))
    const turned = sum(pairs.map(([a, b]) => angleTo(a.pose, b.pose)))
    const asked = sum(told.map(({ metres }) => metres))
    if (told.length >= STEPS && pairs.every(([a, b]) => a.raw === b.raw))
      return `its readings have been the same for ${told.length} steps of motion`
    const least = MOVED * ASKED * told.length
    if (went > least * translation || turned > least * rotation) return null
    if (seen.some(({ state }) => Math.hypot(...state.force) > touches)) return null
    return `it was told to move for ${told.length} steps, ${(1000 * asked).toFixed(0)} mm in all, and stands still`
  }
}
