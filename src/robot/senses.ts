/**
 * @file Whether an observation can be believed: looked at on arrival, before anybody acts on it or writes it down. What is
 * wrong in itself (a number that is none, a missing picture) is a fault at once; what only looks wrong (a camera that shows
 * the same while the arm moves) is a suspicion first, and a fault when it goes on. So is an arm that does not do what it is
 * told (standing.ts).
 */

import { nameOf, vectorOf } from './channels.ts'
import type { Fault } from './fault.ts'
import { project } from './projection.ts'
import { ACTION_WIDTH, type Action, type Image, type Observation, type Outcome, type RobotSpec } from './robot.ts'
import { StandingArm } from './standing.ts'

export type SenseLimits = {
  pictureHold: number // s between the same two; with more the robot holds for the step that was decided on it
  pictureAge: number // s between a picture and its observation, where the camera tells; more is a fault
  suspectSteps: number // steps in motion with the same picture, or one without content, until that is told
  blindSteps: number // the same, until it is a fault
  flatHold: number // steps, at rest too, with a picture without content, from which on the robot holds; they count as if it moved
  clockSteps: number // steps in which the robot's clock may stand still
  standing: number // s for which an arm in free air, in motion before, may stand though it is told to move; more is a fault
}

export const defaultSenseLimits: SenseLimits = {
  pictureHold: 0.15,
  pictureAge: 0.5,
  suspectSteps: 10,
  blindSteps: 25,
  flatHold: Infinity,
  clockSteps: 3,
  standing: Infinity, // a simulated arm goes where it is told
}

/** A camera that may be blind: for so many steps in motion it has shown nothing new, or nothing at all. */
export type Suspicion = { camera: string; look: 'frozen' | 'flat'; steps: number }

const MOVING = 0.002 // m/s: the arm moves; a slow approach does, an encoder's noise does not
const AWAY = 0.01 // m from where the tool was when a picture came: another picture is due, three pixels at arm's length
const COMMANDED = 0.05 // action units, where the robot does not tell its position
const FLAT = 3 // grey levels: the spread of a picture that shows nothing, sensor noise of a covered lens included
const EXTREME = 16 // grey levels from black or white; a plain picture between may be a wall before the lens
const REMEMBERED = 4 // pictures: a driver may hand out its old buffers in turn
const SAMPLED = 7 // every so manyth byte is looked at for that; coprime to the 3 of a pixel

const sensor = (what: string): Fault => ({ kind: 'sensor', what })

/** What is wrong with one observation in itself, if anything. */
export function findSensorFault(observation: Observation, spec: RobotSpec, pictureAge: number): Fault | null {
  const { proprio, images, time, taken } = observation ?? {} // a robot's driver may hold anything at all
  const { channels, cameras } = spec
  if (!(proprio instanceof Float32Array)) return sensor('no proprioceptive readings came as a Float32Array')
  if (proprio.length !== channels.length)
    return sensor(`${proprio.length} proprioceptive readings came, the robot has ${channels.length} channels`)
  for (const [i, channel] of channels.entries()) {
    const value = proprio[i]!
    const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = channel
    if (!Number.isFinite(value)) return sensor(`${nameOf(channel)} reads ${value}`)
    if (value < low || value > high) return sensor(`${nameOf(channel)} reads ${value}, it can be ${low} to ${high}`)
  }
  if (!Number.isFinite(time)) return sensor(`the robot's clock reads ${time} s`)
  for (const [camera, { width, height }] of Object.entries(cameras)) {
    const image = images?.[camera]
    if (!image) return sensor(`camera ${camera} sent no picture`)
    if (!isBytes(image.data)) return sensor(`camera ${camera} sent a picture that holds no bytes`)
    const bytes = image.data.length
    if (image.width !== width || image.height !== height || bytes !== 3 * width * height)
      return sensor(
        `camera ${camera} sent ${image.width} × ${image.height} pixels in ${bytes} bytes, ${width} × ${height} in ${3 * width * height} are expected`,
      )
    const at = taken?.[camera]
    if (at === undefined) continue
    const age = time - at
    if (!(Math.abs(age) <= pictureAge))
      return sensor(`the picture of camera ${camera} is ${age.toFixed(3)} s old, the limit is ${pictureAge} s`)
  }
  return null
}

