/**
 * @file What holds the robots of a run: a pause, a stop, a verdict that waits to count. The run asks before each reset and
 * each step; a pause keeps it waiting there, a stop latches in every robot's safety envelope at once, wherever the run is.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import { describeFault, type Fault } from '../../robot/fault.ts'
import { holdAction } from '../../robot/guard.ts'
import type { Verdict } from '../../robot/operator.ts'
import type { SafeRobot } from '../../robot/safety.ts'
import type { RobotEvent, RobotStatus } from '../protocol.ts'
import { ProprioReader } from './pose.ts'

const STILL = 0.01 // m/s: a robot that reads less stands still
const STILL_READINGS = 2 // in a row
const SETTLING_STEPS = 30 // that a stopped robot is given to come to rest

export type Waiting = { verdict: Verdict; by: string; cell: string; until: number }

/** What a person is to lay before a robot goes on. */
export type SceneToLay = { task: string; scene: string | null; start: string | null }

export type HoldOptions = {
  robots: ReadonlyMap<string, SafeRobot> // by cell
  undo: number // ms that a verdict waits
  now: () => number // ms, never going back
  onStatus: (event: RobotEvent) => void
  onVerdict: (waiting: Waiting | null) => void
  /** A robot waits for its scene, or no longer. */
  onScene: (cell: string, scene: SceneToLay, waits: boolean) => void
}

export class Hold {
  private pausedBy: string | null = null
  private waiting: Waiting | null = null
  private dismissed = false
  private readonly laying = new Map<string, SceneToLay>() // by cell: scenes that are waited for
  private readonly acting = new Set<string>() // cells in an episode: the run's loop has the robot
  private readonly onTheirWay = new Set<string>() // cells
  private readonly settling = new Map<string, Promise<void>>() // by cell, of the present stop
  private readonly readBack = new Map<string, number | null>() // m/s, of those that have come to rest since
  private event: RobotEvent = { kind: 'robot', status: 'idle', why: '', speed: null }
  private wake: () => void = () => {}
  private change = this.nextChange()

  constructor(private readonly options: HoldOptions) {}

  get paused(): boolean {
    return this.pausedBy !== null
  }

  get stopped(): boolean {
    return [...this.options.robots.values()].some(({ fault }) => fault !== null)
  }

  /** Whether something keeps the robots from going on, or will. */
  get held(): boolean {
    return this.paused || this.stopped || this.waiting !== null
  }

  /** Everybody was let go: the run is to end. */
  get letGo(): boolean {
    return this.dismissed
  }

  /** What was said of the robots last. */
  get state(): RobotEvent {
    return this.event
  }

  get verdict(): Waiting | null {
    return this.waiting
  }

  /** A stop outranks it, and is followed by a pause anyway. */
  pause(why: string): void {
    if (this.paused || this.stopped) return
    this.pausedBy = why
    this.say('pausing', why)
    this.changed()
    if (this.acting.size === 0) void this.standStill()
  }

  resume(): void {
    this.pausedBy = null
    if (!this.stopped) this.goOn()
    this.changed()
  }

  /** Latches before it returns; what follows is the robots coming to rest, and being read back. */
  stop(by: string): void {
    if (!this.stopped) {
      this.settling.clear()
      this.readBack.clear()
      this.say('stopping', by)
    }
    for (const [cell, robot] of this.options.robots) {
      robot.halt(by).catch(() => {}) // it has latched; what cannot be read back is said below
      if (!this.acting.has(cell)) void this.settle(cell)
    }
    this.verdictIsOver()
    this.changed()
  }

  /**
   * A person has looked. The run stays paused, so that this alone moves nothing.
   * @returns false where nothing is stopped, or the stopped robots have not been read back yet
   */
  clear(why: string): boolean {
    if (!this.stopped || this.readBack.size < this.options.robots.size) return false
    this.pausedBy = why
    for (const robot of this.options.robots.values()) if (robot.fault) robot.clearFault()
    this.say('pausing', why)
    void this.standStill()
    this.changed()
    return true
  }

  /** Whether an episode, or a demonstration, has the robot of a cell. */
  acts(cell: string): boolean {
    return this.acting.has(cell)
  }

