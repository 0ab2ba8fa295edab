/** @file A page without a screen: speaks the console's protocol over a real WebSocket. */
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import {
  type CameraFrame,
  type ClientMessage,
  decodeFrame,
  type InputMessage,
  type ServerEvent,
} from '../../src/console/protocol.ts'

export type Axes = InputMessage['axes']
export const REST: Axes = [0, 0, 0, 0, 0, 0]

type Kind = ServerEvent['kind']
type Of<K extends Kind> = Extract<ServerEvent, { kind: K }>

type PageOptions = { pings?: boolean; headers?: Record<string, string>; ca?: string; brief?: boolean }

const FLEETING: ReadonlySet<Kind> = new Set([
  'state',
  'loop',
  'pong',
  'metric',
  'metrics',
  'history',
  'progress',
  'coach',
])

export class Page {
  readonly events: ServerEvent[] = []
  readonly frames: CameraFrame[] = []
  closed: { code: number } | null = null
  clock = () => performance.now() // ms
  private seq = 0
  private pong?: { left: number; came: number }
  private pings?: ReturnType<typeof setInterval>

  private readonly newest = new Map<Kind, ServerEvent>() // of the kinds in FLEETING, where it is brief

  private constructor(
    readonly socket: WebSocket,
    private readonly brief: boolean,
  ) {
    socket.on('message', (data: Buffer, binary) => {
      if (!binary) this.hear(JSON.parse(data.toString()))
      else if (!brief) this.frames.push(decodeFrame(data)!)
    })
    socket.on('close', (code) => {
      this.closed = { code }
      clearInterval(this.pings)
    })
  }

  /**
   * `pings`: as a page does that is alive. `ca`: certificates that it trusts, PEM. `brief`: for hours; of what comes all the
   * time it keeps the newest. @throws if it is refused
   */
  static async open(
    address: string,
    { pings = true, headers = {}, ca, brief = false }: PageOptions = {},
  ): Promise<Page> {
    const url = new URL(address)
    const socket = new WebSocket(`${url.protocol.replace('http', 'ws')}//${url.host}/live${url.search}`, {
      headers: { origin: url.origin, ...headers },
      ca,
    })
    const page = new Page(socket, brief)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    if (pings) page.pings = setInterval(() => page.ping(), 200)
    return page
  }

  send(message: ClientMessage): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  input(axes: Axes, hold = true, gripper: InputMessage['gripper'] = 0): void {
    this.send({ kind: 'input', seq: this.seq++, t: this.clock(), axes, gripper, hold })
  }

  private ping(): void {
    this.send({ kind: 'ping', t: this.clock(), pong: this.pong })
  }

  private hear(event: ServerEvent): void {
    if (this.brief && FLEETING.has(event.kind)) this.newest.set(event.kind, event)
    else this.events.push(event)
    if (event.kind === 'pong') this.pong = { left: event.left, came: this.clock() }
  }

  /** Holds the device like that for a while, then lets go. */
  async hold(axes: Axes, ms: number, gripper: InputMessage['gripper'] = 0): Promise<void> {
    const end = performance.now() + ms
    while (performance.now() < end) {
      this.input(axes, true, gripper)
      await sleep(33)
    }
    this.input(REST, false)
  }

  all<K extends Kind>(kind: K): Of<K>[] {
    const newest = this.newest.get(kind)
    if (newest) return [newest as Of<K>]
    return this.events.filter((event): event is Of<K> => event.kind === kind)
  }

  last<K extends Kind>(kind: K): Of<K> | undefined {
    return this.all(kind).at(-1)
  }

  /** Events from now on. */
  forget(): void {
    this.events.length = 0
  }

  async until<K extends Kind>(kind: K, test: (event: Of<K>) => boolean = () => true, ms = 8000): Promise<Of<K>> {
    const end = performance.now() + ms
    while (performance.now() < end) {
      const found = this.all(kind).find(test)
      if (found) return found
      await sleep(5)
    }
    throw new Error(`no such ${kind} event; the last one is ${JSON.stringify(this.last(kind))}`)
  }

  async takeControl(): Promise<void> {
    this.send({ kind: 'control', action: 'request' })
    const { client } = await this.until('hello')
    await this.until('control', ({ holder }) => holder?.client === client)
  }

  /** As a page whose machine died: no word, no close. */
  fallSilent(): void {
    clearInterval(this.pings)
  }

  close(): void {
    this.socket.close()
  }
}