/** s between an observation and the oldest of its pictures; 0 where no camera tells. */
export const oldestPicture = ({ time, taken = {} }: Observation): number =>
  Math.max(0, ...Object.values(taken).map((at) => time - at))

/** A robot's own word on how its task stands, and on what it did, is a reading, too. */
export function findOutcomeFault({ reward, executed }: Pick<Outcome, 'reward' | 'executed'>): Fault | null {
  if (!Number.isFinite(reward)) return sensor(`the robot tells a reward of ${reward}`)
  if (!executed) return null
  const sound = executed.length === ACTION_WIDTH && executed.every((value) => Math.abs(value) <= 1)
  return sound ? null : sensor(`the robot tells that it did [${[...executed]}], which is no action`)
}

const isBytes = (data: unknown) => data instanceof Uint8Array || data instanceof Uint8ClampedArray

/** Black all over, or white: a lens that is covered, a light that is out, a sensor that is saturated. */
export const isFlat = (image: Image): boolean =>
  coloursOf(image).every(({ mean, variance }) => isPlain(variance) && (mean < EXTREME || mean > 255 - EXTREME))

const isPlain = (variance: number) => variance < FLAT ** 2

/** Of each colour over the picture, grey levels and their square. */
function coloursOf({ data }: Image): { mean: number; variance: number }[] {
  const counts = [0, 0, 0]
  const sums = [0, 0, 0]
  const squares = [0, 0, 0]
  for (let i = 0; i < data.length; i += SAMPLED) {
    const colour = i % 3
    counts[colour]!++
    sums[colour]! += data[i]!
    squares[colour]! += data[i]! ** 2
  }
  return counts.map((count, colour) => {
    const mean = sums[colour]! / count
    return { mean, variance: squares[colour]! / count - mean ** 2 }
  })
}

/** A picture that differed from those before, and where the tool was then. */
type Shown = { picture: Uint8Array; taken: number[] | null }

/** What a picture repeats: the newest one, or, unless it is plain, one a little older. */
function repeated(image: Image, [newest, ...older]: readonly Shown[]): Shown | undefined {
  const shows = ({ picture }: Shown) => Buffer.compare(picture, image.data) === 0
  if (newest && shows(newest)) return newest
  return coloursOf(image).every(({ variance }) => isPlain(variance)) ? undefined : older.find(shows)
}

/** Of one camera the newest different pictures, and steps in motion since the last of them. */
type Watched = { shown: Shown[]; frozen: number; flat: number; flatInARow: number /* steps, in motion or not */ }

/** Follows a robot's observations; one a robot. */
export class Senses {
  private readonly cameras = new Map<string, Watched>()
  private readonly position: readonly number[] | null
  private readonly standing: StandingArm
  private at: number[] | null = null // m, the tool at the last observation
  private time: number | null = null
  private stood = 0 // steps for which the clock did not advance

  constructor(
    private readonly spec: RobotSpec,
    private readonly limits: SenseLimits,
  ) {
    this.position = vectorOf(spec.channels, 'position')
    this.standing = new StandingArm(spec, limits.standing)
  }

  /** Of the cameras that look blind the one that has for longest. */
  get suspicion(): Suspicion | null {
    let worst: Suspicion | null = null
    for (const [camera, { frozen, flat }] of this.cameras)
      for (const [look, steps] of [
        ['frozen', frozen],
        ['flat', flat],
      ] as const)
        if (steps >= this.limits.suspectSteps && steps > (worst?.steps ?? 0)) worst = { camera, look, steps }
    return worst
  }

  /** Whether a camera shows nothing for so long that the robot is to hold. */
  get holds(): boolean {
    return [...this.cameras.values()].some(({ flatInARow }) => flatInARow >= this.limits.flatHold)
  }

