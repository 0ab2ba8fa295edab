/**
 * @file The person who tends a robot: the newest input of a device as a takeover, a spoken command until it expires. Knows
 * nothing of pages and connections; whoever does says when the person is there, and hands over what arrives.
 */

import type { Operator, Tending } from '../robot/operator.ts'
import { ACTION_WIDTH, type Action, type Observation } from '../robot/robot.ts'
import type { Vec3 } from '../robot/rotation.ts'
import { Reach } from '../talk/reach.ts'
import { commandDirection } from '../talk/vocabulary.ts'

const MOTION_AXES = 6

/** What a device says at one moment. */
export type DeviceInput = {
  axes: readonly number[] // [6] of an action, each in [-1, 1]; beyond is clipped
  gripper: -1 | 0 | 1 // open, as it is, close
  hold: boolean // the hand is on the robot
  at: number // ms on the person's clock `now`, when the device was read
}

export type Spoken = {
  text: string // canonical: "move left and up"
  said: string
  source: string
  lasts: number // ms, on the clock and in robot time, whichever ends first
  distance?: number // metres along each of its axes, from where it was heard: then it is over
}

export type PersonOptions = {
  inputAge: number // ms; an input older than that is no motion
  period: () => number // ms of robot time in one step
  now: () => number // ms, never going back
  tool: (observation: Observation) => Vec3 | undefined // metres, base frame; of a robot that tells where its tool is
}

/**
 * Takeover: while the hand is on the robot its action is the mean of what arrived since the step before, so that a short
 * tap is not lost and a noisy device is smoothed. Actions are changes of pose, so a takeover begins with no offset. While
 * the hand is on and nothing fresh arrives, the robot holds: it does not fall back to the policy.
 */
export class Person implements Operator {
  private here = false
  private latest?: DeviceInput
  private fresh: DeviceInput[] = [] // since the last step
  private wasSilent = false
  private command?: { spoken: Spoken; until: number; stepsLeft: number; reach?: Reach }

  constructor(private readonly options: PersonOptions) {}

  /** Whether the person tends the robot at all, by hand or by word. */
  get present(): boolean {
    return this.here
  }

  /** Whether the hand is on the robot. */
  get holding(): boolean {
    return this.here && this.latest?.hold === true
  }

  /** Whether the hand is on the robot, but nothing fresh came from it for the last step: the robot holds. */
  get silent(): boolean {
    return this.holding && this.wasSilent
  }

  /** The person is there, hands off. */
  come(): void {
    this.leave()
    this.here = true
  }

  /** The person has gone; what was said and done last is over. */
  leave(): void {
    this.here = false
    this.letGo()
    this.silence()
  }

  /** The hand comes off, whatever the device said last. */
  letGo(): void {
    this.latest = undefined
    this.fresh = []
  }

  input(input: DeviceInput): void {
    if (!this.here) return
    this.latest = input
    if (input.hold) this.fresh.push(input)
    else this.fresh = []
  }

  say(spoken: Spoken): void {
    if (!this.here) return
    const { period, now } = this.options
    const { text, lasts, distance } = spoken
    const reach = distance === undefined ? undefined : new Reach(commandDirection(text), distance)
    this.command = { spoken, until: now() + lasts, stepsLeft: Math.round(lasts / period()), reach }
  }

  silence(): void {
    this.command = undefined
  }

  /** What is in force, and for how many ms at most. */
  get spoken(): (Spoken & { left: number }) | undefined {
    if (!this.command) return undefined
    const { until, stepsLeft, spoken } = this.command
    const left = Math.min(until - this.options.now(), stepsLeft * this.options.period())
    return left > 0 ? { ...spoken, left } : undefined
  }

  /** What is said lasts from one episode to the next, and expires by itself; a distance is over, since the tool was taken elsewhere. */
  begin(_task: string): void {
    if (this.command?.reach) this.silence()
  }

  tend(observation: Observation, _planned: Action): Tending {
    const tending = this.words(observation)
    if (this.command) this.command.stepsLeft--
    if (this.holding) tending.takeover = this.hand()
    return tending
  }

  private words(observation: Observation): Tending {
    const { spoken, command } = this
    if (!spoken) return {}
    const tool = command?.reach && this.options.tool(observation)
    if (!tool) return { command: spoken.text }
    const toGo = command.reach!.toGo(tool)
    if (toGo) return { command: spoken.text, toGo }
    this.silence()
    return {}
  }

  private hand(): Action {
    const action = new Float32Array(ACTION_WIDTH)
    const youngest = this.options.now() - this.options.inputAge
    const samples = (this.fresh.length > 0 ? this.fresh : [this.latest!]).filter(({ at }) => at >= youngest)
    this.fresh = []
    this.wasSilent = samples.length === 0
    for (const { axes } of samples)
      for (let i = 0; i < MOTION_AXES; i++) action[i]! += Math.min(1, Math.max(-1, axes[i]!)) / samples.length
    action[MOTION_AXES] = samples.findLast(({ gripper }) => gripper !== 0)?.gripper ?? 0
    return action
  }
}
