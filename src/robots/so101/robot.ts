/**
 * @file An SO-101 as a robot: actions move a pose of its tool, the joints follow as far as five of them can, and what was really asked
 * of them is told as the executed action. Goals are sent several times a step, each time the servos are read and watched.
 */

import { InputError } from '../../errors.ts'
import type { RobotClock } from '../../robot/clock.ts'
import { RobotFault } from '../../robot/fault.ts'
import { type AskedGrip, GRIPPER_ENTRY, gripAfter } from '../../robot/gripper.ts'
import { expectTask } from '../../robot/real-config.ts'
import {
  ACTION_WIDTH,
  type Action,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
} from '../../robot/robot.ts'
import { moved, type Pose, rotationBetween } from '../../robot/rotation.ts'
import type { Arm, JointReading } from './arm.ts'
import { posture } from './chain.ts'
import type { So101Config } from './config.ts'
import type { Connect } from './connect.ts'
import { BusError } from './feetech/bus.ts'
import { asBusTrouble } from './handshake.ts'
import { ARM_JOINTS, GRIPPER_JOINT, JOINTS, type JointVector, toRadians } from './joints.ts'
import { solve, twistBetween } from './kinematics.ts'
import { specOfArm, startAngles } from './spec.ts'
import { JointWatch } from './watch.ts'
import { legsTo } from './way.ts'

const SENDS = 5 // goals a step
const GRIPPER_TIME = 0.6 // s for its whole way
const ARRIVED = 0.05 // rad from the goal, where a way counts as gone; gravity keeps a loaded arm a little below
const SETTLING = 2 // s that a joint may take beyond the time of its way
const OPEN = 1
const CLOSED = 0

type Parts = {
  connect: Connect // again after it was unplugged
  clock: RobotClock
  /** What the cameras see, with the joints at `angles`, during a task. */
  pictures: (angles: JointVector, task: string) => Pick<Observation, 'images' | 'taken'>
}

export class So101 implements Robot {
  readonly spec: RobotSpec
  private arm: Arm
  private readonly connect: Connect
  private readonly clock: RobotClock
  private readonly pictures: Parts['pictures']
  private readonly watch: JointWatch
  private readonly servos: So101Config['servos']
  private goals: number[] = [] // [6] where the joints were sent last
  private readings: JointReading[] = []
  private grip: AskedGrip = -1
  private limp = false // without torque
  private gripStays = false // told to stop: it goes on when it is asked for something again
  private task = ''
  private due = 0 // s, when the step that runs ends
  private stops = 0 // stops so far: what runs ends early when one comes

  /** Drives the arm where it stands: nothing moves. @throws InputError saying what is wrong with it */
  static async open(config: So101Config, parts: Parts): Promise<So101> {
    const robot = new So101(config, parts, await parts.connect())
    try {
      await robot.take()
      return robot
    } catch (error) {
      await robot.close()
      const { cause } = error as Error
      throw asBusTrouble(config.port, cause instanceof BusError ? cause : error)
    }
  }

  private constructor(
    private readonly config: So101Config,
    { connect, clock, pictures }: Parts,
    arm: Arm,
  ) {
    this.spec = specOfArm(config)
    this.arm = arm
    this.connect = connect
    this.clock = clock
    this.pictures = pictures
    this.servos = config.servos
    this.watch = new JointWatch({ stall: config.stall, temperature: config.servos.temperature })
  }

  /** Goes to the start pose, from wherever the arm stands, and opens the gripper. */
  async reset(task: string): Promise<Observation> {
    expectTask(this.spec, task)
    this.task = task
    await this.goTo([...startAngles(this.config), OPEN])
    this.grip = -1
    return this.observation()
  }

  async observe(): Promise<Observation> {
    await this.read()
    return this.observation()
  }

  /** @throws InputError for an action that is not 7 finite numbers */
  async step(action: Action): Promise<Outcome> {
    if (action.length !== ACTION_WIDTH || !action.every(Number.isFinite))
      throw new InputError(`${this.spec.name}.action`, `is [${[...action]}]`, `Give ${ACTION_WIDTH} finite numbers`)
    const period = 1 / this.spec.rate
    const now = this.clock.now()
    const late = now - this.due // of a call that comes a little late the step is shorter: the rate stays
    this.due = now + (late >= 0 && late < period / 2 ? period - late : period)
    const entry = action[GRIPPER_ENTRY]!
    this.grip = gripAfter(entry, this.grip)
    if (gripAfter(entry, 0) !== 0) this.gripStays = false
    const from = [...this.goals]
    const before = posture(from).tool
    const to = [...this.follow(action, from, before), this.gripGoal(period)]
    await this.travel(from, to, this.due - now, SENDS)
    const executed = this.executed(before, posture(this.goals).tool)
    const observation = this.observation()
    const reward = this.isDone() ? 1 : 0
    return { observation, reward, terminated: reward > 0, executed }
  }

