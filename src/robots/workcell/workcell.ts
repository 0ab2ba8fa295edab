/** @file The simulated workcell: an arm (or gantry), bolts, cradles, a stand (on a rail for `slide`) and slots behind the Robot interface. */
import { InputError } from '../../errors.ts'
import { RandomStream } from '../../random/stream.ts'
import {
  ACTION_WIDTH,
  type Action,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
} from '../../robot/robot.ts'
import { frontCamera, wristCamera } from './appearance.ts'
import {
  BOLT,
  CRADLE,
  type Fixtures,
  GRIPPER,
  GRIPPER_OPEN_WIDTH,
  HOME_ROTATION,
  RAIL,
  SLOT,
  STAND,
  SUBSTEPS,
} from './layout.ts'
import { NAMES } from './mjcf.ts'
import { DEFAULT_OPTIONS, type WorkcellOptions } from './options.ts'
import { fails, isHeld, STEPS_TO_SUCCEED } from './outcome.ts'
import { panelOf } from './panel.ts'
import { tellPlaces } from './places.ts'
import type { CameraPose } from './render/scene.ts'
import type { SceneState } from './render/scene-renderer.ts'
import { conjugate, multiply, rotationVector, toWorld } from './spatial.ts'
import { RATE, specOf } from './spec.ts'
import { Stage } from './stage.ts'
import { type Start, startOf } from './start.ts'
import { type GripperCommand, Target, type TargetState } from './target.ts'
import { TASK_NAMES, TASKS } from './tasks/index.ts'
import { scatterToys } from './toys.ts'
import type { BoltState, Fixture, Pose, Slide, Truth, Vec3 } from './truth.ts'
import { UnstableError, World } from './world.ts'

const SETTLING_STEPS = 100 // physics steps after a reset

/** What the sensors of the last step said; MuJoCo's state does not hold it. Replaced, never changed. */
type Touch = { contactForce: number; wristForce: [number, number, number]; boltTouchesHand: boolean[] }

/** Everything that the future of a workcell depends on. Fits any workcell with the same arm, bolts and toys. */
export type Snapshot = {
  physics: Float64Array
  target: TargetState
  touch: Touch
  task: string
  bolt: number
  streak: number // steps in a row for which the success conditions held
}

export type ResetOptions = { bolt?: number } // index of the active bolt; a reset draws it from its seed by default

export class Workcell implements Robot {
  static async create(options: Partial<WorkcellOptions> = {}): Promise<Workcell> {
    const all = { ...DEFAULT_OPTIONS, ...options }
    return new Workcell(all, await World.create(all))
  }

  readonly spec: RobotSpec
  /** Steps that ended because the physics diverged; the state before such a step is restored and the episode ended. */
  divergences = 0
  private readonly target = new Target()
  private readonly stages: { bolts: Stage; rail?: Stage } // the latter is made when it is first wanted
  private stage: Stage
  private task: string = 'place'
  private bolt = 0
  private streak = 0
  private steps = 0 // since construction, for the clock
  private touch: Touch

  private constructor(
    readonly options: WorkcellOptions,
    world: World,
  ) {
    this.spec = specOf(options)
    this.stages = { bolts: new Stage(options, world) }
    this.stage = this.stages.bolts
    this.touch = { contactForce: 0, wristForce: [0, 0, 0], boltTouchesHand: world.bolts.map(() => false) }
    this.resetSync('place')
  }

  /** The physics of the scene that the active task is set in. */
  get world(): World {
    return this.stage.world
  }

  async reset(task: string, seed = 0, options: ResetOptions = {}): Promise<Observation> {
    return this.resetSync(task, seed, options)
  }

  async observe(): Promise<Observation> {
    return this.observeSync()
  }

  async step(action: Action): Promise<Outcome> {
    return this.stepSync(action)
  }

  /** The target becomes the present pose, so the next step starts from rest. The gripper keeps its grip. */
  async stop(): Promise<void> {
    this.target.hold(this.world.tcp())
  }