  /** The robot of the cell holds, and the verdict counts when nobody takes it back in time. A second one replaces the first. */
  judge(verdict: Verdict, by: string, cell: string): void {
    this.waiting = { verdict, by, cell, until: this.options.now() + this.options.undo }
    this.options.onVerdict(this.waiting)
    this.changed()
  }

  /** @returns whether there was a verdict to take back */
  undo(): boolean {
    const undone = this.waiting !== null
    this.verdictIsOver()
    if (undone && !this.paused) this.goOn()
    this.changed()
    return undone
  }

  confirm(): void {
    if (this.waiting) this.waiting.until = this.options.now()
    this.changed()
  }

  /** Somebody has laid a scene. @returns whether one was waited for, and may be begun from */
  sceneIsReady(cell: string): boolean {
    if (this.stopped || !this.laying.delete(cell)) return false
    this.changed()
    return true
  }

  /** Lets everybody go who waits, for the run is to end: an episode that was held is given up. */
  dismiss(): void {
    this.dismissed = true
    this.changed()
  }

  /** Something else that the waiting ones should look at. */
  changed(): void {
    const { wake } = this
    this.change = this.nextChange()
    wake()
  }

  /** The robot of a cell goes to its start now: a pause lets it arrive, since a way that is stopped is no start. A stop does not. */
  goes(cell: string): void {
    this.onTheirWay.add(cell)
  }

  /** An episode begins, or is over: who has the robot? */
  begin(cell: string): void {
    this.onTheirWay.delete(cell)
    this.acting.add(cell)
    if (!this.held) this.goOn()
  }

  end(cell: string): void {
    this.acting.delete(cell)
    if (this.waiting?.cell === cell) this.verdictIsOver()
    if (this.stopped) void this.settle(cell)
  }

  /** Resolves when the robot of a cell may be reset, at once where nothing holds it. @throws InputError if it never may */
  ready(cell: string): Promise<void> | undefined {
    return this.paused || this.stopped ? this.waitToBegin(cell).then(() => {}) : undefined
  }

  /** The cells whose scenes are waited for, longest first. */
  get scenes(): string[] {
    return [...this.laying.keys()]
  }

  /**
   * Resolves when a person says that the scene of a cell is laid, it is no longer `wanted`, or the run is to end. Where several
   * robots wait, pages are told of one at a time: of another one when that is over. @throws InputError if it may never go on
   */
  async scene(cell: string, scene: SceneToLay, wanted: () => boolean = () => true): Promise<void> {
    this.onTheirWay.delete(cell)
    try {
      for (let asks = true; asks; ) {
        await this.laid(cell, scene, wanted)
        const stopped = (this.paused || this.stopped) && (await this.waitToBegin(cell))
        asks = stopped && !this.dismissed && wanted() // whoever freed the robot may have moved what lay there
      }
    } finally {
      this.laying.delete(cell)
      this.options.onScene(cell, scene, false)
      const next = [...this.laying].at(-1)
      if (next) this.options.onScene(...next, true)
    }
    if (!this.held) this.goOn()
  }

  private async laid(cell: string, scene: SceneToLay, wanted: () => boolean): Promise<void> {
    this.laying.set(cell, scene)
    this.options.onScene(cell, scene, true)
    while (this.laying.has(cell) && !this.dismissed && wanted()) {
      const { change } = this
      if (this.stopped) await this.settle(cell)
      else if (this.paused) await this.standStill()
      else this.say('waiting', `for the scene of "${scene.task}"`)
      await change
    }
  }

  /** Resolves when something has changed that those who wait should look at. */
  get next(): Promise<void> {
    return this.change
  }

  /** The ending of an episode that is held or judged, or undefined when it may go on. */
  between(cell: string): Promise<Verdict | undefined> | undefined {
    return this.paused || this.stopped || this.waiting?.cell === cell ? this.waitToGoOn(cell) : undefined
  }

  /** @returns whether a stop came meanwhile */
  private async waitToBegin(cell: string): Promise<boolean> {
    for (let stopped = false; ; ) {
      const { change } = this
      const { fault, spec } = this.options.robots.get(cell)!
      stopped ||= this.stopped
      if (this.stopped && this.dismissed)
        throw new InputError(
          spec.name,
          `${!fault || fault.kind === 'stopped' ? 'was stopped by a person' : `held after a fault, ${describeFault(fault)},`} when the run was told to end`,
          'Look at the robot; the run can be resumed, nothing logged is lost',
        )
      if (this.stopped) await this.settle(cell)
      else if (this.paused && !this.dismissed) await this.standStill()
      else return stopped
      await change
    }
  }

