/**
 * @file An arm behind ROS as a robot. Its steps are a period long from observation to observation; while a reading is old it
 * holds, and when it stays old, or anything else is wrong, it is a fault: from then on nothing but a stop is said.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError } from '../../errors.ts'
import { RobotFault } from '../../robot/fault.ts'
import { GRIPPER_ENTRY } from '../../robot/gripper.ts'
import { expectTask } from '../../robot/real-config.ts'
import {
  ACTION_WIDTH,
  type Action,
  type Observation,
  type Outcome,
  type Robot,
  type RobotSpec,
} from '../../robot/robot.ts'
import type { RosConfig } from './config.ts'
import { Gripper } from './gripper.ts'
import { type Motion, motionOf } from './motion.ts'
import { RosNode } from './node.ts'
import type { Wanted } from './offers.ts'
import { rosSpec } from './spec.ts'

const LAST_WORDS = 0.1 // s for which a robot is told to stop before the connection is closed

export class RosRobot implements Robot {
  readonly spec: RobotSpec
  private node!: RosNode
  private motion!: Motion
  private gripper: Gripper | null = null
  private moving = false // commanded since it was last told to stop
  private trouble: RobotFault | null = null // while it moved; until a person has cleared it
  private stops = 0
  private ended = Number.NEGATIVE_INFINITY // s, the last step
  private abandonReset: (why: Error) => void = () => {}

  private constructor(private readonly config: RosConfig) {
    this.spec = rosSpec(config)
  }

  /** @throws InputError if the bridge cannot be reached, or a topic tells nothing or something else */
  static async open(config: RosConfig): Promise<RosRobot> {
    const robot = new RosRobot(config)
    const { command, gripper } = config
    const say = (topic: string) => (message: object) => robot.node.say(topic, message, !robot.moving)
    const onFailure = (error: unknown) => robot.fail(asFault(error))
    robot.motion = motionOf(command, robot.spec, say(command.topic), onFailure)
    if (gripper)
      robot.gripper = new Gripper(gripper, {
        say: (topic, message) => say(topic)(message),
        call: (service) => robot.node.call(service),
        onFailure,
      })
    const says: Wanted[] = [{ name: command.topic, type: robot.motion.type }]
    if (gripper?.command.by === 'topic') says.push({ name: gripper.command.topic, type: 'std_msgs/Float64' })
    robot.node = await RosNode.open(config, { says, onTrouble: (fault) => robot.fail(fault) })
    return robot
  }

  /** By its service where it has one, else as it stands: a person put the scene back. A lost connection is made anew. */
  async reset(task: string): Promise<Observation> {
    expectTask(this.spec, task)
    if (this.trouble) throw this.trouble
    this.halt()
    const { node, config } = this
    const stopped = new Promise<never>((_, reject) => {
      this.abandonReset = reject
    })
    stopped.catch(() => {})
    if (!node.isOpen) await node.connect().catch((cause: Error) => Promise.reject(asFault(cause)))
    node.expectSound()
    if (config.reset !== 'person') await Promise.race([node.call(config.reset), stopped])
    await Promise.race([this.news(), stopped])
    this.abandonReset = () => {}
    this.gripper?.begin()
    return this.observation()
  }

  async observe(): Promise<Observation> {
    await this.fresh()
    return this.observation()
  }

  async step(action: Action): Promise<Outcome> {
    checkAction(this.spec.name, action)
    const { stops, node } = this
    await this.fresh()
    const begun = node.now()
    const period = 1 / this.spec.rate
    // what a policy took to think belongs to the period, as long as some of it is left to move in
    const due = begun - this.ended < period / 2 ? this.ended + period : begun + period
    if (stops === this.stops) this.command(action) // else it was stopped while it waited
    while (node.now() < due) {
      await node.happening(due - node.now())
      this.expectSound()
    }
    await this.fresh(begun)
    this.ended = node.now() - due < period / 2 ? due : node.now()
    return { observation: this.observation(), reward: 0, terminated: false }
  }

  async stop(): Promise<void> {
    this.stops++
    this.abandonReset(new InputError(this.spec.name, 'was stopped on its way to a start', 'Reset it again'))
    this.halt()
  }

  /** By its service, where a config names one. A stop on the way is said to the command topic; the service has to heed it. */
  get park(): (() => Promise<void>) | undefined {
    const { park } = this.config
    if (!park) return undefined
    return async () => {
      if (this.trouble) throw this.trouble
      this.halt()
      this.node.expectSound()
      await this.node.call(park)
    }
  }

  /** Connects anew where the connection was lost, and has the robot clear what it latched itself. Moves nothing. */
  async recover(): Promise<void> {
    this.trouble = null
    if (!this.node.isOpen) await this.node.connect()
    if (this.config.recovery) await this.node.call(this.config.recovery)
  }

  async close(): Promise<void> {
    await this.stop()
    if (this.node.isOpen) await sleep(1000 * LAST_WORDS)
    await this.node.close()
  }

  private command(action: Action): void {
    this.moving = true
    this.gripper?.ask(action[GRIPPER_ENTRY]!)
    this.motion.move(action, this.node.readings.pose.newest!.value)
  }

  private halt(): void {
    this.moving = false
    const { pose } = this.node.readings
    const known = pose.age(this.node.now()) <= this.config.age.hold
    this.motion.halt(known ? pose.newest!.value : null)
  }

  /** A robot that stands still has not failed yet: whoever uses it next finds out what is wrong. */
  private fail(fault: RobotFault): void {
    if (!this.moving || this.trouble) return
    this.trouble = fault
    this.halt()
  }

  private expectSound(): void {
    if (this.trouble) throw this.trouble
    this.node.expectSound()
  }

  /**
   * Resolves when no reading is old, and the tool's pose came after `since`; holds as long as one is old. @throws RobotFault
   * if one stays old
   */
  private async fresh(since = Number.NEGATIVE_INFINITY): Promise<void> {
    const { hold, fault } = this.config.age
    for (;;) {
      this.expectSound()
      const { what, age } = this.node.oldest(this.node.now())
      if (age <= hold && this.node.readings.pose.received > since) return
      if (age > hold && this.moving) this.halt()
      if (age > fault) throw new RobotFault('no answer', `${what} is ${age.toFixed(2)} s old, the limit is ${fault} s`)
      await this.node.happening(fault - age + 0.001)
    }
  }

  /** Resolves when every topic has told something new. @throws RobotFault if one does not in time */
  private async news(): Promise<void> {
    const { node, config } = this
    const since = node.now()
    for (let silent = node.silentSince(since); silent.length > 0; silent = node.silentSince(since)) {
      const left = since + config.patience - node.now()
      if (left <= 0)
        throw new RobotFault('no answer', `nothing has come on ${silent[0]!.options.name} for ${config.patience} s`)
      await node.happening(left)
      node.expectSound()
    }
    await this.fresh()
  }

  private observation(): Observation {
    const { node, gripper } = this
    gripper?.look(node.readings.opening)
    return { ...node.look(), proprio: node.readings.proprio(gripper?.asked ?? 0), time: node.now() }
  }
}

const asFault = (error: unknown) =>
  error instanceof RobotFault ? error : new RobotFault('no answer', (error as Error).message, { cause: error })

function checkAction(name: string, action: Action): void {
  if (action.length === ACTION_WIDTH && action.every(Number.isFinite)) return
  throw new InputError(name, `an action is [${action}]`, `Give ${ACTION_WIDTH} finite numbers`)
}
