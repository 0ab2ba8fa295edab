/**
 * @file An arm behind a SERL server. Each step sends one equilibrium pose, the measured pose and what the action adds to it,
 * and reads the arm a period later, by deadline. What goes wrong is a fault: from then on nothing is sent but "hold where you
 * are", until a person has cleared it.
 */
import { InputError } from '../../errors.ts'
import type { Cameras } from '../../robot/cameras/open.ts'
import { type RobotClock, realClock } from '../../robot/clock.ts'
import { type Fault, RobotFault } from '../../robot/fault.ts'
import { type AskedGrip, GRIPPER_ENTRY, gripAfter } from '../../robot/gripper.ts'
import {
  ACTION_WIDTH,
  type Action,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
} from '../../robot/robot.ts'
import {
  distance,
  fromRotationVector,
  multiply,
  type Pose,
  rotationBetween,
  unit,
  type Vec3,
} from '../../robot/rotation.ts'
import type { SerlConfig } from './config.ts'
import { asFault, type ServerConnection } from './connection.ts'
import { isAtGoal } from './goal.ts'
import { poseOfSix, sevenOf } from './poses.ts'
import { serlStart } from './spec.ts'
import { type ArmState, readState } from './state.ts'
import { angleTo, type Stride, wayTo } from './way.ts'

const JOINT_RESET = 45 // s that a jointreset may take
const GRIPPER = { patience: 2, pause: 0.6 } // s: for an answer; between two commands, as the hand needs it
const READS = { open: 0.85, closed: 0.15 } // of the opening: what a gripper was asked for can be told from it beyond these
const ARRIVED = { metres: 0.01, radians: 0.1 } // from the start: springs, and an unknown load, leave a little
const OLD = 1 // s: the arm may be anywhere by now
const STILL = { metres: 0.01, radians: 0.1 } // a second: nobody begins an episode in motion
const PROGRESS = { metres: 0.001, radians: 0.01, within: 2 } // s: an arm on its way comes so much nearer in that time

export type SerlOptions = {
  spec: RobotSpec
  config: SerlConfig
  server: ServerConnection
  cameras?: Pick<Cameras, 'pictures'> // left out: it sees nothing
  clock?: RobotClock
}

export class SerlRobot implements Robot {
  readonly spec: RobotSpec
  private readonly config: SerlConfig
  private readonly server: ServerConnection
  private readonly clock: RobotClock
  private readonly stride: Stride
  private fault: Fault | null = null
  private state: ArmState | null = null // as last read
  private readAt = Number.NEGATIVE_INFINITY
  private deadline = Number.NEGATIVE_INFINITY // of the step before
  private holding = false // the last command was to stay where it is
  private stops = 0 // how often it was stopped: what began before a stop sends nothing after it
  private sending: Promise<void> = Promise.resolve()
  private resets = 0
  private untold: RobotFault | null = null // what went wrong while nobody waited for it
  private asked: AskedGrip = 0 // of the gripper
  private gripSent: AskedGrip = 0
  private stepped = true // since the last reset
  private gripAt = Number.NEGATIVE_INFINITY

  constructor(private readonly options: SerlOptions) {
    this.spec = options.spec
    this.config = options.config
    this.server = options.server
    this.clock = options.clock ?? realClock
    const { rate, actionScale } = this.spec
    this.stride = { translation: this.config.safety.speed / rate, rotation: actionScale.rotation }
  }

  async reset(task: string, seed?: number): Promise<Observation> {
    const goal = serlStart(this.config, this.spec, task, seed)
    this.expectSound()
    const { stops } = this
    const { precision, jointReset, startGrip } = this.config
    await this.send((await this.read()).pose, stops) // before the clips widen: nothing may pull at it
    await this.setParameters(precision, stops)
    if (jointReset > 0 && this.resets++ % jointReset === 0) {
      this.expectGoing(stops)
      await this.faulty(this.server.command('jointreset', undefined, JOINT_RESET))
      await this.send((await this.read()).pose, stops)
    }
    const state = await this.read()
    this.expectGoing(stops)
    this.tellGripper(this.gripRead(state), startGrip)
    this.stepped = false
    await this.travel(goal, stops)
    this.deadline = this.clock.now()
    return this.look()
  }

  /** Where a config names such a place. */
  get park(): (() => Promise<void>) | undefined {
    const { park, startAngles, precision } = this.config
    if (!park) return undefined
    return async () => {
      this.expectSound()
      const { stops } = this
      await this.send((await this.read()).pose, stops)
      await this.setParameters(precision, stops)
      await this.travel(poseOfSix(park, startAngles), stops)
    }
  }

  /** A look moves nothing: after a fault a person wants to see, too, and one that fails is a fault for whoever needed it. */
  async observe(): Promise<Observation> {
    try {
      const state = await readState(this.server, this.config.gripper)
      this.take(state)
      // whoever lays the scene after a reset may have opened or closed it by hand
      if (!this.stepped && this.config.startGrip === 'leave') this.gripSent = this.asked = this.gripRead(state)
    } catch (error) {
      throw asFault(error)
    }
    return this.observation()
  }