  /**
   * A start state of the task, its randomisation fixed by `seed`.
   * @throws InputError for an unknown task or bolt
   */
  resetSync(task: string, seed = 0, options: ResetOptions = {}): Observation {
    this.lay(task, seed, options)
    return this.observeSync()
  }

  /** As `resetSync`, and nobody looks. */
  lay(task: string, seed: number, { bolt = this.drawBolt(seed) }: ResetOptions = {}): void {
    const name = this.knownTask(task)
    this.checkBolt(bolt)
    this.stage = this.stageOf(name)
    this.setScene(this.startOf(name, seed, bolt))
    this.activate(name, bolt)
  }

  /** The task's start, and on top, from streams of their own, what lies about and what stands in the way. */
  private startOf(task: string, seed: number, bolt: number): Start {
    const { toys, frontHidden } = this.options
    const start = startOf(TASKS[task]!, new RandomStream(seed, 'environment'), this.options, bolt)
    return {
      ...start,
      toys: scatterToys(new RandomStream(seed, 'toys'), toys, start.fixtures),
      hidden: new RandomStream(seed, 'panel').uniform() < frontHidden,
    }
  }

  /**
   * Another task (or bolt) becomes the active one and the scene stays as it is: the next link of a chain.
   * @throws InputError for an unknown task or bolt, or a task that is set in another scene
   */
  begin(task: string, { bolt = this.bolt }: ResetOptions = {}): Observation {
    const name = this.knownTask(task)
    this.checkBolt(bolt)
    if (this.stageOf(name) !== this.stage)
      throw new InputError(
        'workcell.task',
        `"${name}" cannot follow "${this.task}" without a reset`,
        'The two are set in different scenes: reset the cell',
      )
    this.activate(name, bolt)
    return this.observeSync()
  }

  /** Brings the cell to a state given in full and lets it settle for 0.2 s with the tool held. */
  setScene(start: Start): void {
    const { world, target, stage } = this
    world.clear()
    start.fixtures.cradles.forEach((fixture, k) => {
      world.placeFixture(NAMES.cradle(k), fixture)
    })
    world.placeFixture(NAMES.stand, start.fixtures.stand)
    start.fixtures.slots.forEach((fixture, k) => {
      world.placeFixture(NAMES.slot(k), fixture)
    })
    start.bolts.forEach((pose, k) => {
      world.placeFree(world.bolts[k]!, pose)
    })
    start.toys.forEach((pose, i) => {
      world.placeFree(world.toys[i]!, pose)
    })
    if (this.options.frontHidden > 0) {
      const { before, away } = panelOf(this.options.frontCamera)
      world.placeFixture(NAMES.panel, start.hidden ? before : away)
    }
    for (const finger of world.fingers) world.views.qpos[finger] = start.fingerOpening
    stage.drive.place(start.tcp)
    target.hold(start.tcp)
    target.gripper = start.gripper
    this.moveFor(SETTLING_STEPS)
  }

  observeSync(): Observation {
    const { world, target, touch } = this
    const { eyes } = this.stage
    const { position, rotation } = world.tcp()
    const { velocity, angularVelocity } = world.tcpVelocity()
    const proprio = Float32Array.from([
      ...position,
      ...rotationVector(multiply(rotation, conjugate(HOME_ROTATION))),
      ...velocity,
      ...angularVelocity,
      this.gripperWidth() / GRIPPER_OPEN_WIDTH,
      target.gripper === 'close' ? 1 : -1,
      ...touch.wristForce,
      ...(this.options.tellsPlaces ? tellPlaces(this.truth()) : []),
    ])
    const images: Observation['images'] = {}
    if (eyes) {
      eyes.scene.xpos = world.views.geomPosition
      eyes.scene.xmat = world.views.geomRotation
      for (const [name, pose] of Object.entries(this.cameras())) images[name] = eyes.renderer.render(pose)
    }
    return { images, proprio, time: this.steps / RATE }
  }

