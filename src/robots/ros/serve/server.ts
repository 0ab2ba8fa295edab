/**
 * @file A stand-in for rosbridge_server: its protocol over topics and services that this process has, for tests and for a
 * simulated arm. What a client asks for wrongly is answered as the real one answers: by nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { InputError } from '../../../errors.ts'
import { type RosVersion, typeName } from '../messages.ts'

export type Served = {
  version: RosVersion
  publishes: Readonly<Record<string, string>> // topic to type, as ROS 1 writes it
  hears: Readonly<Record<string, { type: string; hear(message: unknown): void }>>
  services: Readonly<Record<string, (args: unknown) => Promise<object> | object>>
  /** What else is asked of its port, by HTTP. @returns false where it is not answered */
  handle?(request: IncomingMessage, response: ServerResponse): boolean
}

type Subscription = {
  socket: WebSocket
  every: number
  last: number
  next: string | null
  timer: NodeJS.Timeout | null
}

const BACKLOG = 2 ** 20 // bytes before a slow client: more, and it misses messages

export class StandInBridge {
  private readonly subscriptions = new Map<string, Set<Subscription>>()
  private readonly sockets: WebSocketServer
  /** For tests: it hears, and says nothing. */
  silent = false

  private constructor(
    private readonly http: Server,
    private readonly served: Served,
  ) {
    this.sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 2 ** 20 })
    this.sockets.on('connection', (socket) => {
      socket.on('message', (data) => void this.answer(socket, data))
      socket.on('error', () => {}) // followed by close
      socket.on('close', () => this.leave(socket))
    })
  }

  /** `port` 0: any that is free. @throws InputError if it is taken */
  static async open(served: Served, host: string, port: number): Promise<StandInBridge> {
    const http = createServer(
      (request, response) => void (served.handle?.(request, response) || response.writeHead(426).end()),
    )
    await new Promise<void>((resolve, reject) => {
      http.once('error', (cause) =>
        reject(
          new InputError(`rosbridge at ${host}:${port}`, `cannot be opened: ${cause.message}`, 'Choose another port'),
        ),
      )
      http.listen(port, host, resolve)
    })
    return new StandInBridge(http, served)
  }

  get address(): string {
    const { address, port } = this.http.address() as AddressInfo
    return `ws://${address}:${port}`
  }

  /** To whoever subscribed to it: at most one a period of theirs, the newest. */
  publish(topic: string, message: object): void {
    const subscriptions = this.subscriptions.get(topic)
    if (!subscriptions?.size || this.silent) return
    const text = JSON.stringify({ op: 'publish', topic, msg: message })
    const now = performance.now()
    for (const one of subscriptions) {
      one.next = text
      const wait = one.last + one.every - now
      if (wait <= 0) this.deliver(one)
      else one.timer ??= setTimeout(() => this.deliver(one), wait)
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate()
    this.sockets.close()
    await new Promise((resolve) => this.http.close(resolve))
  }

  private deliver(one: Subscription): void {
    if (one.timer) clearTimeout(one.timer)
    one.timer = null
    if (one.next !== null && one.socket.bufferedAmount < BACKLOG) one.socket.send(one.next)
    one.next = null
    one.last = performance.now()
  }

  private leave(socket: WebSocket): void {
    for (const subscriptions of this.subscriptions.values())
      for (const one of subscriptions)
        if (one.socket === socket) {
          if (one.timer) clearTimeout(one.timer)
          subscriptions.delete(one)
        }
  }

  private async answer(socket: WebSocket, data: RawData): Promise<void> {
    let message: Record<string, unknown>
    try {
      message = JSON.parse(data.toString())
    } catch {
      return
    }
    const { op, id } = message
    const topic = String(message.topic)
    const heard = this.served.hears[topic]
    if (op === 'subscribe' && this.takes(topic, String(message.type)))
      this.subscribe(socket, topic, Number(message.throttle_rate ?? 0))
    else if (op === 'publish' && heard) {
      try {
        heard.hear(message.msg)
      } catch {
        return // no message of that type
      }
      this.publish(topic, message.msg as object)
    } else if (op === 'call_service')
      await this.call(String(message.service), message.args, id, (answer) => socket.send(JSON.stringify(answer)))
  }

  private async call(service: string, args: unknown, id: unknown, reply: (message: object) => void): Promise<void> {
    if (this.silent) return
    const known = service === '/rosapi/topics' ? () => this.rosapi() : this.served.services[service]
    try {
      if (!known) throw new Error(`service ${service} does not exist`)
      reply({ op: 'service_response', id, service, values: await known(args), result: true })
    } catch (error) {
      const why = (error as Error).message
      reply({ op: 'service_response', id, service, values: why, result: false })
    }
  }

  private rosapi(): object {
    const names = Object.keys(this.topics)
    return { topics: names, types: names.map((name) => typeName(this.topics[name]!, this.served.version)) }
  }

  private get topics(): Readonly<Record<string, string>> {
    const { publishes, hears } = this.served
    return { ...publishes, ...Object.fromEntries(Object.entries(hears).map(([name, { type }]) => [name, type])) }
  }

  /** As the real ones: ROS 1 does not know the names of ROS 2; a topic has one type; one that nobody has may still come. */
  private takes(topic: string, asked: string): boolean {
    if (this.served.version === 1 && asked.includes('/msg/')) return false
    return (this.topics[topic] ?? asked.replace('/msg/', '/')) === asked.replace('/msg/', '/')
  }

  private subscribe(socket: WebSocket, topic: string, every: number): void {
    const subscriptions = this.subscriptions.get(topic) ?? new Set()
    subscriptions.add({ socket, every, last: Number.NEGATIVE_INFINITY, next: null, timer: null })
    this.subscriptions.set(topic, subscriptions)
  }
}
