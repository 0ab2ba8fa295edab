/** @file MuJoCo's WASM module behind typed views: compile, step, read, save and restore. Knows nothing of tasks. */
import loadMujoco, { type DoubleBuffer, type MainModule, type MjData, type MjModel } from '@mujoco/mujoco'
import { TIMESTEP } from './layout.ts'
import { NAMES, workcellXml } from './mjcf.ts'
import type { CellModel } from './options.ts'
import { fromMatrix } from './spatial.ts'
import type { Pose, Quat, Vec3 } from './truth.ts'

let loading: Promise<MainModule> | undefined

/** Physics diverged: MuJoCo reset its data within a step. */
export class UnstableError extends Error {
  override name = 'UnstableError'
  constructor(time: number) {
    super(`workcell physics diverged after t = ${time.toFixed(3)} s; restore an earlier snapshot or reset the task`)
  }
}

/** Live windows into WASM memory. Any growth of that memory detaches all of them at once. */
type Views = Record<
  | 'qpos'
  | 'qvel'
  | 'ctrl'
  | 'bias'
  | 'gravityCompensation'
  | 'sensors'
  | 'sitePosition'
  | 'siteRotation'
  | 'geomPosition'
  | 'geomRotation'
  | 'bodyPosition'
  | 'bodyQuaternion'
  | 'mocapPosition'
  | 'mocapQuaternion'
  | 'jointMotion'
  | 'centreOfMass',
  Float64Array
>

export type Rail = { stand: number; qpos: number; qvel: number } // body id of the stand, indices of the joint under it
export type FreeBody = { body: number; qpos: number; qvel: number } // body id and first indices of its free joint

export class World {
  /** Loads the module once per process and compiles the model of the workcell. */
  static async create(model: CellModel): Promise<World> {
    loading ??= loadMujoco()
    return new World(await loading, model)
  }

  /** Another world, of the model given, in the same memory. */
  sibling(model: CellModel): World {
    return new World(this.mj, model)
  }

  readonly armDofs: number
  readonly nv: number
  readonly bolts: FreeBody[]
  readonly toys: FreeBody[]
  readonly fixtures: string[] // names
  readonly rail: Rail | undefined // where the stand can slide
  private readonly mocapOf: Record<string, number> = {} // fixture (or panel) name -> mocap index; a stand on a rail moves with it
  readonly fingers: number[] // qpos indices
  readonly gripperControl: number // ctrl index
  readonly jointRange: Float64Array // [armDofs, 2] rad or m
  private readonly m: MjModel
  private readonly d: MjData
  private readonly stateBuffer: DoubleBuffer
  /** Of the tool centre point, each [3, nv]: what `computeJacobian` found last. */
  readonly jacobianTranslation: Float64Array
  readonly jacobianRotation: Float64Array
  private readonly toolDofs: number[] // of the joints that move the tool
  private readonly toolRoot: number // the body that carries all of them
  private readonly stateKind: number
  private readonly tcpSite: number
  private readonly handBody: number
  private readonly sensorAddress = new Map<string, number>()
  private live: Views

  private constructor(
    private readonly mj: MainModule,
    model: CellModel,
  ) {
    this.m = mj.MjModel.from_xml_string(workcellXml(model))
    this.d = new mj.MjData(this.m)
    this.nv = this.m.nv
    this.armDofs = model.arm === 'panda' ? 7 : 6
    this.stateKind = mj.mjtState.mjSTATE_INTEGRATION.value
    this.stateBuffer = new mj.DoubleBuffer(mj.mj_stateSize(this.m, this.stateKind))
    this.jacobianTranslation = new Float64Array(3 * this.nv)
    this.jacobianRotation = new Float64Array(3 * this.nv)
    const { mjOBJ_BODY, mjOBJ_JOINT, mjOBJ_SITE, mjOBJ_SENSOR } = mj.mjtObj
    const id = (kind: { value: number }, name: string) => {
      const found = mj.mj_name2id(this.m, kind.value, name)
      if (found < 0) throw new Error(`workcell model has no ${name}; NAMES and the XML of mjcf.ts disagree`)
      return found
    }
    this.tcpSite = id(mjOBJ_SITE, NAMES.tcp)
    this.handBody = id(mjOBJ_BODY, NAMES.hand)
    const carrier = this.m.site_bodyid[this.tcpSite]
    this.toolDofs = this.dofsOf(carrier)
    this.toolRoot = this.m.body_rootid[carrier]
    const free = (name: string): FreeBody => {
      const joint = id(mjOBJ_JOINT, name)
      return { body: id(mjOBJ_BODY, name), qpos: this.m.jnt_qposadr[joint], qvel: this.m.jnt_dofadr[joint] }
    }
    const indices = Array.from({ length: model.bolts }, (_, k) => k)
    this.bolts = indices.map((k) => free(NAMES.bolt(k)))
    this.toys = model.toys.map((_, i) => free(NAMES.toy(i)))
    this.fingers = NAMES.fingers.map((name) => this.m.jnt_qposadr[id(mjOBJ_JOINT, name)])
    this.gripperControl = this.armDofs
    this.jointRange = Float64Array.from(this.m.jnt_range.subarray(0, 2 * this.armDofs))
    if (model.rail) {
      const joint = id(mjOBJ_JOINT, NAMES.rail)
      const stand = id(mjOBJ_BODY, NAMES.stand)
      this.rail = { stand, qpos: this.m.jnt_qposadr[joint], qvel: this.m.jnt_dofadr[joint] }
    }
    this.fixtures = [...indices.map(NAMES.cradle), NAMES.stand, ...indices.map(NAMES.slot)]
    for (const name of this.fixtures) {
      const carrier = name === NAMES.stand && this.rail ? NAMES.rail : name
      this.mocapOf[name] = this.m.body_mocapid[id(mjOBJ_BODY, carrier)]
    }
    if (model.frontHidden > 0) this.mocapOf[NAMES.panel] = this.m.body_mocapid[id(mjOBJ_BODY, NAMES.panel)]
    for (const name of [
      ...this.fixtures.map(NAMES.load),
      NAMES.load(NAMES.table),
      NAMES.wrist,
      ...indices.map(NAMES.touch),
    ])
      this.sensorAddress.set(name, this.m.sensor_adr[id(mjOBJ_SENSOR, name)])
    this.live = this.fetchViews()
  }

