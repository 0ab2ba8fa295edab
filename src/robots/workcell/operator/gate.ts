/** @file When a watcher takes over: the gating rule on the potential Φ, on misalignment near a contact, and on force (docs/simulator.md §7). */
import type { ExpertPlan } from '../plan.ts'
import type { SimulatedOperatorOptions } from './options.ts'

export const REASONS = ['stuck', 'off', 'funnel', 'force'] as const
export type Reason = (typeof REASONS)[number]

/** What the watcher sees in one step. */
export type Glance = {
  potential: number // Φ, expert steps to go
  force: number // N
  offset: number | null // m beside the axis where the next contact is near, else null
}

/** What a watcher tolerates. */
export type GateOptions = Pick<SimulatedOperatorOptions, 'patience' | 'tolerance' | 'offset' | 'drift' | 'force'>

const NEAR_GRASP = 0.04 // m
const ABOVE_RIM = 0.012
const BELOW_RIM = 0.006

/** The misalignment that matters now: TCP to bolt shortly before the grasp, tip to hole around the rim. */
export function contactOffset(plan: ExpertPlan): number | null {
  const fetching = plan.phase === 'approach' || plan.phase === 'descend'
  if (fetching && Math.hypot(plan.height, plan.offset) < NEAR_GRASP) return plan.offset
  const inserting = plan.phase === 'transport' || plan.phase === 'insert'
  if (inserting && plan.offset < NEAR_GRASP && plan.height < ABOVE_RIM && plan.height > -BELOW_RIM) return plan.offset
  return null
}

export class Gate {
  private readonly options: GateOptions
  private history: number[] = []
  private best = Infinity
  private offsets: number[] = [] // of the steps in a row, up to now, that were beside the axis near a contact
  private pressing = 0 // steps in a row with too much force

  constructor(options: GateOptions) {
    this.options = options
  }

  /** Forgets the past, as after a takeover: it was another's doing. */
  clear(): void {
    this.history = []
    this.best = Infinity
    this.offsets = []
    this.pressing = 0
  }

  /** The reason to take over, if there is one now. With several the most urgent: force, funnel, off, stuck. */
  look({ potential, force, offset }: Glance): Reason | null {
    const { patience, tolerance, offset: allowed, drift, force: strongest } = this.options
    this.pressing = force > strongest ? this.pressing + 1 : 0

    this.offsets = offset !== null && offset > allowed ? [...this.offsets, offset].slice(-drift - 1) : []
    const drifts = this.offsets.length > drift && this.offsets.at(-1)! >= this.offsets[0]!

    this.best = Math.min(this.best, potential)
    this.history.push(potential)
    if (this.history.length > patience.steps + 1) this.history.shift()
    const fall = this.history[0]! - potential

    if (this.pressing >= 2) return 'force'
    if (drifts) return 'funnel'
    if (potential > this.best + tolerance) return 'off'
    if (this.history.length > patience.steps && fall < patience.fall) return 'stuck'
    return null
  }
}
