/**
 * @file One session between an actor and a learner: messages whole, in their order, each once, over a broker that may lose,
 * repeat and reorder what it carries, and be away for as long as it likes. What has not been acknowledged is sent again.
 */
import { InputError, LostError } from '../../errors.ts'
import type { ServedPort } from '../port.ts'
import { type Datagram, encodeDatagram } from './datagram.ts'

const FRAGMENT = 256 << 10 // bytes: well below what any broker takes in one message
const WINDOW = 32 // datagrams on their way
const LONGEST = 1 << 29 // bytes of a message; beyond it somebody means harm
const BEAT = 500 // ms between two looks at what has not arrived
const SILENT = 5000 // ms since the other end was heard; then nothing is sent again until it is
const RARELY = 8 // beats between two attempts to bring a datagram that does not arrive, at most
const LINGER = 3000 // ms for what is still to go out when it is closed

export type ChannelEvents = {
  /** The other end has left, or does not know this session any more. Called once. */
  onLost?: (error: Error) => void
  /** Nothing goes through it any more, whoever ended it. Called once. */
  onOver?: () => void
}

export class LinkChannel implements ServedPort {
  /** When the other end was last heard, as `performance.now` counts. */
  heardAt = performance.now()
  private readonly queued: { more: boolean; payload: Uint8Array }[] = []
  private readonly sent: { number: number; bytes: Uint8Array }[] = [] // not acknowledged
  private numbered = 0
  private arrived = 0 // everything up to this number has
  private readonly ahead = new Map<number, Pick<Datagram, 'more' | 'payload'>>()
  private parts: Uint8Array[] = []
  private partBytes = 0
  private readonly unheard: ArrayBuffer[] = []
  private listener: ((message: ArrayBuffer) => void) | undefined
  private answering = false
  private stalled = 0 // beats without an acknowledgement
  private closing: number | undefined // since when
  private over = false
  private readonly timer: ReturnType<typeof setInterval>

  constructor(
    readonly session: string,
    private readonly send: (datagram: Uint8Array) => void,
    private readonly events: ChannelEvents = {},
  ) {
    this.timer = setInterval(() => this.beat(), BEAT)
    this.timer.unref()
  }

  /** Nothing goes through it any more. */
  get ended(): boolean {
    return this.over
  }

  /** Bytes that were posted and have not arrived. */
  get backlog(): number {
    const sum = (list: readonly Uint8Array[]) => list.reduce((bytes, { length }) => bytes + length, 0)
    return sum(this.queued.map(({ payload }) => payload)) + sum(this.sent.map(({ bytes }) => bytes))
  }

  postMessage(message: ArrayBuffer, _transfer: readonly ArrayBuffer[] = []): void {
    if (this.over || this.closing !== undefined) return
    const bytes = new Uint8Array(message)
    for (let at = 0; at === 0 || at < bytes.length; at += FRAGMENT)
      this.queued.push({ more: at + FRAGMENT < bytes.length, payload: bytes.subarray(at, at + FRAGMENT) })
    this.fill()
  }

  on(_event: 'message', listener: (message: ArrayBuffer) => void): void {
    this.listener = listener
    for (const message of this.unheard.splice(0)) listener(message)
  }

  /** A datagram of this session. */
  receive({ kind, number, more, payload }: Datagram): void {
    if (this.over) return
    const silent = performance.now() - this.heardAt > SILENT
    this.heardAt = performance.now()
    if (kind === 'bye') this.end(new LostError('the other end of the link', 'has left', 'It is looked for again'))
    else if (kind === 'got') this.acknowledged(number, silent)
    else if (kind === 'data') {
      if (silent) this.resend()
      else this.answer()
      if (number <= this.arrived || number > this.arrived + 2 * WINDOW) return
      this.ahead.set(number, { more, payload })
      for (let next = this.ahead.get(this.arrived + 1); next; next = this.ahead.get(this.arrived + 1)) {
        this.ahead.delete(++this.arrived)
        this.append(next)
      }
    }
  }

  /** The broker is back: whatever was on its way may be lost. */
  resend(): void {
    for (const { bytes } of this.sent) this.send(bytes)
    this.answer()
  }

  /** What was posted goes out, where anybody takes it; then the other end hears that this one leaves. */
  close(): void {
    this.closing ??= performance.now()
    this.leaveIfDone()
  }

  /** At once, and without a word: the other end has begun another session. */
  abandon(): void {
    this.end(new LostError('the other end of the link', 'has begun anew', 'It is looked for again'))
  }

  private beat(): void {
    if (this.closing !== undefined) this.leaveIfDone()
    if (this.over) return
    this.answer() // a sign of life
    if (this.sent.length === 0 || ++this.stalled < 2) return
    const due = this.stalled % RARELY === 0 || [2, 4].includes(this.stalled)
    if (due && performance.now() - this.heardAt <= SILENT) this.send(this.sent[0]!.bytes)
  }

  private fill(): void {
    while (this.sent.length < WINDOW) {
      const next = this.queued.shift()
      if (!next) return
      const number = ++this.numbered
      const bytes = encodeDatagram({ kind: 'data', session: this.session, number, ...next })
      this.sent.push({ number, bytes })
      this.send(bytes)
    }
  }

  /** `isBack`: it was not heard for a while; what went to it meanwhile is lost. */
  private acknowledged(number: number, isBack: boolean): void {
    if (number > this.numbered) return // nobody has sent that many
    const { stalled } = this
    while (this.sent.length > 0 && this.sent[0]!.number <= number) {
      this.sent.shift()
      this.stalled = 0
    }
    if (isBack || (stalled >= 2 && this.stalled === 0)) this.resend() // one was lost, and perhaps those behind it
    this.fill()
    if (this.closing !== undefined) this.leaveIfDone()
  }

  /** Once for all that arrives together. */
  private answer(): void {
    if (this.answering) return
    this.answering = true
    queueMicrotask(() => {
      this.answering = false
      if (!this.over) this.say('got', this.arrived)
    })
  }

  private append({ more, payload }: Pick<Datagram, 'more' | 'payload'>): void {
    this.parts.push(payload)
    this.partBytes += payload.length
    if (this.partBytes > LONGEST) {
      this.end(
        new InputError('link message', `is longer than ${LONGEST} bytes`, 'Run the same version of Duet at both ends'),
      )
      return
    }
    if (more) return
    const message = new Uint8Array(this.partBytes)
    let at = 0
    for (const part of this.parts) {
      message.set(part, at)
      at += part.length
    }
    this.parts = []
    this.partBytes = 0
    if (this.listener) this.listener(message.buffer)
    else this.unheard.push(message.buffer)
  }

  private leaveIfDone(): void {
    const done = this.sent.length === 0 && this.queued.length === 0
    if (this.over || !(done || performance.now() - this.closing! > LINGER)) return
    this.say('bye', 0)
    this.end()
  }

  private say(kind: 'got' | 'bye', number: number): void {
    this.send(encodeDatagram({ kind, session: this.session, number, more: false, payload: new Uint8Array(0) }))
  }

  private end(lost?: Error): void {
    if (this.over) return
    this.over = true
    clearInterval(this.timer)
    if (lost && this.closing === undefined) this.events.onLost?.(lost)
    this.events.onOver?.()
  }
}
