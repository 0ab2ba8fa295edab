/** @file The learner's end of a link: takes in what happened, does what is asked, publishes. It never holds a robot up. */
import { encodeError, InputError } from '../errors.ts'
import type { UpdateFigures } from '../learn/phase.ts'
import { decodeMessage, encodeMessage, type Message } from './codec.ts'
import {
  type ControlRequest,
  type FromLearner,
  firstObservation,
  type Origin,
  stepOf,
  type ToLearner,
  type ToldHead,
  weightsMessage,
} from './messages.ts'
import type { ServedPort } from './port.ts'
import type { Learned, LearnerPort, Saved } from './ports.ts'

export type ServeOptions = {
  run: string // whose experience it takes in
  figuresEvery: number // updates between two reports
}

const ALIVE_EVERY = 500 // ms

type Received = Message<ToLearner>
type Asked = { ticket: number; request: ControlRequest }

/**
 * Serves until it is told to stop, or until something fails: then the other end is told, as data. `open` makes the learner;
 * messages that arrive meanwhile wait, but for a stop: what is opened after that is let go of when it comes.
 */
export async function serve(port: ServedPort, open: () => Promise<LearnerPort>, options: ServeOptions): Promise<void> {
  const inbox = new Inbox()
  port.on('message', (bytes: ArrayBuffer) => inbox.add(bytes))
  const send = (head: FromLearner) => sendBytes(port, encodeMessage({ head, arrays: [] }))
  let alive: ReturnType<typeof setInterval> | undefined
  try {
    const opening = open()
    const learner = await Promise.race([opening, inbox.stop])
    if (!learner) {
      opening.then((late) => late.release()).catch(() => {})
      return
    }
    send({ kind: 'ready' })
    alive = setInterval(() => send({ kind: 'alive' }), ALIVE_EVERY)
    await new Service(port, inbox, learner, options).run()
    await learner.release()
  } catch (error) {
    send({ kind: 'failed', error: encodeError(error) })
  } finally {
    clearInterval(alive)
    port.close()
  }
}

const sendBytes = (port: ServedPort, bytes: ArrayBuffer) => port.postMessage(bytes, [bytes])

/** Messages in their order, and whether one among them wants the learner to leave off. */
class Inbox {
  private readonly messages: Received[] = []
  private wake: () => void = () => {}
  private failure: unknown
  private stopped: () => void = () => {}
  /** Resolves when a stop has arrived, whatever waits before it. */
  readonly stop = new Promise<void>((resolve) => (this.stopped = resolve))

  add(bytes: ArrayBuffer): void {
    try {
      const message = decodeMessage<ToLearner>(bytes)
      this.messages.push(message)
      if (message.head.kind === 'request' && message.head.request.want === 'stop') this.stopped()
    } catch (error) {
      this.failure ??= error
    }
    this.wake()
  }

  /** @throws what a message was that could not be read */
  next(): Received | undefined {
    if (this.failure) throw this.failure
    return this.messages.shift()
  }

  get leaveOff(): boolean {
    return this.messages.some(({ head }) => head.kind === 'request' && LEAVE_OFF.has(head.request.want))
  }

  async something(): Promise<void> {
    if (this.messages.length > 0 || this.failure) return
    await new Promise<void>((resolve) => (this.wake = resolve))
  }
}

const LEAVE_OFF: ReadonlySet<ControlRequest['want']> = new Set(['pause', 'stop'])

class Service {
  private readonly robots = new Map<number, string>() // by episode: who told of it
  private taken = 0
  private publishEvery: number | null = null // while learning freely
  private stopped = false

  constructor(
    private readonly port: ServedPort,
    private readonly inbox: Inbox,
    private readonly learner: LearnerPort,
    private readonly options: ServeOptions,
  ) {}

  /** Messages first, in their order; then, while learning freely, one update at a time. */
  async run(): Promise<void> {
    while (!this.stopped) {
      const message = this.inbox.next()
      if (message) await this.handle(message)
      else if (this.publishEvery !== null && this.learner.canUpdate('online'))
        await this.updateFreely(this.publishEvery)
      else await this.inbox.something()
    }
  }

  private async handle(message: Received): Promise<void> {
    const { head } = message
    if (head.kind === 'request') return this.answer(head)
    if (head.kind === 'standing') return
    this.takeIn(head, message)
    this.send({ kind: 'taken', messages: ++this.taken })
  }

  private takeIn(head: ToldHead, message: Received): void {
    const { learner } = this
    if (head.kind === 'begin') {
      this.expectOrigin(head.from, head.start.episode)
      learner.begin(head.start, firstObservation(message))
      return
    }
    this.expectOrigin(head.from, head.episode)
    if (head.kind === 'end') {
      learner.end(head.episode, head.end)
      return
    }
    const { step, next } = stepOf(message, head.step)
    learner.step(head.episode, step, next)
  }

  /** A number that two robots used would make the second one's episode look like a repeat of the first. */
  private expectOrigin({ run, robot }: Origin, episode: number): void {
    const where = `episode ${episode} of robot ${robot}`
    if (run !== this.options.run)
      throw new InputError(where, `is of run "${run}"`, `This learner serves run "${this.options.run}"`)
    const known = this.robots.get(episode) ?? robot
    if (known !== robot)
      throw new InputError(where, `was told by robot ${known} before`, 'Number episodes over all robots')
    this.robots.set(episode, robot)
  }

  private async answer({ ticket, request }: Asked): Promise<void> {
    const reply = (reply: Partial<Learned & Saved>) => this.send({ kind: 'reply', ticket, reply })
    switch (request.want) {
      case 'learn': {
        const { made, cut } = await this.learn(request.phase, request.updates)
        this.publish()
        return reply({ version: this.learner.updates, made, cut })
      }
      case 'learn-freely':
        this.publishEvery = request.publishEvery
        return reply({})
      case 'pause':
        this.publishEvery = null
        this.publish()
        return reply({ version: this.learner.updates })
      case 'save': {
        const labels = await this.learner.save(request.name)
        return reply({ version: this.learner.updates, labels })
      }
      case 'stop':
        this.stopped = true
    }
  }

  private async learn(phase: 'warm-up' | 'online', updates: number): Promise<{ made: number; cut: number }> {
    let made = 0
    while (made < updates && this.learner.canUpdate(phase)) {
      if (this.inbox.leaveOff) return { made, cut: updates - made }
      this.report(await this.learner.update(phase))
      made++
    }
    return { made, cut: 0 }
  }

  private async updateFreely(publishEvery: number): Promise<void> {
    const figures = await this.learner.update('online')
    this.report(figures)
    if (figures.update % publishEvery === 0) this.publish()
  }

  private report(figures: UpdateFigures): void {
    if (figures.update % this.options.figuresEvery === 0) this.send({ kind: 'figures', figures })
  }

  private publish(): void {
    const { updates: version } = this.learner
    sendBytes(this.port, weightsMessage({ version, values: this.learner.actorParameters() }))
  }

  private send(head: FromLearner): void {
    sendBytes(this.port, encodeMessage({ head, arrays: [] }))
  }
}
