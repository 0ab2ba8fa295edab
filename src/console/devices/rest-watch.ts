/**
 * @file Whether a stick or puck may be believed. Worn ones rest off their centre, and something may lean on one: it counts
 * only after it was seen at rest, and no longer once it is pushed in exactly the same way for seconds. Nothing is learned
 * from a push, so none is ever taken for rest.
 */
import { type Axes, isAtRest } from './device.ts'

/** ms at rest in one piece: a stick that is thrown from one side to the other passes its rest faster. */
const REST_FOR = 100

/** ms without a look, after which nobody knows what happened meanwhile. */
const BLIND = 2000

/** A hand trembles by more than this within STUCK. */
const TREMOR = 0.02

/** ms of the same push after which it is no hand's. At its stop a stick does not tremble, so there it may take longer. */
const STUCK = { partly: 5000, fully: 10_000 }
const STOP = 0.95

export class RestWatch {
  private seen = false
  private stuck = false
  private restsSince: number | null = null
  private push: { axes: Axes; since: number } | null = null
  private lookedAt = -Infinity

  /**
   * To be called with every reading. `zone`: deflections up to here are rest.
   *
   * @returns 'trusted', or why the device moves nothing: it has come to rest just now, was not seen at rest, or is stuck
   */
  look(axes: Axes, zone: number, time: number): 'trusted' | 'settling' | 'not at rest' | 'stuck' {
    if (time - this.lookedAt > BLIND) this.forget()
    this.lookedAt = time
    const resting = isAtRest(axes, zone)
    this.restsSince = resting ? (this.restsSince ?? time) : null
    if (this.restsSince !== null && time - this.restsSince >= REST_FOR) {
      this.seen = true
      this.stuck = false
    }
    if (this.isConstant(axes, resting, time)) {
      this.forget()
      this.stuck = true
    }
    if (this.seen) return 'trusted'
    return resting ? 'settling' : this.stuck ? 'stuck' : 'not at rest'
  }

  /** The device went away, another one came, or it was let go of: it must be seen at rest again. */
  forget(): void {
    this.seen = false
    this.stuck = false
    this.restsSince = null
    this.push = null
  }

  private isConstant(axes: Axes, resting: boolean, time: number): boolean {
    const moved = this.push?.axes.some((value, i) => Math.abs(value - axes[i]!) > TREMOR) ?? true
    if (resting || !this.seen) this.push = null
    else if (moved || !this.push) this.push = { axes, since: time }
    const most = axes.some((value) => Math.abs(value) >= STOP) ? STUCK.fully : STUCK.partly
    return this.push !== null && time - this.push.since >= most
  }
}
