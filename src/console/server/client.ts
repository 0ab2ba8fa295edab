/** @file One page's connection: what it is sent and when it is too slow for it, what it may send and how much. */
import type { WebSocket } from 'ws'
import { type ClientMessage, LIMITS, type ServerEvent } from '../protocol.ts'
import { decodeClientMessage } from './decode.ts'

const FULL = 200_000 // bytes that wait to be sent: from here on no picture is added
const STUCK = 8_000_000 // bytes: such a page does not read any more
const HIDDEN_EVERY = 1000 // ms between two pictures to a hidden page
const FORGIVEN = 10 // malformed messages before the connection is closed

export type ClientEvents = {
  onMessage: (message: ClientMessage) => void
  onRefused: (why: string) => void
}

export class Client {
  name: string
  hidden = false
  skipped = 0 // pictures
  private shownAt = new Map<number, number>() // by camera, while hidden
  private second = 0
  private messages = 0 // in this second
  private malformed = 0

  constructor(
    readonly id: string,
    private readonly socket: WebSocket,
    private readonly now: () => number,
    private readonly events: ClientEvents,
  ) {
    this.name = `page ${id}`
    socket.on('message', (data, binary) => this.receive(data as Buffer, binary))
  }

  tell(text: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return
    if (this.socket.bufferedAmount > STUCK) this.close(1013, 'too slow')
    else this.socket.send(text)
  }

  say(event: ServerEvent): void {
    this.tell(JSON.stringify(event))
  }

  /** A picture, unless pictures wait already: the newest wins. */
  show(frame: Uint8Array): void {
    if (this.socket.readyState !== this.socket.OPEN) return
    const camera = frame[1]!
    const early = this.hidden && this.now() - (this.shownAt.get(camera) ?? -Infinity) < HIDDEN_EVERY
    if (early || this.socket.bufferedAmount > FULL) {
      if (!early) this.skipped++
      return
    }
    this.shownAt.set(camera, this.now())
    this.socket.send(frame)
  }

  close(code: number, why: string): void {
    this.socket.close(code, why)
  }

  /** Ends the connection without waiting for the page. */
  drop(): void {
    this.socket.terminate()
  }

  private receive(data: Buffer, binary: boolean): void {
    const second = Math.floor(this.now() / 1000)
    if (second !== this.second) this.messages = 0
    this.second = second
    if (++this.messages > LIMITS.messagesPerSecond) {
      if (this.messages === LIMITS.messagesPerSecond + 1) {
        this.events.onRefused(`more than ${LIMITS.messagesPerSecond} messages in a second`)
        this.close(1008, 'too many messages')
      }
      return
    }
    const decoded = binary ? { error: 'message is binary' } : decodeClientMessage(data)
    if ('message' in decoded) {
      this.events.onMessage(decoded.message)
      return
    }
    this.events.onRefused(decoded.error)
    this.say({ kind: 'refused', what: 'message', why: decoded.error })
    if (++this.malformed > FORGIVEN) this.close(1008, 'malformed messages')
  }
}
