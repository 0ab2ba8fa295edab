/** @file The robots' end of a link, over whatever port leads to a learner: that of its thread, or a session over a network. */
import { decodeError } from '../errors.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import {
  beginMessage,
  type ControlRequest,
  type FromLearner,
  figuresOf,
  publishedOf,
  stepMessage,
  type ToLearner,
} from './messages.ts'
import type { Port } from './port.ts'
import type {
  Experience,
  Learned,
  LearnerControl,
  LearnerLink,
  LinkEvents,
  Published,
  Saved,
  Weights,
} from './ports.ts'

type Reply = Partial<Learned & Saved>
type Waiting<T> = { resolve: (value: T) => void; reject: (error: Error) => void }

/**
 * Bytes are moved to a learner's thread, not copied. Whoever owns the port calls `lose` when it leads nowhere any more, and
 * hands `end` in, which lets go of the learner.
 */
export class LinkClient implements LearnerLink {
  readonly control: LearnerControl = {
    learn: async (phase, updates) => (await this.ask({ want: 'learn', phase, updates })) as Learned,
    learnFreely: async (publishEvery) => void (await this.ask({ want: 'learn-freely', publishEvery })),
    pause: async () => (await this.ask({ want: 'pause' })) as { version: number },
    save: async (name) => (await this.ask({ want: 'save', name })) as Saved,
  }
  private readonly replies = new Map<number, Waiting<Reply>>()
  private readonly rooms = new Set<Waiting<void> & { most: number }>()
  private readonly opening: Promise<void>
  private opened: Waiting<void> | undefined
  private tickets = 0
  private told = 0 // messages of experience
  private taken = 0
  private published: Published | undefined
  private lost: Error | undefined
  private closing = false

  constructor(
    private readonly port: Port,
    private readonly run: string,
    private readonly end: () => Promise<void>,
    private readonly events: LinkEvents = {},
  ) {
    this.opening = new Promise((resolve, reject) => (this.opened = { resolve, reject }))
    this.opening.catch(() => {}) // whoever waits for it hears it
    port.on('message', (bytes: ArrayBuffer) => {
      try {
        this.receive(bytes)
      } catch (error) {
        this.lose(error as Error)
      }
    })
  }

  /** Resolves when the learner is there. */
  ready(): Promise<void> {
    return this.opening
  }

  get weights(): Weights {
    const { published } = this
    return { newest: published }
  }

  experience(robot: string): Experience {
    const from = { run: this.run, robot }
    const link = this
    return {
      begin: (start, observation) => this.tell(beginMessage(from, start, observation)),
      step: (episode, step, next) => this.tell(stepMessage(from, episode, step, next)),
      end: (episode, end) =>
        this.tell(encodeMessage<ToLearner>({ head: { kind: 'end', from, episode, end }, arrays: [] })),
      get inFlight() {
        return link.inFlight
      },
      room: (most) => this.room(most),
    }
  }

  async close(): Promise<void> {
    // One that is lost is told, too: what could not be read came from somebody who lives.
    if (!this.closing) this.send({ kind: 'request', ticket: 0, request: { want: 'stop' } })
    this.closing = true
    await this.end()
  }

  /** The learner is no more. The first cause counts; one that was told to stop is not missed. */
  lose(error: Error): void {
    if (this.lost) return
    this.lost = error
    if (!this.closing) this.events.onLost?.(error)
    const waiting = [...this.replies.values(), ...this.rooms, ...(this.opened ? [this.opened] : [])]
    this.replies.clear()
    this.rooms.clear()
    for (const { reject } of waiting) reject(error)
  }

  private get inFlight(): number {
    return this.told - this.taken
  }

  private tell(bytes: ArrayBuffer): void {
    if (this.lost) throw this.lost
    this.told++
    this.port.postMessage(bytes, [bytes])
  }

  private room(most: number): Promise<void> {
    if (this.lost) return Promise.reject(this.lost)
    if (this.inFlight <= most) return Promise.resolve()
    return new Promise((resolve, reject) => this.rooms.add({ resolve, reject, most }))
  }

  private ask(request: ControlRequest): Promise<Reply> {
    if (this.lost) return Promise.reject(this.lost)
    const ticket = ++this.tickets
    const reply = new Promise<Reply>((resolve, reject) => this.replies.set(ticket, { resolve, reject }))
    this.send({ kind: 'request', ticket, request })
    return reply
  }

  private send(head: ToLearner): void {
    const bytes = encodeMessage({ head, arrays: [] })
    this.port.postMessage(bytes, [bytes])
  }

  private receive(bytes: ArrayBuffer): void {
    const message = decodeMessage<FromLearner>(bytes)
    const { head } = message
    if (head.kind === 'ready') this.opened?.resolve()
    else if (head.kind === 'taken') this.take(head.messages)
    else if (head.kind === 'figures') this.events.onFigures?.(figuresOf(head.figures))
    else if (head.kind === 'alive') this.events.onAlive?.()
    else if (head.kind === 'failed') this.lose(decodeError(head.error))
    else if (head.kind === 'reply') {
      this.replies.get(head.ticket)?.resolve(head.reply)
      this.replies.delete(head.ticket)
    } else if (head.back || head.version >= (this.published?.version ?? 0)) {
      this.published = publishedOf(head, message)
      this.events.onWeights?.(this.published)
    }
  }

  private take(messages: number): void {
    this.taken = Math.max(this.taken, messages)
    this.events.onTaken?.()
    for (const waiting of this.rooms)
      if (this.inFlight <= waiting.most) {
        this.rooms.delete(waiting)
        waiting.resolve()
      }
  }
}