  /** What the cameras see, for whoever renders it elsewhere. Undefined where there are none. */
  sceneState(): SceneState | undefined {
    const { eyes } = this.stage
    if (!eyes) return undefined
    const { geomPosition, geomRotation } = this.world.views
    const scene = { ...eyes.scene, xpos: geomPosition.slice(), xmat: geomRotation.slice() }
    return { name: TASKS[this.task]!.scene, scene, cameras: this.cameras() }
  }

  private cameras(): Record<string, CameraPose> {
    return { front: frontCamera(this.options.frontCamera), wrist: wristCamera(this.world.hand()) }
  }

  /** @throws InputError for an action that is not 7 finite numbers; components beyond ±1 are clipped */
  stepSync(action: Action): Outcome {
    checkAction(action)
    const before = this.snapshot()
    this.steps++
    try {
      this.target.push(action, this.world.tcp())
      this.moveFor(SUBSTEPS)
    } catch (error) {
      if (!(error instanceof UnstableError)) throw error
      this.divergences++
      this.restore(before)
      return { observation: this.observeSync(), reward: 0, terminated: true }
    }
    const judged = this.judge()
    return { observation: this.observeSync(), ...judged }
  }

  /** How the task stands. To be asked once a step: success has to last for some. */
  judge(): Pick<Outcome, 'reward' | 'terminated'> {
    const truth = this.truth()
    this.streak = TASKS[this.task]!.succeeds(truth) ? this.streak + 1 : 0
    const succeeded = this.streak >= STEPS_TO_SUCCEED
    return { reward: succeeded ? 1 : 0, terminated: succeeded || fails(truth) }
  }

  /**
   * `count` physics steps under somebody else's controller, which says before each where the tool is drawn to from where
   * it is: no action, and no step of the clock.
   * @throws UnstableError
   */
  drawFor(count: number, gripper: GripperCommand, towards: (tool: Pose) => Pose): void {
    const { world, target } = this
    target.gripper = gripper
    this.moveFor(count, () => towards(world.tcp()))
    target.hold(world.tcp())
  }

  /** N, base frame: what presses on the hand, the mean over the last physics steps. */
  get handForce(): Vec3 {
    return [...this.touch.wristForce]
  }

  /** Privileged state, for experts, operators, probes and tests; never for a policy. */
  truth(): Truth {
    const { world, target, touch } = this
    const tcp = { ...world.tcp(), ...world.tcpVelocity() }
    const gripper = { width: this.gripperWidth(), command: target.gripper }
    const bolts = world.bolts.map(({ body, qvel: v }, k): BoltState => {
      const pose = world.bodyPose(body)
      const { qvel } = world.views
      return {
        ...pose,
        tip: toWorld(pose, [0, 0, -BOLT.tipBelowHead]),
        speed: Math.hypot(qvel[v]!, qvel[v + 1]!, qvel[v + 2]!),
        held: isHeld(pose, gripper, tcp),
        touchesHand: touch.boltTouchesHand[k]!,
      }
    })
    const { contactForce } = touch
    const slide = this.slide()
    return {
      task: this.task,
      ...(this.options.tip === 'flat' && { tip: 'flat' as const }),
      bolt: this.bolt,
      tcp,
      gripper,
      bolts,
      ...this.fixtures(),
      ...(slide && { slide }),
      contactForce,
    }
  }

  snapshot(): Snapshot {
    const { world, target, touch, task, bolt, streak } = this
    return { physics: world.save(), target: target.save(), touch, task, bolt, streak }
  }

  /** The state of a snapshot; the clock runs on. */
  restore({ physics, target, touch, task, bolt, streak }: Snapshot): void {
    this.stage = this.stageOf(task)
    this.world.restore(physics)
    this.target.restore(target)
    this.touch = touch
    this.activate(task, bolt)
    this.streak = streak
  }

