/**
 * @file The workcell on a clock of its own, as the arm of a SERL server: physics in real time, the tool drawn towards an
 * equilibrium pose by a spring, whether or not anybody asks for anything.
 */
import { cameraClock, type Frame } from '../../../robot/cameras/camera.ts'
import { CAMERA_FAULTS, FaultyCamera } from '../../../robot/cameras/faults.ts'
import type { Tested } from '../../../robot/test-channel.ts'
import { GRIPPER_OPEN_WIDTH, SUBSTEPS, TIMESTEP } from '../layout.ts'
import { DEFAULT_OPTIONS, type Gains, type WorkcellOptions } from '../options.ts'
import { conjugate } from '../spatial.ts'
import type { GripperCommand } from '../target.ts'
import type { Pose, Truth, Vec3 } from '../truth.ts'
import { add, rotate, scale } from '../vector.ts'
import { type Snapshot, Workcell } from '../workcell.ts'
import { UnstableError } from '../world.ts'
import { Compliance } from './compliance.ts'
import { RenderingThread } from './rendering-thread.ts'

const TICK = 4 // ms between two looks at the clock
const MOST_BEHIND = 0.02 // s: on a busy machine time is left out, and requests do not wait for physics to catch up
const FORCE_MEMORY = 0.9 // share of the force that stays from one physics step to the next: about what a robot's filter does
const JOINTS = 7

export type PlantOptions = {
  task: string
  seed: number
  cell?: Partial<WorkcellOptions>
  /** Its cameras stand still from now on; one line. */
  onTrouble?: (line: string) => void
}

/** What a SERL server tells of an arm; position m, rotations rad, force N. */
export type PlantState = {
  tool: Pose
  velocity: Vec3
  angularVelocity: Vec3
  force: Vec3 // on the hand, in its own frame
  q: number[] // [7]
  dq: number[] // [7]
  jacobian: number[][] // [6][7], base frame
  opening: number // of the gripper, 1 open
}

/** The true outcome since the last reset, for whoever tests. */
export type PlantTruth = { reward: number; terminated: boolean; seconds: number; episode: number; truth: Truth }

const FAULTY = 'wrist' // the camera of which tests make a bad one

export class Plant implements Tested {
  static async create({ cell, ...options }: PlantOptions): Promise<Plant> {
    const gains: Gains = { ...DEFAULT_OPTIONS.gains }
    return new Plant(await Workcell.create({ ...cell, gains }), gains, options)
  }

  readonly compliance = new Compliance()
  private equilibrium: Pose
  private gripper: GripperCommand
  private controlled = true // the impedance controller runs
  private reflex = false // the arm has stopped by itself, and says so to nobody
  private brakedAt: Pose | null = null // where it stands, without a controller or after a reflex
  private episode = 0
  private force: Vec3 = [0, 0, 0] // base frame
  private steps = 0 // physics steps since the reset
  private outcome = { reward: 0, terminated: false }
  private good: Snapshot
  private clock: ReturnType<typeof setTimeout> | null = null
  private seen: Record<string, Frame> = {}
  private seenAt = Number.NEGATIVE_INFINITY // of the state that the newest pictures show
  private looking: Promise<void> | null = null
  /** From the first look on. */
  eyes: RenderingThread | null = null
  private isBlind = false
  private time = 0 // s of the clock up to which physics has run
  private readonly camera = new FaultyCamera()
  private forceIsLost = false
  /** For tests. */
  readonly faults: Readonly<Record<string, (on: boolean) => void>> = {
    ...Object.fromEntries(
      CAMERA_FAULTS.map((fault) => [fault, (on: boolean) => this.camera.put(on ? fault : null)] as const),
    ),
    nan: (on) => {
      this.forceIsLost = on
    },
    stalled: (on) => (on ? this.stopByItself() : this.clearError()),
  }

  private constructor(
    readonly cell: Workcell,
    private readonly gains: Gains, // those that the cell's controller reads
    private readonly options: Omit<PlantOptions, 'cell'>,
  ) {
    Object.assign(this.gains, this.compliance.gains)
    this.equilibrium = cell.truth().tcp
    this.gripper = 'open'
    this.good = cell.snapshot()
    this.reset()
  }

  /** A start state of the task, another one each time. The arm holds where it begins. */
  reset(): void {
    const { task, seed } = this.options
    this.lay({ task, seed: seed + this.episode })
  }

  lay({ task, seed }: { task: string; seed: number }): void {
    this.cell.lay(task, seed)
    this.episode++
    const { tcp, gripper } = this.cell.truth()
    this.equilibrium = tcp
    this.gripper = gripper.command
    this.good = this.cell.snapshot()
    this.force = [0, 0, 0]
    this.steps = 0
    this.outcome = { reward: 0, terminated: false }
    this.reflex = false
    this.controlled = true
    this.brakedAt = null
  }

  /** The clock begins, or goes on. */
  run(): void {
    if (this.clock) return
    this.time = performance.now() / 1000
    void this.pictures(0) // the thread that renders them takes a while to begin
    const tick = () => {
      this.clock = setTimeout(tick, TICK)
      this.catchUp()
    }
    tick()
  }