  /**
   * The joints stay where they are, under torque; a gripper that holds something goes on holding it. Whoever steps the arm meanwhile
   * begins from there, not from where it was sent before.
   */
  async stop(): Promise<void> {
    this.stops++
    this.due = 0
    this.gripStays = true
    if (this.readings.length === 0 || this.limp) return
    this.goals = this.standing()
    await this.guarded(async () => {
      await this.arm.sendNow(this.goals)
      await this.readNow()
      this.goals = this.standing()
      await this.arm.send(this.goals)
    })
  }

  /** After a fault: finds the arm again if it was unplugged, drives it anew if its power was off, and stays where it is. */
  async recover(): Promise<void> {
    this.watch.forget()
    this.readings = [] // it may have fallen: a stop that comes meanwhile must not send it to where it was
    if (!this.arm.open) this.arm = await this.connect()
    if ((await this.arm.driven()).every(Boolean)) await this.read()
    else await this.take()
    await this.stop()
  }

  async park(): Promise<void> {
    await this.goTo([...this.config.park.map(toRadians), this.goals[GRIPPER_JOINT]!])
  }

  /** Its torque goes: it falls, unless it lies. A stop sends it nowhere from then on: a goal may be what drives a servo again. */
  async relax(): Promise<void> {
    await this.guarded(() => this.arm.relax())
    this.limp = true
  }

  /** Lets go of the port; the servos hold where they were sent last. */
  close(): Promise<void> {
    return this.arm.close()
  }

  /** How each servo is, as it was read last. */
  get state(): readonly JointReading[] {
    return this.readings
  }

  private async take(): Promise<void> {
    const { torque, gripperTorque, acceleration } = this.servos
    await this.arm.drive({ torque, gripperTorque, acceleration })
    this.limp = false
    await this.read()
    this.goals = this.positions
  }

  /** [5] Where an action sends the joints: as far as they can, no faster than they may, not far ahead of where they are. */
  private follow(action: Action, from: JointVector, before: Pose): number[] {
    const { translation, rotation } = this.config.actionScale
    const twist = action.subarray(0, 6).map((value, i) => value * (i < 3 ? translation : rotation))
    if (twist.every((value) => value === 0)) return from.slice(0, ARM_JOINTS)
    const { angles } = solve(moved(before, twist), from, this.arm.ranges)
    const { jointSpeed, lead } = this.servos
    const fastest = Math.max(...angles.map((angle, j) => Math.abs(angle - from[j]!))) * this.spec.rate
    const share = Math.min(1, jointSpeed / fastest)
    const slowed = angles.map((angle, j) => from[j]! + share * (angle - from[j]!))
    const ahead = slowed.some((angle, j) => {
      const is = this.readings[j]!.position
      return Math.abs(angle - is) > lead && Math.abs(angle - is) > Math.abs(from[j]! - is)
    })
    return ahead ? from.slice(0, ARM_JOINTS) : slowed
  }

  private gripGoal(seconds: number): number {
    const wanted = this.grip === 1 ? CLOSED : OPEN
    const most = seconds / GRIPPER_TIME
    const from = this.goals[GRIPPER_JOINT]!
    if (this.gripStays) return from
    return from + Math.max(-most, Math.min(most, wanted - from))
  }

  /** [6] With the gripper, closing, never far beyond where it is: what it holds it holds with that much force. */
  private held(goals: number[]): number[] {
    const { position } = this.readings[GRIPPER_JOINT]!
    if (this.grip === 1) goals[GRIPPER_JOINT] = Math.max(goals[GRIPPER_JOINT]!, position - this.servos.squeeze)
    return goals
  }

  /** What the joints were sent to do, as an action: rotations that five joints cannot do are not in it. */
  private executed(before: Pose, after: Pose): Action {
    const { translation, rotation } = this.config.actionScale
    const executed = Float32Array.from([...twistBetween(before, after), this.grip])
    for (let i = 0; i < 6; i++) executed[i] = Math.max(-1, Math.min(1, executed[i]! / (i < 3 ? translation : rotation)))
    return executed
  }

