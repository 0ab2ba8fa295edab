/**
 * @file Whether an arm that is told to move does. One that stopped by itself, or whose controller is gone, may go on to tell
 * sound readings: only its standing still gives it away. An arm that presses on something may stand, so how long depends on
 * the force that it reads, and on whether it was in motion before: what begins to move takes a moment.
 */
import { vectorOf } from './channels.ts'
import type { Action, RobotSpec } from './robot.ts'
import { fromRotationVector, gap, rotationBetween, type Vec3 } from './rotation.ts'

const ASKED = 0.3 // of a step at |a| = 1: one that asks for less is none to judge by
const ENOUGH = 0.5 // the same, for the steps in free air together: half of what they could have asked for
const MOVED = 0.015 // the same: what each of them moves at least; less is noise
const FREE = 2 // N: nothing is touched
const TOUCHES = 5 // N: it presses, and may stand for as long as it likes
const FEWEST = 2 // steps

/** Times the limit. */
const LASTS = { inMotion: 1, fromRest: 1.5, lightly: 5 /* between the two forces */, unfelt: 10 /* no force is told */ }

type Place = { position: Vec3; turn: Vec3 | null }

/** What a step asked for, in parts of one at |a| = 1, metres and radians; what was read after it. */
type Seen = {
  place: Place
  force: number | null
  proprio: Float32Array
  asked: number
  metres: number
  radians: number
}

export class StandingArm {
  private readonly position: ReturnType<typeof vectorOf>
  private readonly turn: ReturnType<typeof vectorOf>
  private readonly force: ReturnType<typeof vectorOf>
  private readonly most: number // steps that are remembered
  private seen: Seen[] = [] // the first of them is where the arm was before

  /** `limit`: s for which an arm in motion, in free air, may stand. Infinite: it is not looked at. */
  constructor(
    private readonly spec: Pick<RobotSpec, 'rate' | 'channels' | 'actionScale'>,
    private readonly limit: number,
  ) {
    this.position = vectorOf(spec.channels, 'position')
    this.turn = vectorOf(spec.channels, 'turn')
    this.force = vectorOf(spec.channels, 'force')
    this.most = this.stepsOf(LASTS.unfelt) + 2
  }

  /** Told to stop, or moved on its own: what comes next is seen from where it stands then. */
  forget(): void {
    this.seen = []
  }

  /** What is wrong, if anything. `done`: the action that led to these readings, as far as the robot says; none after a look. */
  check(proprio: Float32Array, done?: Action): string | null {
    if (!this.position || !Number.isFinite(this.limit)) return null
    const now = this.see(proprio, done)
    if (now.asked < ASKED) this.forget()
    this.seen.push(now)
    if (this.seen.length > this.most) this.seen.shift()
    return this.seen.length > FEWEST ? this.verdict() : null
  }

  private verdict(): string | null {
    const all = this.seen.length - 1
    if (this.force) {
      const steps = this.stepsOf(LASTS.lightly)
      if (all >= steps && isSame(this.seen.slice(-steps - 1)))
        return `its readings have been the same for ${steps} steps of motion`
    }
    for (const [lasts, touches, enough] of this.force
      ? ([
          [LASTS.inMotion, FREE, ENOUGH],
          [LASTS.fromRest, FREE, ENOUGH],
          [LASTS.lightly, TOUCHES, ASKED],
        ] as const)
      : ([[LASTS.unfelt, 0, ASKED]] as const)) {
      const steps = this.fewest(this.stepsOf(lasts), enough)
      if (steps === null || (lasts === LASTS.inMotion && !this.movedBefore(steps))) continue
      const window = this.seen.slice(-steps - 1)
      if (window.every(({ force }) => force === null || force <= touches) && !moved(window, this.spec.actionScale))
        return standsStill(window.slice(1))
    }
    return null
  }

  /** The last steps that together asked for enough, `least` of them at least; null where there are not so many. */
  private fewest(least: number, enough: number): number | null {
    let asked = 0
    for (let steps = 1; steps < this.seen.length; steps++) {
      asked += this.seen.at(-steps)!.asked
      if (steps >= least && asked >= least * enough) return steps
    }
    return null
  }

  /** Whether the arm moved in the step before so many. */
  private movedBefore(steps: number): boolean {
    const before = this.seen.slice(-steps - 2, -steps)
    return before.length === 2 && moved(before, this.spec.actionScale)
  }

  private stepsOf(lasts: number): number {
    return Math.max(FEWEST, Math.ceil(lasts * this.limit * this.spec.rate - 1e-6))
  }

  private see(proprio: Float32Array, done: Action | undefined): Seen {
    const read = (indices: ReturnType<typeof vectorOf>) => indices && (indices.map((i) => proprio[i]!) as Vec3)
    const { translation, rotation } = this.spec.actionScale
    const size = (from: number) => (done ? Math.hypot(done[from]!, done[from + 1]!, done[from + 2]!) : 0)
    const [ahead, about] = [size(0), this.turn ? size(3) : 0] // a turn that the robot does not tell is none to judge by
    const force = read(this.force)
    return {
      place: { position: read(this.position)!, turn: read(this.turn) },
      force: force && Math.hypot(...force),
      proprio: proprio.slice(),
      asked: Math.min(1, Math.max(ahead, about)),
      metres: ahead * translation,
      radians: about * rotation,
    }
  }
}

/** Whether it went, or turned, as far as is no noise. */
function moved(seen: readonly Seen[], { translation, rotation }: RobotSpec['actionScale']): boolean {
  const pairs = seen.slice(1).map((now, i) => [seen[i]!.place, now.place] as const)
  const sum = (of: (a: Place, b: Place) => number) => pairs.reduce((total, [a, b]) => total + of(a, b), 0)
  const least = MOVED * pairs.length
  return sum((a, b) => gap(a.position, b.position)) > least * translation || sum(turned) > least * rotation
}

const turned = (a: Place, b: Place): number =>
  a.turn && b.turn ? Math.hypot(...rotationBetween(fromRotationVector(a.turn), fromRotationVector(b.turn))) : 0

/** A sensor has noise: nothing that measures tells the same again and again. */
const isSame = ([first, ...others]: readonly Seen[]): boolean =>
  others.every(({ proprio }) => proprio.every((value, i) => value === first!.proprio[i]))

function standsStill(told: readonly Seen[]): string {
  const sum = (of: (seen: Seen) => number) => told.reduce((total, seen) => total + of(seen), 0)
  const [metres, radians] = [sum((seen) => seen.metres), sum((seen) => seen.radians)]
  const parts = [metres > 0 && `${(1000 * metres).toFixed(0)} mm`, radians > 0 && `${radians.toFixed(2)} rad`]
  return `it was told to move for ${told.length} steps, ${parts.filter(Boolean).join(' and ')} in all, and stands still`
}
