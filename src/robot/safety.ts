/**
 * @file The safety envelope: the last hop before any motor. No command reaches the robot inside by another way than its rule
 * (guard.ts). A fault latches: the robot holds until a person clears it.
 */
import { InputError } from '../errors.ts'
import { vectorOf } from './channels.ts'
import { describeFault, type Fault, RobotFault } from './fault.ts'
import type { FaultFile, KeptFault } from './fault-file.ts'
import { type AskedGrip, canonicalAction, GRIPPER_ENTRY, gripAfter, toldGrip } from './gripper.ts'
import {
  defaultLimits,
  expectFittingLimits,
  type Guarded,
  guard,
  holdAction,
  type SafetyLimits,
  type SafetySituation,
} from './guard.ts'
import type { Action, Observation, Outcome, Robot, RobotSpec } from './robot.ts'
import { findOutcomeFault, oldestPicture, Senses, type Suspicion } from './senses.ts'
import { type ToolPose, toolPose } from './tool-pose.ts'

const HEED_EVERY = 50 // ms

export type SafeRobotOptions = {
  limits?: Partial<SafetyLimits>
  force?: () => number | null // N; default: the length of the force vector that the robot's channels tell
  now?: () => number // seconds, never going back
  onFault?: (fault: Fault) => void
  faults?: FaultFile // where a fault outlives the process; left out for a simulation, where nothing can break
}

/** A robot that can only be reached through the guard. The wrapped robot is private to this object; hand it to nobody else. */
export class SafeRobot implements Robot {
  readonly spec: RobotSpec
  readonly limits: SafetyLimits
  readonly #robot: Robot
  readonly #now: () => number
  readonly #readForce: () => number | null
  readonly #onFault: (fault: Fault) => void
  #fault: Fault | null = null
  #sent: Action = holdAction()
  #done: Action | null = null // what the robot says that it did of it, where it does
  #grip: AskedGrip = 0 // what the gripper is asked for
  #limited = 0
  #observation: Observation | null = null
  readonly #senses: Senses
  readonly #tool: ToolPose | null
  readonly #faults: FaultFile | undefined
  readonly #heard = new Map<string, number>() // when each of those who supervise was last heard
  #watchdog: ReturnType<typeof setTimeout> | null = null
  #stops = 0 // so far
  #keptAt: string | null = null // when the fault was written that the file holds, as far as this process knows
  #recovering: Promise<void> | null = null // the robot is told that its fault was cleared

  constructor(robot: Robot, options: SafeRobotOptions = {}) {
    this.#robot = robot
    this.spec = robot.spec
    this.limits = { ...defaultLimits, ...options.limits }
    this.#now = options.now ?? (() => performance.now() / 1000)
    this.#onFault = options.onFault ?? (() => {})
    this.#readForce = options.force ?? (() => this.#proprioForce())
    this.#senses = new Senses(robot.spec, this.limits)
    this.#tool = toolPose(robot.spec)
    this.#faults = options.faults
    this.#take(options.faults?.read() ?? null)
    if (options.faults?.clearedSince) this.#recover()
    this.supervisedBy(['supervisor'])
    expectFittingLimits(this.limits, robot.spec)
  }

  /** What holds the robot; null when it may move. */
  get fault(): Fault | null {
    return this.#fault
  }