  /** A slow way, watched as every motion is. @throws RobotFault if the arm does not arrive */
  private async goTo(goals: JointVector): Promise<void> {
    await this.read()
    const from = this.positions
    const { jointSpeed } = this.servos
    const { workBox, speed } = this.config.safety
    const { stops } = this
    const period = 1 / this.spec.rate
    const legs = legsTo(this.spec.name, from, goals, workBox, this.arm.ranges)
    this.watch.forget()
    let at: JointVector = from
    for (const { to, length } of legs) {
      const turn = Math.max(...to.slice(0, ARM_JOINTS).map((goal, j) => Math.abs(goal - at[j]!)))
      const grip = Math.abs(to[GRIPPER_JOINT]! - at[GRIPPER_JOINT]!)
      const seconds = Math.max(turn / (jointSpeed / 2), length / speed, grip * GRIPPER_TIME)
      await this.travel(at, to, seconds, Math.max(1, Math.ceil((seconds / period) * SENDS)))
      if (stops !== this.stops) break
      at = to
    }
    for (let waited = 0; stops === this.stops && !this.hasArrived(); waited += period) {
      if (waited > SETTLING) throw new RobotFault('robot', this.whoIsAway())
      await this.clock.sleep(period)
      await this.look()
    }
    if (stops !== this.stops) throw new InputError(this.spec.name, 'was stopped on its way', 'Reset it again')
    this.due = 0
  }

  /** Still, near its goal. */
  private hasArrived(): boolean {
    return this.readings.every(({ position, speed }, j) => {
      if (Math.abs(speed) > 1e-3) return false
      return j === GRIPPER_JOINT || Math.abs(position - this.goals[j]!) < ARRIVED
    })
  }

  private whoIsAway(): string {
    const late = JOINTS.filter((_, j) => Math.abs(this.readings[j]!.position - this.goals[j]!) >= ARRIVED)
    return `${late.join(', ') || 'the arm'} did not arrive: something is in its way, or the torque is too low`
  }

  /** From one posture to another in so many sends; ends early where the arm is stopped. */
  private async travel(from: JointVector, to: JointVector, seconds: number, sends: number): Promise<void> {
    const { stops } = this
    const began = this.clock.now()
    for (let k = 1; k <= sends; k++) {
      const goals = this.held(from.map((value, j) => value + ((to[j]! - value) * k) / sends))
      await this.guarded(() => this.arm.send(goals))
      if (stops !== this.stops) return
      this.goals = goals
      await this.clock.sleep(began + (seconds * k) / sends - this.clock.now())
      if (stops !== this.stops) return
      await this.look()
    }
  }

  private async look(): Promise<void> {
    await this.read()
    this.watch.look(this.readings, this.goals, this.clock.now())
    const away = tipsApart(this.goals, this.positions)
    const { jump } = this.config.safety
    if (away > jump)
      throw new RobotFault(
        'robot',
        `the tool is ${(1000 * away).toFixed(0)} mm from where it was sent, the limit is ${1000 * jump} mm`,
      )
  }

  private get positions(): number[] {
    return this.readings.map(({ position }) => position)
  }

  private read(): Promise<void> {
    return this.guarded(() => this.readNow())
  }

  private async readNow(): Promise<void> {
    this.readings = await this.arm.read()
  }

  /** [6] Where the joints are; of a gripper that stands still, where it was sent: letting go is no stop. */
  private standing(): number[] {
    return this.readings.map(({ position, speed }, j) =>
      j === GRIPPER_JOINT && Math.abs(speed) < 0.05 && this.goals.length > 0 ? this.goals[j]! : position,
    )
  }

  /** @throws RobotFault where the bus fails: the servos keep their last goal then, and nobody can tell them another */
  private async guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof BusError)) throw error
      const silent = JOINTS.filter((joint) => error.silent.includes(this.arm.calibration[joint].id))
      const who = silent.length > 0 ? `${silent.join(', ')} did not answer` : error.message
      throw new RobotFault('no answer', `${who}: the arm holds where it was sent last`, { cause: error })
    }
  }

  private observation(): Observation {
    const { tool } = posture(this.positions)
    const proprio = Float32Array.from([
      ...tool.position,
      ...rotationBetween(this.spec.home!, tool.rotation),
      ...this.readings.slice(0, ARM_JOINTS).map(({ position }) => position),
      this.readings[GRIPPER_JOINT]!.position,
      this.grip,
      this.readings[GRIPPER_JOINT]!.load,
    ])
    return { ...this.pictures(this.positions, this.task), proprio, time: this.clock.now() }
  }

  private isDone(): boolean {
    const place = this.config.places[this.task]
    if (!place) return false
    const { position } = posture(this.positions).tool
    return Math.hypot(...position.map((value, i) => value - place.position[i]!)) < place.within
  }
}

/** m between the tool in two postures. */
const tipsApart = (a: JointVector, b: JointVector): number => {
  const [at, to] = [posture(a).tool.position, posture(b).tool.position]
  return Math.hypot(...at.map((value, i) => value - to[i]!))
}