  private async waitToGoOn(cell: string): Promise<Verdict | undefined> {
    for (let first = true; ; first = false) {
      const { change, waiting } = this
      if (this.stopped) return 'abort'
      if (this.dismissed && this.paused) return 'abort'
      if (waiting?.cell === cell) {
        const left = waiting.until - this.options.now()
        if (left <= 0 || this.dismissed) {
          this.verdictIsOver()
          return waiting.verdict
        }
        if (first) await this.options.robots.get(cell)!.stop()
        this.say('holding', `${waiting.verdict}, says ${waiting.by}`)
        await Promise.race([change, sleep(left, undefined, { ref: false })])
      } else if (this.paused) {
        await this.standStill()
        await change
      } else return undefined
    }
  }

  /** Paused robots hold where they are, once they are at their starts. Said once all have been read back. */
  private async standStill(): Promise<void> {
    const { status } = this.event
    if (status !== 'pausing' && status !== 'holding') return
    try {
      const speeds: (number | null)[] = []
      for (const [cell, robot] of this.options.robots) {
        if (this.onTheirWay.has(cell)) continue
        await robot.stop()
        speeds.push(speedOf(robot, (await robot.observe()).proprio))
      }
      if (this.paused && !this.stopped && this.onTheirWay.size === 0)
        this.say('paused', this.pausedBy!, fastest(speeds))
    } catch (error) {
      this.say('pausing', `cannot be read back: ${(error as Error).message}`)
    }
  }

  /** Steps a latched robot, which can only hold, until it reads as standing still; once a stop, unless that fails. */
  private settle(cell: string): Promise<void> {
    const known = this.settling.get(cell)
    if (known) return known
    const settling = this.comeToRest(cell)
    this.settling.set(cell, settling)
    return settling
  }

  private async comeToRest(cell: string): Promise<void> {
    const robot = this.options.robots.get(cell)!
    const why = robot.fault ? whyOf(robot.fault) : 'another robot is stopped'
    try {
      let speed: number | null = null
      for (let steps = 0, still = 0; steps < SETTLING_STEPS && still < STILL_READINGS; steps++) {
        const { observation } = await robot.step(holdAction())
        speed = speedOf(robot, observation.proprio)
        still = speed === null || speed < STILL ? still + 1 : 0
      }
      this.readBack.set(cell, speed)
      if (!this.stopped || this.readBack.size < this.options.robots.size) return
      const most = fastest([...this.readBack.values()])
      if (most === null || most < STILL) return this.say('stopped', why, most)
      this.settling.clear() // who presses it again is answered anew
      this.say('stopping', `${why}; it still reads ${most.toFixed(3)} m/s`, most)
    } catch (error) {
      this.settling.delete(cell)
      this.say('stopping', `${why}; it cannot be read back: ${(error as Error).message}`)
    }
  }

  private goOn(): void {
    this.say(this.acting.size > 0 ? 'moving' : 'idle', '')
  }

  private verdictIsOver(): void {
    if (!this.waiting) return
    this.waiting = null
    this.options.onVerdict(null)
  }

  private say(status: RobotStatus, why: string, speed: number | null = null): void {
    const known = this.event
    if (known.status === status && known.why === why && known.speed === speed) return
    this.event = { kind: 'robot', status, why, speed }
    this.options.onStatus(this.event)
  }

  private nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve
    })
  }
}

/** A person's stop is told by who did it, any other fault by what it is. */
const whyOf = (fault: Fault) => (fault.kind === 'stopped' ? fault.what : describeFault(fault))

function speedOf({ spec }: SafeRobot, proprio: Float32Array): number | null {
  return new ProprioReader(spec).speed(proprio)
}

const fastest = (speeds: readonly (number | null)[]) =>
  speeds.reduce((most, speed) => (speed === null ? most : Math.max(most ?? 0, speed)), null as number | null)
