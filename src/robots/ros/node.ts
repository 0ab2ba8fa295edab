/**
 * @file Our end of the bridge: what is read and what is said over one connection at a time. A new connection begins with
 * nothing of the one before: no reading, no command, no clock.
 */
import { InputError, LostError } from '../../errors.ts'
import { cameraClock } from '../../robot/cameras/camera.ts'
import { type Cameras, openCameras } from '../../robot/cameras/open.ts'
import type { Sink } from '../../robot/cameras/sources/source.ts'
import { RobotFault } from '../../robot/fault.ts'
import { Bridge } from './bridge.ts'
import type { RosConfig, ServiceConfig } from './config.ts'
import { Echo } from './echo.ts'
import { readPicture, typeName } from './messages.ts'
import { describeOffers, type Wanted } from './offers.ts'
import { ArmReadings, type Late } from './readings.ts'
import { Topic } from './topic.ts'

export type NodeOptions = {
  says: readonly Wanted[] // topics that commands go out by, and their types
  /** Something is wrong from now on; nobody may have asked. */
  onTrouble(fault: RobotFault): void
}

export class RosNode {
  readonly readings: ArmReadings
  /** Whether the emergency stop is pressed. */
  estopped = false
  private bridge: Bridge | null = null
  private cameras: Cameras | null = null
  private readonly pictures = new Map<string, { topic: Topic<Uint8Array>; sink: Sink }>()
  private readonly wrong = new Map<string, string>() // by topic, what is wrong with its newest message
  private refusals: string[] = [] // of this connection
  private readonly echo = new Echo()
  private lost = 'it was never connected'
  private readonly waiting = new Set<() => void>()

  private constructor(
    private readonly config: RosConfig,
    private readonly options: NodeOptions,
  ) {
    this.readings = new ArmReadings(config)
  }

  /** @throws InputError if the bridge cannot be reached, or a topic tells nothing or something else */
  static async open(config: RosConfig, options: NodeOptions): Promise<RosNode> {
    const node = new RosNode(config, options)
    try {
      await node.begin()
      const opening = openCameras(config.cameras, {
        patience: config.patience + 1,
        subscribe: ({ name, topic }, sink) => node.show(name, topic, sink),
      })
      opening.catch(() => {}) // it is heard below: one that is not there may say so before the bridge has told anything
      await node.expectAll().catch(async (error) => {
        await opening.then((cameras) => cameras.close()).catch(() => {}) // what they lack follows from it
        throw error
      })
      node.cameras = await opening
      return node
    } catch (error) {
      await node.close()
      throw error
    }
  }

  /** Again, after the connection was lost. @throws InputError as `open` does */
  async connect(): Promise<void> {
    await this.begin()
    await this.expectAll()
  }

  /** s; its observations, and the age of what it reads, are told on this clock. */
  now(): number {
    return cameraClock()
  }

  /** The newest picture of each camera. */
  look(): ReturnType<Cameras['pictures']> {
    return this.cameras!.pictures()
  }

  /** The oldest of all that was read. */
  oldest(now: number): Late {
    const topics = this.topics.map((topic) => ({ what: topic.options.name, age: topic.age(now) }))
    const cameras = Object.entries(this.cameras?.pictures().taken ?? {})
    const pictures = cameras.map(([name, taken]) => ({ what: `the picture of camera ${name}`, age: now - taken }))
    return [...topics, ...pictures].reduce((a, b) => (b.age > a.age ? b : a))
  }

  /** Topics that have told nothing since then. */
  silentSince(moment: number): Topic<unknown>[] {
    return this.topics.filter(({ received }) => received <= moment)
  }

  /** @throws RobotFault if the connection is lost, or what came last by it is wrong */
  expectSound(): void {
    if (!this.isOpen) throw this.gone()
    for (const [topic, what] of this.wrong) throw unusable(topic, what)
    if (this.estopped) throw new RobotFault('robot', `its emergency stop is pressed (${this.config.estop})`)
  }

  get isOpen(): boolean {
    return this.bridge?.isOpen ?? false
  }

  /** `urgent`: even if others before it did not arrive. @throws RobotFault if it does not go off at once; it is dropped */
  say(topic: string, message: object, urgent: boolean): void {
    const lag = this.echo.lag(topic, this.now())
    if (this.isOpen && !urgent && lag > this.config.age.fault)
      throw new RobotFault(
        'no answer',
        `what was said on ${topic} has not come back for ${lag.toFixed(2)} s, the next command was dropped`,
      )
    if (!this.bridge?.publish(topic, message))
      throw this.isOpen ? new RobotFault('no answer', 'a command would have queued, and was dropped') : this.gone()
    this.echo.said(topic, message, this.now())
  }

  /** @throws RobotFault if it refuses, or does not answer in time */
  async call({ service, type, patience }: ServiceConfig): Promise<void> {
    if (!this.isOpen) throw this.gone()
    const values = await this.bridge!.call(
      service,
      type === 'std_srvs/SetBool' ? { data: true } : {},
      1000 * patience,
    ).catch((cause: Error) => {
      if (cause instanceof LostError) throw this.gone()
      throw new RobotFault('robot', `service ${service} ${(cause as InputError).what}`, { cause })
    })
    if (type === 'std_srvs/Empty') return
    const { success, message } = (values ?? {}) as { success?: unknown; message?: unknown }
    if (success !== true)
      throw new RobotFault('robot', `service ${service} was refused: ${message || 'without a reason'}`)
  }