  /** A person has looked: what was counted is forgotten. */
  forget(): void {
    this.cameras.clear()
    this.standing.forget()
    this.at = null
    this.time = null
    this.stood = 0
  }

  /** The robot is told to stop: it stands, and shall. */
  stopped(): void {
    this.standing.forget()
  }

  /**
   * What is wrong with an observation. `executed`: the action that led to it; none after a reset, or for a look. `done`: what
   * of it the robot says that it did.
   */
  check(observation: Observation, executed?: Action, done = executed): Fault | null {
    const fault =
      findSensorFault(observation, this.spec, this.limits.pictureAge) ?? this.clockFault(observation, executed)
    if (fault) return fault
    const blind = this.look(observation, executed)
    this.time = observation.time
    this.at = this.position?.map((i) => observation.proprio[i]!) ?? null
    return blind ?? this.standingFault(observation, done)
  }

  private standingFault({ proprio }: Observation, done: Action | undefined): Fault | null {
    const what = this.standing.check(proprio, done)
    return what === null ? null : { kind: 'robot', what }
  }

  private clockFault({ time }: Observation, executed: Action | undefined): Fault | null {
    const before = this.time
    if (before === null) return null
    if (time < before) return sensor(`the robot's clock went back from ${before} to ${time} s`)
    this.stood = executed && time === before ? this.stood + 1 : 0
    if (this.stood <= this.limits.clockSteps) return null
    return sensor(`the robot's clock has stood at ${time} s for ${this.stood} steps: its readings are old`)
  }

  private look({ images, proprio }: Observation, executed: Action | undefined): Fault | null {
    const tool = this.position?.map((i) => proprio[i]!) ?? null
    const moved = executed !== undefined && this.isMoving(proprio, executed)
    for (const camera of Object.keys(this.spec.cameras)) {
      const image = images[camera]!
      const known = this.cameras.get(camera) ?? { shown: [], frozen: 0, flat: 0, flatInARow: 0 }
      const before = repeated(image, known.shown)
      const due = moved && this.expectsChange(camera, tool, before?.taken ?? null)
      const frozen = before ? known.frozen + (due ? 1 : 0) : 0
      const isEmpty = (before && known.flat > 0) || isFlat(image)
      const flatInARow = isEmpty ? known.flatInARow + 1 : 0
      const held = executed !== undefined && flatInARow >= this.limits.flatHold
      const flat = isEmpty ? known.flat + (moved || held ? 1 : 0) : 0
      const shown = before ? known.shown : [{ picture: image.data.slice(), taken: tool }, ...known.shown]
      this.cameras.set(camera, { shown: shown.slice(0, REMEMBERED), frozen, flat, flatInARow })
      const { blindSteps } = this.limits
      if (flat >= blindSteps)
        return sensor(`camera ${camera} has shown nothing for ${flat} steps in motion, the limit is ${blindSteps}`)
      if (frozen >= blindSteps)
        return sensor(
          `camera ${camera} has shown the same picture for ${frozen} steps in motion, the limit is ${blindSteps}`,
        )
    }
    return null
  }

  /** The tool is elsewhere than it was, and where the camera stands still the tool is in its view. */
  private expectsChange(camera: string, tool: number[] | null, taken: number[] | null): boolean {
    if (!tool || !taken) return true
    const [x, y, z] = tool as [number, number, number]
    if (Math.hypot(x - taken[0]!, y - taken[1]!, z - taken[2]!) < AWAY) return false
    const { width, height, mount } = this.spec.cameras[camera]!
    if (mount?.mount !== 'base') return true
    const { pixel, ahead } = project(mount, width, height, [x, y, z])
    return ahead > 0 && pixel[0] > 0 && pixel[0] < width && pixel[1] > 0 && pixel[1] < height
  }

  private isMoving(proprio: Float32Array, executed: Action): boolean {
    if (!this.position || !this.at) return executed.subarray(0, 6).some((value) => Math.abs(value) > COMMANDED)
    const { at } = this
    return Math.hypot(...this.position.map((i, axis) => proprio[i]! - at[axis]!)) > MOVING / this.spec.rate
  }
}