  /** Frees the WASM memory; the workcell cannot be used afterwards. */
  free(): void {
    for (const stage of Object.values(this.stages)) stage.world.free()
  }

  private stageOf(task: string): Stage {
    if (TASKS[task]!.scene === 'bolts') return this.stages.bolts
    this.stages.rail ??= this.stages.bolts.withRail()
    return this.stages.rail
  }

  /** Any of the bolts, each as likely. */
  private drawBolt(seed: number): number {
    return new RandomStream(seed, 'bolt').integer(this.options.bolts)
  }

  private activate(task: string, bolt: number): void {
    this.task = task
    this.bolt = bolt
    this.streak = 0
    this.stage.mark(bolt)
  }

  /** Runs physics steps along the target's way and records what the sensors say of the last `SUBSTEPS` of them. */
  private moveFor(count: number, wayAt = (i: number): Pose => this.target.at((i + 1) / count)): void {
    const { world, target } = this
    const { drive, loads } = this.stage
    const wrist = world.sensor(NAMES.wrist)
    const wristSum: Touch['wristForce'] = [0, 0, 0]
    const recorded = Math.min(count, SUBSTEPS)
    let largest = 0
    let done = 0
    world.advance(
      count,
      (i) => {
        drive.drive(wayAt(i))
        world.views.ctrl[world.gripperControl] = target.gripper === 'close' ? -0.005 : GRIPPER.openingPerFinger
      },
      () => {
        if (++done <= count - recorded) return
        const { sensors } = world.views
        for (const a of loads) largest = Math.max(largest, Math.hypot(sensors[a]!, sensors[a + 1]!, sensors[a + 2]!))
        // the sensor gives the force of the hand on what it touches
        for (let i = 0; i < 3; i++) wristSum[i]! -= sensors[wrist + i]! / recorded
      },
    )
    const { sensors } = world.views
    this.touch = {
      contactForce: largest,
      wristForce: wristSum,
      boltTouchesHand: world.bolts.map((_, k) => sensors[world.sensor(NAMES.touch(k))]! > 0),
    }
  }

  private gripperWidth(): number {
    const { qpos } = this.world.views
    return qpos[this.world.fingers[0]!]! + qpos[this.world.fingers[1]!]!
  }

  private slide(): Slide | undefined {
    const { rail, views } = this.world
    return rail && { travel: views.qpos[rail.qpos]!, stroke: RAIL.stroke, speed: views.qvel[rail.qvel]! }
  }

  private fixtures(): Fixtures {
    const { world } = this
    const fixture = (name: string, { depth }: { depth: number }): Fixture => ({
      ...world.fixturePose(name),
      depth,
      clearance: this.options.clearance,
    })
    return {
      cradles: world.bolts.map((_, k) => fixture(NAMES.cradle(k), CRADLE)),
      stand: fixture(NAMES.stand, STAND),
      slots: world.bolts.map((_, k) => fixture(NAMES.slot(k), SLOT)),
    }
  }

  private knownTask(task: string): string {
    if (!Object.hasOwn(TASKS, task))
      throw new InputError('workcell.task', `there is no task "${task}"`, `Tasks are ${TASK_NAMES.join(', ')}.`)
    return task
  }

  private checkBolt(bolt: number): void {
    const { bolts } = this.options
    if (!Number.isInteger(bolt) || bolt < 0 || bolt >= bolts)
      throw new InputError('workcell.bolt', `there is no bolt ${bolt}`, `This cell has bolts 0 to ${bolts - 1}.`)
  }
}

function checkAction(action: Action): void {
  if (action.length !== ACTION_WIDTH)
    throw new InputError(
      'workcell.action',
      `has ${action.length} numbers instead of ${ACTION_WIDTH}`,
      'Give dx dy dz droll dpitch dyaw gripper.',
    )
  const bad = action.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new InputError('workcell.action', `entry ${bad} is ${action[bad]}`, 'Check the policy for NaN or infinities.')
}