  /**
   * [7] what the last step sent to the motors, or what the robot told that it did of it; canonical in a hold, too: this, not
   * the command, is what happened.
   */
  get executed(): Action {
    return canonicalAction(this.#done ?? this.#sent, this.#grip)
  }

  /** Steps whose command was larger than allowed. */
  get limitedSteps(): number {
    return this.#limited
  }

  /** Whether a fault outlives the process. */
  get keepsFaults(): boolean {
    return this.#faults !== undefined
  }

  /** A camera that may be blind, if one may. */
  get suspicion(): Suspicion | null {
    return this.#senses.suspicion
  }

  /** Told when a camera begins to look blind, and with null when it sees again. */
  onSuspicion: (suspicion: Suspicion | null) => void = () => {}

  /** s, the clock of `step`'s `madeAt`. */
  now(): number {
    return this.#now()
  }

  /** Whose heartbeats keep the robot going, from now on: all of them, each heard just now. Nobody: nobody is waited for. */
  supervisedBy(who: readonly string[]): void {
    this.#heard.clear()
    for (const name of who) this.heartbeat(name)
  }

  /** One more is there to be heard from, or no longer. */
  supervise(who: string, present: boolean): void {
    if (present) this.heartbeat(who)
    else this.#heard.delete(who)
  }

  /** Whoever supervises calls this more often than `limits.heartbeatAge`. */
  heartbeat(who = 'supervisor'): void {
    this.#heard.set(who, this.#now())
  }

  /** A person has looked and lets the robot move again. Nothing in the program may call this by itself. */
  clearFault(): void {
    this.#fault = null
    this.#sent = holdAction()
    this.#done = null
    this.#senses.forget()
    for (const who of this.#heard.keys()) this.heartbeat(who)
    this.#recover()
  }

  async reset(task: string, seed?: number): Promise<Observation> {
    if (this.#recovering) await this.#recovering
    this.#expectFree()
    try {
      const first = await this.#heeding(this.#robot.reset(task, seed))
      this.#grip = 0
      return await this.#believe(first)
    } catch (error) {
      this.#grip = 0
      if (this.#haltedNow()) return this.observe() // a person stopped it on its way: it begins where it stands, and holds
      throw await this.#failed(error)
    }
  }

  /** Whether it knows where it rests. */
  get parks(): boolean {
    return this.#robot.park !== undefined
  }

  /** Goes there. @throws InputError where it holds after a fault, is stopped on its way, or knows no such place */
  async park(): Promise<void> {
    if (this.#recovering) await this.#recovering
    this.#expectFree()
    if (!this.#robot.park)
      throw new InputError(this.spec.name, 'has no place to park', 'Name one in its settings: robot.park')
    try {
      await this.#heeding(this.#robot.park())
      if (this.#fault) throw this.#stoppedAfter(this.#fault) // a stop that came on a way that cannot be ended
    } catch (error) {
      throw await this.#failed(error)
    }
  }

  /** @throws InputError where it may not go on a way of its own */
  #expectFree(): void {
    this.#heed()
    if (this.#fault)
      throw new InputError(
        this.spec.name,
        `holds after a fault (${describeFault(this.#fault)})`,
        clearing(this.#faults),
      )
    this.#disarm()
    this.#sent = holdAction()
    this.#done = null
  }

  /** Another process may have written a fault: a person stopped the robot from there. */
  #heed(): void {
    const told = this.#fault ? null : this.#faults?.read()
    if (!told) return
    this.stop().catch(() => {}) // it latches; one that cannot be told has a fault already
    this.#take(told)
    this.#onFault(this.#fault!)
  }

  /** A fault that the file holds. */
  #take(told: KeptFault | null): void {
    this.#fault = told && { kind: told.kind, what: told.what }
    this.#keptAt = told?.at ?? null
  }

  /** A way on which the loop sends no commands. */
  async #heeding<T>(way: Promise<T>): Promise<T> {
    const timer = setInterval(() => this.#heed(), HEED_EVERY)
    try {
      return await way
    } finally {
      clearInterval(timer)
    }
  }

  async observe(): Promise<Observation> {
    if (this.#recovering) await this.#recovering
    return this.#believe(await this.#robot.observe().catch(async (error) => Promise.reject(await this.#failed(error))))
  }

  /** What there is to see, for whoever looks on: nothing is decided on it, and where it fails nothing latches. */
  async glance(): Promise<Observation> {
    return this.#robot.observe()
  }

  /**
   * `madeAt`: when the making of the command began, on the clock `now`; default: just now.
   * @throws InputError where the observation that follows cannot be believed: the robot has been stopped, nobody sees it
   */
  async step(command: Action, madeAt = this.#now()): Promise<Outcome> {
    if (this.#recovering) await this.#recovering
    this.#disarm()
    this.#heed()
    const stops = this.#stops
    const now = this.#now()
    const guarded = guard(command, this.#situation(now - madeAt, this.#silence(now)), this.limits)
    if (guarded.limited) this.#limited++
    this.#sent = guarded.action
    this.#done = null
    this.#grip = gripAfter(guarded.action[GRIPPER_ENTRY]!, this.#grip)
    const going = this.#robot.step(guarded.action.slice())
    if (guarded.fault) this.#latch(guarded.fault) // the motors have been told to hold
    const outcome = await going.catch(async (error) => Promise.reject(await this.#failed(error)))
    await this.#believe(outcome.observation, guarded.action, outcome)
    this.#done = outcome.executed?.slice() ?? null
    if (stops === this.#stops) this.#arm() // one that was stopped meanwhile stands: for it no command is late
    return outcome
  }

  /** No command will come for a while: a robot that is watched for their age holds, any other goes on as it was. */
  async rest(): Promise<void> {
    if (Number.isFinite(this.limits.commandAge)) await this.stop()
  }

  /**
   * A person stops the robot: from this call on no command but "hold" reaches it, until `clearFault`. Resolves when the
   * robot has taken the stop; whether it stands still is for `observe` to say. An earlier fault stays the one that is told.
   */
  halt(by: string): Promise<void> {
    const stopping = this.stop()
    this.#latch({ kind: 'stopped', what: by })
    return stopping
  }

  async stop(): Promise<void> {
    this.#stops++
    this.#disarm()
    this.#sent = holdAction()
    this.#done = null
    this.#senses.stopped()
    try {
      await this.#robot.stop()
    } catch (error) {
      if (error instanceof RobotFault) this.#latch(error)
      throw error
    }
  }

  /** What would be let through of a command, had `previous` been sent before it. Nothing is sent, nothing latches. */
  preview(command: Action, previous: Action = this.#sent): Guarded {
    return guard(command, { ...this.#situation(0, this.#silence(this.#now())), previous }, this.limits)
  }

  #situation(commandAge: number, heartbeatAge: number): SafetySituation {
    const indices = this.#positionIndices()
    const proprio = this.#observation?.proprio
    return {
      previous: this.#sent,
      grip: this.#grip,
      position: indices && proprio ? indices.map((i) => proprio[i]!) : null,
      rotation: this.#tool && proprio ? this.#tool(proprio).rotation : null,
      force: this.#readForce(),
      commandAge,
      heartbeatAge,
      pictureAge: this.#observation ? oldestPicture(this.#observation) : 0,
      blind: this.#senses.holds,
      actionScale: this.spec.actionScale,
      fault: this.#fault,
    }
  }

  /** The robot's own word for a fault stops it and latches. @returns what to throw */
  async #failed(error: unknown): Promise<unknown> {
    if (!(error instanceof RobotFault)) return error
    const stopping = this.stop()
    this.#latch(error)
    await stopping.catch(() => {})
    return this.#stoppedAfter(this.#fault!)
  }

  #haltedNow(): boolean {
    return this.#fault?.kind === 'stopped'
  }

  /** Tells the robot that a person cleared its fault; the file goes when it has heard. Until then nothing moves. */
  #recover(): void {
    const telling = this.#robot.recover?.()
    if (!telling) {
      this.#forgetKept()
      return
    }
    this.#recovering = telling
      .then(() => {
        if (!this.#fault) this.#forgetKept()
      })
      .catch((error) => this.#latch({ kind: 'robot', what: `could not be cleared: ${(error as Error).message}` }))
      .finally(() => {
        this.#recovering = null
      })
  }

  /** The fault was cleared. One that another process wrote since then nobody has looked at: it holds the robot. */
  #forgetKept(): void {
    const kept = this.#faults?.read()
    if (kept && kept.at !== this.#keptAt) this.#heed()
    else this.#faults?.clear()
  }

  /** Whoever calls this has told the motors first: a disk is slow, and may refuse. */
  #latch({ kind, what }: Fault): void {
    if (this.#fault) return
    const fault: Fault = { kind, what }
    this.#fault = fault
    try {
      this.#keptAt = this.#faults?.write(fault) ?? null
    } catch (error) {
      const what = `${fault.what} (not kept beyond this process: ${(error as Error).message})`
      this.#fault = { ...fault, what }
    }
    this.#onFault(this.#fault)
  }

  /** The observation, checked. @throws InputError with the robot stopped where it cannot be believed */
  async #believe(observation: Observation, sent?: Action, outcome?: Outcome): Promise<Observation> {
    const before = this.suspicion
    const fault =
      (outcome ? findOutcomeFault(outcome) : null) ?? this.#senses.check(observation, sent, outcome?.executed ?? sent)
    const after = this.suspicion
    if (after?.camera !== before?.camera || after?.look !== before?.look) this.onSuspicion(after)
    if (!fault) {
      this.#observation = observation
      this.#grip = gripAfter(toldGrip(this.spec.channels, observation.proprio), this.#grip)
      return observation
    }
    const stopping = this.stop()
    this.#latch(fault)
    await stopping.catch(() => {})
    throw this.#stoppedAfter(fault)
  }

  #stoppedAfter(fault: Fault): InputError {
    return new InputError(this.spec.name, `was stopped after a fault, ${describeFault(fault)}`, clearing(this.#faults))
  }

  /** s since the one of those who supervise who has been silent for longest was heard. */
  #silence(now: number): number {
    return Math.max(0, ...[...this.#heard.values()].map((at) => now - at))
  }

  /** When no further command comes in time, stop without waiting for one. */
  #arm(): void {
    if (!Number.isFinite(this.limits.commandAge)) return
    this.#watchdog = setTimeout(() => {
      this.stop().catch(() => {}) // one that cannot be told has a fault already
      this.#latch({ kind: 'stale command', what: `no command for ${this.limits.commandAge} s` })
    }, 1000 * this.limits.commandAge)
    this.#watchdog.unref()
  }

  #disarm(): void {
    if (this.#watchdog) clearTimeout(this.#watchdog)
    this.#watchdog = null
  }

  #positionIndices(): number[] | null {
    return vectorOf(this.spec.channels, 'position')
  }

  #proprioForce(): number | null {
    const axes = vectorOf(this.spec.channels, 'force')
    const proprio = this.#observation?.proprio
    return axes && proprio ? Math.hypot(...axes.map((i) => proprio[i]!)) : null
  }
}

const clearing = (faults: FaultFile | undefined) =>
  faults
    ? `Look at the robot, then clear the fault at the console or with \`duet robot clear ${faults.robot}\``
    : 'Look at the robot, then clear the fault'
