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
    if (this.seen.length <= STEPS) return null
    this.seen.shift()
    const pairs = this.seen.slice(1).map((now, i) => [this.seen[i]!.state, now.state] as const)
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    const went = sum(pairs.map(([a, b]) => distance(a.pose, b.pose)))
    const turned = sum(pairs.map(([a, b]) => angleTo(a.pose, b.pose)))
    const asked = sum(this.seen.map(({ metres }) => metres))
    if (pairs.every(([a, b]) => a.raw === b.raw)) return `its readings have been the same for ${STEPS} steps of motion`
    const least = MOVED * ASKED * STEPS
    if (went > least * translation || turned > least * rotation) return null
    if (this.seen.some(({ state }) => Math.hypot(...state.force) > TOUCHES)) return null
    return `it was told to move for ${STEPS} steps, ${(1000 * asked).toFixed(0)} mm in all, and stands still`
  }
}