  /** Resolves when something happens: a message, a loss; after `patience` s at the latest. */
  async happening(patience: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, 1000 * Math.max(0, patience))
      this.waiting.add(done)
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.bridge?.close(), this.cameras?.close()])
  }

  private get topics(): Topic<unknown>[] {
    return [...this.readings.topics, ...[...this.pictures.values()].map(({ topic }) => topic)]
  }

  private async begin(): Promise<void> {
    await this.bridge?.close()
    for (const topic of this.topics) topic.forget()
    this.wrong.clear()
    this.echo.forget()
    this.refusals = []
    this.estopped = false
    const { address, patience, version, estop } = this.config
    this.bridge = await Bridge.connect(address, 1000 * patience, {
      lost: (why) => {
        this.lost = why
        for (const { sink } of this.pictures.values()) sink.lost(new LostError(`rosbridge at ${address}`, why, ''))
        this.trouble(this.gone())
      },
      refused: (what) => {
        this.refusals.push(what)
        this.trouble(new RobotFault('robot', `the bridge says: ${what}`))
      },
    })
    for (const { name, type } of this.options.says) {
      this.bridge.advertise(name, typeName(type, version))
      this.bridge.subscribe(name, typeName(type, version), 0, (message) => this.echo.heard(name, message))
    }
    for (const topic of this.readings.topics) this.listen(topic)
    for (const { topic, sink } of this.pictures.values()) this.watch(topic, sink)
    if (estop) this.bridge.subscribe(estop, typeName('std_msgs/Bool', version), 0, (message) => this.heed(message))
  }

  private heed(message: unknown): void {
    const { data } = (message ?? {}) as { data?: unknown }
    this.estopped = data !== false // whatever is not a plain "no"
    if (this.estopped) this.trouble(new RobotFault('robot', `its emergency stop was pressed (${this.config.estop})`))
  }

  private show(name: string, topicName: string, sink: Sink) {
    const topic = new Topic({ name: topicName, type: 'sensor_msgs/CompressedImage', read: readPicture })
    this.pictures.set(name, { topic, sink })
    this.watch(topic, sink)
    return { close: () => void this.pictures.delete(name) }
  }

  private watch(topic: Topic<Uint8Array>, sink: Sink): void {
    this.listen(topic, ({ value, measured }) => sink.take(value, measured))
  }

  private listen<T>(topic: Topic<T>, each?: (reading: NonNullable<Topic<T>['newest']>) => void): void {
    const { version, rate } = this.config
    const { name, type } = topic.options
    this.bridge!.subscribe(name, typeName(type, version), Math.floor(250 / rate), (message) => {
      try {
        topic.receive(message, version, this.now())
        this.wrong.delete(name)
        if (topic.newest) each?.(topic.newest)
        this.wake()
      } catch (error) {
        this.wrong.set(name, (error as Error).message)
        this.trouble(unusable(name, (error as Error).message))
      }
    })
  }

  /** @throws InputError naming the topics that told nothing in time, or something else than they should */
  private async expectAll(): Promise<void> {
    const until = this.now() + this.config.patience
    for (;;) {
      const silent = this.silentSince(Number.NEGATIVE_INFINITY)
      if (this.isOpen && silent.length === 0) return
      const late = this.now() >= until
      if (!this.isOpen || this.refusals.length > 0 || late) throw await this.whyNot(silent)
      await this.happening(until - this.now())
    }
  }

  private async whyNot(silent: readonly Topic<unknown>[]): Promise<InputError> {
    const where = `rosbridge at ${this.config.address}`
    if (!this.isOpen) return new InputError(where, this.lost, 'See what it says')
    for (const [topic, what] of this.wrong) return new InputError(where, unusable(topic, what).what, 'Check the topic')
    const said = this.refusals.length > 0 ? [`it says: ${this.refusals.join('; ')}`] : []
    const wanted = silent.map(({ options }) => options)
    const missing = wanted.map(({ name, type }) => `${name} (${typeName(type, this.config.version)})`).join(', ')
    const what = missing === '' ? [] : [`no message on ${missing} within ${this.config.patience} s`]
    const offers = await this.bridge!.call('/rosapi/topics', {}, 1000).catch(() => null) // not every bridge has rosapi
    const remedy = 'Start what publishes it, or correct the topic and robot.version'
    return new InputError(
      where,
      [...said, ...what, ...describeOffers(offers, wanted, this.config.version)].join('; '),
      remedy,
    )
  }

  private trouble(fault: RobotFault): void {
    this.options.onTrouble(fault)
    this.wake()
  }

  private wake(): void {
    for (const done of [...this.waiting]) done()
  }

  private gone(): RobotFault {
    return new RobotFault('no answer', `rosbridge at ${this.config.address}: ${this.lost}`)
  }
}

const unusable = (topic: string, what: string) =>
  new RobotFault('sensor', `the message on ${topic} cannot be used: ${what}`)