  /** The clock stands. */
  pause(): void {
    if (this.clock) clearTimeout(this.clock)
    this.clock = null
  }

  close(): void {
    this.pause()
    this.isBlind = true
    this.eyes?.close()
    this.cell.free()
  }

  /** Where the spring's other end is from now on; nobody waits for the tool to get there. */
  moveTo(pose: Pose): void {
    this.equilibrium = pose
  }

  grip(command: GripperCommand): void {
    this.gripper = command
  }

  /** @returns whether there were such parameters */
  comply(change: Record<string, unknown>): boolean {
    const known = this.compliance.update(change)
    Object.assign(this.gains, this.compliance.gains)
    return known
  }

  startController(): void {
    this.controlled = true
    this.release()
  }

  stopController(): void {
    this.controlled = false
    this.brake()
  }

  /** The arm stops where it is: too much force, a limit. Only `clearError` lets it go on. */
  stopByItself(): void {
    this.reflex = true
    this.brake()
  }

  clearError(): void {
    this.reflex = false
    this.release()
  }

  private brake(): void {
    this.brakedAt ??= this.cell.truth().tcp
  }

  /** The controller begins at the measured pose, as it does on an arm. */
  private release(): void {
    if (!this.brakedAt || this.reflex || !this.controlled) return
    this.brakedAt = null
    this.equilibrium = this.cell.truth().tcp
  }

  get state(): PlantState {
    const { world } = this.cell
    const { qpos, qvel } = world.views
    const { position, rotation } = world.tcp()
    const { velocity, angularVelocity } = world.tcpVelocity() // leaves the Jacobian behind
    const { jacobianTranslation: linear, jacobianRotation: angular } = world
    const { armDofs, nv } = world
    const padded = (read: (j: number) => number) =>
      Array.from({ length: JOINTS }, (_, j) => (j < armDofs ? read(j) : 0))
    const row = (jacobian: Float64Array, r: number) => padded((j) => jacobian[r * nv + j]!)
    return {
      tool: { position, rotation },
      velocity,
      angularVelocity,
      force: this.forceIsLost ? [Number.NaN, 0, 0] : rotate(conjugate(rotation), this.force),
      q: padded((j) => qpos[j]!),
      dq: padded((j) => qvel[j]!),
      jacobian: [0, 1, 2].map((r) => row(linear, r)).concat([0, 1, 2].map((r) => row(angular, r))),
      opening: this.cell.truth().gripper.width / GRIPPER_OPEN_WIDTH,
    }
  }

  /**
   * The newest picture of each camera, of the present state where that of the last is older than `age` s; the state is that of
   * its `received`. Nobody is overtaken: while one is made, whoever asks waits for that one.
   */
  async pictures(age: number): Promise<Record<string, Frame>> {
    const now = cameraClock()
    if (!this.looking && !this.isBlind && now - this.seenAt > age)
      this.looking = this.look(now).finally(() => {
        this.looking = null
      })
    await this.looking
    return this.seen
  }

  private async look(now: number): Promise<void> {
    const state = this.cell.sceneState()
    if (!state) return
    try {
      this.eyes ??= new RenderingThread()
      const images = await this.eyes.render(state, now)
      this.seenAt = now
      this.seen = Object.fromEntries(
        Object.entries(images).map(([name, image]) => {
          const frame = { image, received: now }
          return [name, name === FAULTY ? this.camera.show(frame) : frame]
        }),
      )
    } catch (error) {
      if (!this.isBlind) this.options.onTrouble?.((error as Error).message)
      this.isBlind = true
    }
  }

  truth(): PlantTruth {
    const { outcome, steps, episode, cell } = this
    return { ...outcome, seconds: steps * TIMESTEP, episode, truth: cell.truth() }
  }

  /** Runs physics up to now. */
  private catchUp(): void {
    const now = performance.now() / 1000
    this.time = Math.max(this.time, now - MOST_BEHIND)
    this.time += this.pass(now - this.time)
  }

  /** So much time passes at once, in whole physics steps; for whoever has the clock stand. @returns how much did, s */
  pass(seconds: number): number {
    const due = Math.floor(seconds / TIMESTEP + 1e-6)
    this.advance(due)
    return due * TIMESTEP
  }

  /** `count` physics steps, the task judged every 100 ms of them. */
  private advance(count: number): void {
    for (let left = count; left > 0; ) {
      const portion = Math.min(left, SUBSTEPS - (this.steps % SUBSTEPS))
      try {
        this.cell.drawFor(portion, this.gripper, (tool) =>
          this.compliance.pull(tool, this.brakedAt ?? this.equilibrium),
        )
      } catch (error) {
        if (!(error instanceof UnstableError)) throw error
        this.cell.restore(this.good)
        this.stopByItself()
        return
      }
      left -= portion
      this.steps += portion
      const weight = FORCE_MEMORY ** portion
      this.force = add(scale(this.force, weight), scale(this.cell.handForce, 1 - weight))
      if (this.steps % SUBSTEPS === 0) this.judge()
    }
  }

  private judge(): void {
    this.good = this.cell.snapshot()
    if (!this.outcome.terminated) this.outcome = this.cell.judge()
  }
}