  private fetchViews(): Views {
    const { d } = this
    return {
      qpos: d.qpos,
      qvel: d.qvel,
      ctrl: d.ctrl,
      bias: d.qfrc_bias,
      gravityCompensation: d.qfrc_gravcomp,
      sensors: d.sensordata,
      sitePosition: d.site_xpos,
      siteRotation: d.site_xmat,
      geomPosition: d.geom_xpos,
      geomRotation: d.geom_xmat,
      bodyPosition: d.xpos,
      bodyQuaternion: d.xquat,
      mocapPosition: d.mocap_pos,
      mocapQuaternion: d.mocap_quat,
      jointMotion: d.cdof,
      centreOfMass: d.subtree_com,
    }
  }

  /** Degrees of freedom that move a body. */
  private dofsOf(body: number): number[] {
    if (body === 0) return [] // the world
    const { body_dofadr, body_dofnum, body_parentid } = this.m
    const own = Array.from({ length: body_dofnum[body] }, (_, i) => body_dofadr[body] + i)
    return [...this.dofsOf(body_parentid[body]), ...own]
  }

  /** The live views, fetched again when WASM memory has grown (a detached view has length 0 and reads undefined). */
  get views(): Views {
    if (this.live.qpos.byteLength === 0) this.live = this.fetchViews()
    return this.live
  }

  get time(): number {
    return this.d.time
  }

  /** Bytes of WASM memory that hold all worlds of this process. */
  get memoryBytes(): number {
    return this.views.qpos.buffer.byteLength
  }

  /** Back to the model's initial state, time 0. */
  clear(): void {
    this.mj.mj_resetData(this.m, this.d)
  }

  /**
   * `count` physics steps of 2 ms. `control` writes ctrl before each, when positions and bias forces are those of this
   * step; `after` reads what the step produced (sensors).
   * @throws UnstableError when MuJoCo gave up on the state; the state is then its initial one
   */
  advance(count: number, control: (i: number) => void, after?: () => void): void {
    const { mj, m, d } = this
    const start = d.time
    for (let i = 0; i < count; i++) {
      mj.mj_step1(m, d)
      control(i)
      mj.mj_step2(m, d)
      after?.()
    }
    // an unstable step does not throw: MuJoCo resets the data and the clock restarts
    if (!(d.time > start + (count - 0.5) * TIMESTEP)) throw new UnstableError(start)
    this.refresh()
  }

  /** Brings poses and the Jacobian's inputs in line with qpos. Contacts and sensors keep the values of the last step. */
  refresh(): void {
    this.mj.mj_kinematics(this.m, this.d)
    this.mj.mj_comPos(this.m, this.d)
  }