  async step(action: Action): Promise<Outcome> {
    if (action.length !== ACTION_WIDTH || !action.every(Number.isFinite))
      throw new InputError(`${this.spec.name}, action`, `is [${[...action]}]`, `Give ${ACTION_WIDTH} finite numbers`)
    const { stops } = this
    this.stepped = true
    const delta = this.deltaOf(action)
    const moves = delta.metres > 0 || delta.radians > 0
    const { untold } = this
    this.untold = null
    if (untold) throw untold
    if (moves) this.expectSound()
    const period = 1 / this.spec.rate
    const fresh = this.state && this.clock.now() - this.readAt < 2 * period
    const { pose } = fresh ? this.state! : await this.read()
    if ((moves || !this.holding) && !this.fault && stops === this.stops) {
      await this.send(
        this.inBox(pose, { position: added(pose.position, delta.by), rotation: delta.turned(pose) }),
        stops,
      )
      this.holding = !moves
    }
    if (stops === this.stops) {
      this.asked = gripAfter(action[GRIPPER_ENTRY]!, this.asked)
      this.grip()
    }
    // Late, the arm still gets half a period for what it was told.
    this.deadline = Math.max(this.deadline + period, this.clock.now() + period / 2)
    await this.clock.sleep(this.deadline - this.clock.now())
    const observation = await this.look()
    const reached = this.config.goal !== undefined && isAtGoal(this.state!.pose, this.config.goal)
    return { observation, reward: reached ? 1 : 0, terminated: reached }
  }

  /**
   * The pose that is measured becomes the one to stay at; once more when a command that was under way has arrived. What the hand
   * was to be told when it has had its time it is not told any more.
   */
  async stop(): Promise<void> {
    this.stops++
    this.asked = this.gripSent
    const underWay = this.sending
    let measured: unknown = null
    const { pose } = await readState(this.server, this.config.gripper).catch((error) => {
      measured = error
      if (!this.state || this.clock.now() - this.readAt > OLD) throw this.failed(error)
      return this.state // a moment old, and better than to go on
    })
    try {
      await this.server.command('pose', { arr: sevenOf(pose) })
      await underWay.catch(() => {})
      await this.server.command('pose', { arr: sevenOf(pose) })
      this.holding = true
    } catch (error) {
      throw this.failed(error)
    }
    if (measured) throw this.failed(measured)
  }

  /** What the arm itself latched is cleared at the pose where it stands, so that nothing pulls at it. */
  async recover(): Promise<void> {
    try {
      const { pose } = await readState(this.server, this.config.gripper)
      await this.server.command('pose', { arr: sevenOf(pose) })
      await this.server.command('clearerr')
    } catch (error) {
      throw asFault(error)
    }
    this.holding = true
    this.fault = this.untold = null
  }

  private async travel(goal: Pose, stops: number): Promise<void> {
    for (const point of this.wayPoints(goal)) await this.go(point, stops)
    await this.setParameters(this.config.compliance, stops)
    this.holding = true // there, wherever the load makes it hang
  }

  /** One point of the way to a start, which waits for the arm. @throws RobotFault where it does not come */
  private async go({ pose: point, last }: { pose: Pose; last: boolean }, stops: number): Promise<void> {
    const { jump, force: most } = this.config.safety
    const limit = last ? ARRIVED : { metres: jump / 2, radians: Number.POSITIVE_INFINITY }
    let nearest = { metres: Number.POSITIVE_INFINITY, radians: Number.POSITIVE_INFINITY }
    let nearerAt = this.clock.now()
    for (;;) {
      await this.send(point, stops)
      await this.clock.sleep(1 / this.spec.rate)
      this.expectGoing(stops)
      const { pose, force } = await this.read()
      const pressed = Math.hypot(...force)
      if (pressed > most)
        throw this.failed(
          new RobotFault('force', `${pressed.toFixed(1)} N on the way to a start, the limit is ${most} N`),
        )
      const metres = distance(pose, point)
      const radians = angleTo(pose, point)
      if (metres <= limit.metres && radians <= limit.radians && (!last || isStill(this.state!))) return
      const now = this.clock.now()
      if (metres < nearest.metres - PROGRESS.metres || radians < nearest.radians - PROGRESS.radians) {
        nearest = { metres, radians }
        nearerAt = now
      }
      if (now - nearerAt > PROGRESS.within)
        throw this.failed(
          new RobotFault(
            'robot',
            `it was sent to a start and stands still, ${(1000 * metres).toFixed(0)} mm and ${radians.toFixed(2)} rad from where it should be; something holds it, or a joint is at its limit (let actions turn it less far: safety.workBox.turn; or let the server bring its joints home: jointReset)`,
          ),
        )
    }
  }

