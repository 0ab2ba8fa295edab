/** @file The page's line to its server: opens, opens again when lost, sorts what arrives, sends what the person does. */
import {
  type ClientMessage,
  decodeFrame,
  LIVE_PATH,
  PROTOCOL_VERSION,
  type ServerEvent,
  TIMES,
} from '../../protocol.ts'
import { Store } from '../parts/store.ts'
import { ServerClock } from './clock.ts'
import { Frames } from './frames.ts'
import { inControl, lost, type Model, noted, reduce, START } from './model.ts'

const SILENCE = 2000 // ms without a word from the server after which the line counts as lost
const OPENING = 5000 // ms; TCP repeats what a cut line has swallowed ever more rarely, so a new attempt comes through sooner
const RETRY = { first: 250, most: 3000 } // ms

export class Connection {
  readonly model = new Store<Model>(START)
  readonly frames = new Frames()
  readonly clock = new ServerClock()
  private socket: WebSocket | null = null
  private heard = 0
  private pong: { left: number; came: number } | undefined // that the server does not know of yet
  private retry = RETRY.first
  private stopSent: number | null = null // when, until the server has answered what was sent after it

  constructor(private readonly address: string) {
    this.open()
    setInterval(() => this.beat(), TIMES.pingEvery)
    document.addEventListener('visibilitychange', () => this.send({ kind: 'hidden', hidden: document.hidden }))
  }

  /** @returns false where nothing could be sent: the line is down */
  send(message: ClientMessage): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false
    this.socket.send(JSON.stringify(message))
    return true
  }

  /** Sends what a person asked for, and says so where that is not possible. A stop is sent again once the line is back. */
  ask(message: ClientMessage): void {
    const sent = this.send(message)
    if (message.kind === 'stop') this.stopSent = performance.now()
    if (sent) return
    const then = message.kind === 'stop' ? 'the stop goes out once there is one' : 'nothing was sent to the robot'
    this.tell(`No connection: ${then}`)
  }

  /** Something that needs control, which is asked for where nobody has it. */
  operate(message: ClientMessage): void {
    const model = this.model.get()
    const holder = inControl(model) ? null : model.control?.holder
    if (holder) this.tell(`${holder.name || 'Somebody else'} has control. Ask for it first`)
    else {
      if (!inControl(model)) this.send({ kind: 'control', action: 'request' })
      this.ask(message)
    }
  }

  /** As `operate`, but control that was taken for this alone is given back at once. */
  operateOnce(message: ClientMessage): void {
    const free = this.model.get().control?.holder === null
    this.operate(message)
    if (free) this.send({ kind: 'control', action: 'release' })
  }

  tell(words: string): void {
    this.model.update((model) => noted(model, words, performance.now()))
  }

  private open(): void {
    const socket = new WebSocket(this.address)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    this.heard = performance.now()
    socket.onopen = () => {
      this.heard = performance.now()
    }
    socket.onmessage = ({ data }) => {
      this.heard = performance.now()
      if (data instanceof ArrayBuffer) this.take(new Uint8Array(data))
      else this.hear(JSON.parse(data) as ServerEvent)
    }
    socket.onclose = () => this.closed(socket)
  }

  private take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes)
    if (frame) this.frames.push(frame)
  }

  private hear(event: ServerEvent): void {
    const now = performance.now()
    if (event.kind === 'pong') {
      this.clock.hear(event.t, event.serverTime, now)
      this.pong = { left: event.left, came: now }
      if (this.stopSent !== null && event.t > this.stopSent) this.stopSent = null
    } else if (event.kind === 'hello' && event.protocol !== PROTOCOL_VERSION)
      this.model.update((model) => ({ ...model, link: 'outdated' }))
    else if (event.kind === 'hello' || this.model.get().link !== 'outdated') {
      this.model.update((model) => reduce(model, event, now))
      if (event.kind === 'hello') this.greet()
    } // of another version it knows no events
  }

  private greet(): void {
    this.retry = RETRY.first
    this.frames.forget()
    this.clock.forget()
    this.pong = undefined
    if (this.stopSent !== null) {
      this.send({ kind: 'stop' }) // the line may have swallowed it
      this.stopSent = performance.now()
    }
    this.ping()
    const name = localStorage.getItem('name')
    if (name) this.send({ kind: 'name', name })
    if (document.hidden) this.send({ kind: 'hidden', hidden: true })
  }

  private beat(): void {
    const { socket } = this
    if (!socket) return
    if (performance.now() - this.heard > (socket.readyState === WebSocket.OPEN ? SILENCE : OPENING)) {
      socket.close() // its own close event may take long on a dead line
      this.closed(socket)
    } else this.ping()
  }

  /** Says what time it is here, and when the last answer came: by both the server knows how old an input is. */
  private ping(): void {
    this.send({ kind: 'ping', t: performance.now(), pong: this.pong })
    this.pong = undefined
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return
    this.socket = null
    if (this.model.get().link !== 'outdated') this.model.update((model) => lost(model, performance.now()))
    setTimeout(() => this.open(), this.retry)
    this.retry = Math.min(2 * this.retry, RETRY.most)
  }
}

/** The live address of the page's own server, with the token of the page's address. */
export function liveAddress(page: Location): string {
  const token = new URLSearchParams(page.search).get('token')
  const scheme = page.protocol === 'https:' ? 'wss:' : 'ws:'
  return `${scheme}//${page.host}${LIVE_PATH}${token ? `?token=${encodeURIComponent(token)}` : ''}`
}