  /**
   * Jacobian of the tool centre point into jacobianTranslation and jacobianRotation: what mj_jacSite gives, to the bit, for
   * a fraction of the time that it takes to get arrays across. A joint's motion [rotation, translation] is that of a point
   * in the centre of mass.
   */
  computeJacobian(): void {
    const { nv, jacobianTranslation: jp, jacobianRotation: jr } = this
    const { sitePosition, centreOfMass, jointMotion } = this.views
    const [site, centre] = [3 * this.tcpSite, 3 * this.toolRoot]
    const x = sitePosition[site]! - centreOfMass[centre]!
    const y = sitePosition[site + 1]! - centreOfMass[centre + 1]!
    const z = sitePosition[site + 2]! - centreOfMass[centre + 2]!
    for (const j of this.toolDofs) {
      const [rx, ry, rz] = [jointMotion[6 * j]!, jointMotion[6 * j + 1]!, jointMotion[6 * j + 2]!]
      jr[j] = rx
      jr[nv + j] = ry
      jr[2 * nv + j] = rz
      jp[j] = jointMotion[6 * j + 3]! + (ry * z - rz * y)
      jp[nv + j] = jointMotion[6 * j + 4]! + (rz * x - rx * z)
      jp[2 * nv + j] = jointMotion[6 * j + 5]! + (rx * y - ry * x)
    }
  }

  tcp(): Pose {
    const { sitePosition, siteRotation } = this.views
    const s = this.tcpSite
    return {
      position: [sitePosition[3 * s]!, sitePosition[3 * s + 1]!, sitePosition[3 * s + 2]!],
      rotation: fromMatrix(siteRotation, 9 * s),
    }
  }

  /** Linear (m/s) and angular (rad/s) velocity of the tool centre point, world frame. */
  tcpVelocity(): { velocity: Vec3; angularVelocity: Vec3 } {
    this.computeJacobian()
    const { jacobianTranslation, jacobianRotation } = this
    const { qvel } = this.views
    const row = (jacobian: Float64Array, r: number) => {
      let sum = 0
      for (let j = 0; j < this.armDofs; j++) sum += jacobian[r * this.nv + j]! * qvel[j]!
      return sum
    }
    return {
      velocity: [row(jacobianTranslation, 0), row(jacobianTranslation, 1), row(jacobianTranslation, 2)],
      angularVelocity: [row(jacobianRotation, 0), row(jacobianRotation, 1), row(jacobianRotation, 2)],
    }
  }

  /** Pose of the hand frame, to which the wrist camera is fixed. */
  hand(): Pose {
    return this.bodyPose(this.handBody)
  }

  bodyPose(body: number): Pose {
    const { bodyPosition: p, bodyQuaternion: q } = this.views
    return {
      position: [p[3 * body]!, p[3 * body + 1]!, p[3 * body + 2]!],
      rotation: [q[4 * body]!, q[4 * body + 1]!, q[4 * body + 2]!, q[4 * body + 3]!],
    }
  }

  placeFree(body: FreeBody, pose: Pose): void {
    const { qpos, qvel } = this.views
    qpos.set(pose.position, body.qpos)
    qpos.set(pose.rotation, body.qpos + 3)
    qvel.fill(0, body.qvel, body.qvel + 6)
  }

  fixturePose(name: string): Pose {
    if (name === NAMES.stand && this.rail) return this.bodyPose(this.rail.stand)
    const { mocapPosition: p, mocapQuaternion: q } = this.views
    const i = this.mocapOf[name]!
    const rotation: Quat = [q[4 * i]!, q[4 * i + 1]!, q[4 * i + 2]!, q[4 * i + 3]!]
    return { position: [p[3 * i]!, p[3 * i + 1]!, p[3 * i + 2]!], rotation }
  }

  /** A stand on a rail is placed with it: the pose is that at travel 0. */
  placeFixture(name: string, pose: Pose): void {
    const { mocapPosition, mocapQuaternion } = this.views
    mocapPosition.set(pose.position, 3 * this.mocapOf[name]!)
    mocapQuaternion.set(pose.rotation, 4 * this.mocapOf[name]!)
  }

  /** First index of a named sensor in views.sensors. */
  sensor(name: string): number {
    return this.sensorAddress.get(name)!
  }

  /** All drawn and undrawn geoms in order: MuJoCo type number, half sizes [3], rgba [4], body id and body name. */
  geoms(): { type: number; size: number[]; rgba: number[]; body: string }[] {
    const { m, mj } = this
    return Array.from({ length: m.ngeom }, (_, g) => ({
      type: m.geom_type[g],
      size: Array.from(m.geom_size.subarray(3 * g, 3 * g + 3)),
      rgba: Array.from(m.geom_rgba.subarray(4 * g, 4 * g + 4)),
      body: mj.mj_id2name(m, mj.mjtObj.mjOBJ_BODY.value, m.geom_bodyid[g]),
    }))
  }

  /** Everything the next step depends on: time, positions, velocities, warm start, controls, mocap poses. */
  save(): Float64Array {
    this.mj.mj_getState(this.m, this.d, this.stateBuffer, this.stateKind)
    return Float64Array.from(this.stateBuffer.GetView())
  }

  restore(state: Float64Array): void {
    this.mj.mj_setState(this.m, this.d, state as unknown as number[], this.stateKind)
    this.refresh()
  }

  /** Frees the WASM memory of this world. */
  free(): void {
    for (const part of [this.stateBuffer, this.d, this.m]) part.delete()
  }
}