  /** Up first, where that is asked for, then straight to the start. */
  private wayPoints(goal: Pose): { pose: Pose; last: boolean }[] {
    const { startLift, safety } = this.config
    const from = this.state!.pose
    const [x, y, z] = from.position
    const above: Pose = { ...from, position: [x, y, Math.max(z, Math.min(z + startLift, safety.workBox.high[2]))] }
    const up = startLift > 0 ? wayTo(from, above, this.stride) : []
    const across = wayTo(up.at(-1) ?? from, goal, this.stride)
    return [...up, ...across].map((pose) => ({ pose: this.inBox(from, pose), last: pose === goal }))
  }

  /** No further out of the work box than the arm is already: the last of several that look. */
  private inBox(measured: Pose, pose: Pose): Pose {
    const { low, high } = this.config.safety.workBox
    const position = pose.position.map((value, axis) =>
      Math.min(
        Math.max(high[axis]!, measured.position[axis]!),
        Math.max(Math.min(low[axis]!, measured.position[axis]!), value),
      ),
    ) as Vec3
    return { ...pose, position }
  }

  /** What an action asks for: m and rad, about the axes of the base. */
  private deltaOf(action: Action) {
    const { translation, rotation } = this.spec.actionScale
    const most = this.stride.translation
    const part = (i: number, scale: number) => Math.min(1, Math.max(-1, action[i]!)) * scale
    const asked: Vec3 = [part(0, translation), part(1, translation), part(2, translation)]
    const size = Math.hypot(...asked)
    const by = (size > most ? asked.map((value) => (value * most) / size) : asked) as Vec3 // no faster than safety.speed
    const about: Vec3 = [part(3, rotation), part(4, rotation), part(5, rotation)]
    return {
      by,
      metres: Math.min(size, most),
      radians: Math.hypot(...about),
      turned: (pose: Pose) => unit(multiply(fromRotationVector(about), pose.rotation)),
    }
  }

  /** Sends a pose, unless the robot was stopped meanwhile. @throws RobotFault */
  private async send(pose: Pose, stops: number): Promise<void> {
    this.expectGoing(stops)
    this.holding = false
    this.sending = this.server.command('pose', { arr: sevenOf(pose) })
    await this.faulty(this.sending)
  }

  private async setParameters(parameters: Record<string, number>, stops: number): Promise<void> {
    this.expectGoing(stops)
    if (Object.keys(parameters).length > 0) await this.faulty(this.server.command('update_param', parameters))
  }

  private tellGripper(read: AskedGrip, start: SerlConfig['startGrip']): void {
    this.gripSent = read
    this.asked = start === 'leave' ? read : start === 'close' ? 1 : -1
    this.grip()
  }

  /** Tells the gripper what is asked for when that is new, and waits neither for its answer nor for its motion. */
  private grip(): void {
    const now = this.clock.now()
    if (this.fault || this.config.gripper === 'none' || this.asked === 0 || this.asked === this.gripSent) return
    if (now - this.gripAt < GRIPPER.pause) return
    this.gripSent = this.asked
    this.gripAt = now
    const route = this.asked === 1 ? 'close_gripper' : 'open_gripper'
    this.server.command(route, undefined, GRIPPER.patience).catch((error) => {
      this.untold = this.failed(error)
    })
  }

  private gripRead({ opening }: ArmState): AskedGrip {
    return opening >= READS.open ? -1 : opening <= READS.closed ? 1 : 0
  }

  private async read(): Promise<ArmState> {
    return this.take(await this.faulty(readState(this.server, this.config.gripper)))
  }

  private take(state: ArmState): ArmState {
    this.state = state
    this.readAt = this.clock.now()
    return state
  }

  private async look(): Promise<Observation> {
    await this.read()
    return this.observation()
  }

  /** Of the state that was read last. */
  private observation(): Observation {
    const { pose, velocity, angularVelocity, force, torque, opening } = this.state!
    const turned = rotationBetween(this.spec.home!, pose.rotation)
    const gripper = this.config.gripper === 'none' ? [] : [opening, this.asked]
    const proprio = [...pose.position, ...turned, ...velocity, ...angularVelocity, ...force, ...torque, ...gripper]
    return {
      ...(this.options.cameras?.pictures() ?? { images: {} }),
      proprio: Float32Array.from(proprio),
      time: this.readAt,
    }
  }

  private expectSound(): void {
    if (this.fault) throw new RobotFault(this.fault.kind, this.fault.what)
  }

  private expectGoing(stops: number): void {
    this.expectSound()
    if (stops !== this.stops)
      throw new InputError(this.spec.name, 'was stopped on its way to a start', 'Reset it again')
  }

  private async faulty<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw this.failed(error)
    }
  }

  /** From now on nothing moves. @returns what to throw */
  private failed(error: unknown): RobotFault {
    const fault = asFault(error)
    this.fault ??= { kind: fault.kind, what: fault.what }
    return fault
  }
}

const isStill = ({ velocity, angularVelocity }: ArmState) =>
  Math.hypot(...velocity) < STILL.metres && Math.hypot(...angularVelocity) < STILL.radians

const added = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
