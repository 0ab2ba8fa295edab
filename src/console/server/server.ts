/**
 * @file The console's server: the page and the runs on disk over HTTP or HTTPS, the running one over a WebSocket. It
 * listens to this machine alone unless it is told otherwise, and then asks for a token.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { InputError } from '../../errors.ts'
import { requestPath } from '../../request-path.ts'
import { type ClientMessage, LIMITS, LIVE_PATH, type ServerEvent } from '../protocol.ts'
import type { Audience } from './broadcast.ts'
import { Client } from './client.ts'
import { type Door, doorFor, refusal, SECURITY_HEADERS } from './guards.ts'
import type { Identity } from './identity.ts'
import { isWildcard, LOOPBACK, type Names, namesFor } from './names.ts'
import type { RunObserver } from './observer.ts'
import { Orders } from './orders.ts'
import { DEFAULT_PORT } from './port.ts'
import { answerRequest, type Library } from './requests.ts'

export type ConsoleOptions = {
  observer: RunObserver
  library: Library // runs on disk
  page: string // folder of the built page
  host?: string
  port?: number // 0: any that is free
  token?: string
  names?: Names // what it is asked for by, if that is more than `host` says
  identity?: Identity // serves HTTPS with it
}

const PATIENCE = { requestTimeout: 30_000, headersTimeout: 10_000 } // ms
const LIMITED = { ...PATIENCE, maxHeaderSize: 16_384 } // bytes

export class ConsoleServer implements Audience {
  private readonly clients = new Map<string, Client>()
  private readonly sockets: WebSocketServer
  private readonly orders: Orders
  private readonly connections = new Set<Socket>() // also those that say nothing
  private skippedBefore = 0 // pictures, to pages that have left
  private numbers = 0

  private constructor(
    private readonly http: Server,
    private readonly door: Door,
    readonly names: Names,
    private readonly options: ConsoleOptions,
  ) {
    this.sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: LIMITS.messageBytes })
    this.orders = new Orders(options.observer, (client, age) => this.clients.get(client)?.say({ kind: 'late', age }))
    http.on('connection', (socket: Socket) => {
      this.connections.add(socket)
      socket.once('close', () => this.connections.delete(socket))
    })
    http.on('request', (request, response) => this.answer(request, response))
    http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head))
    options.observer.broadcast.seat(this)
  }

  /** @throws InputError if the port is taken, the address not this machine's, or the token too short */
  static async open(options: ConsoleOptions): Promise<ConsoleServer> {
    const { host = LOOPBACK, port = DEFAULT_PORT, token, identity, names = namesFor(host) } = options
    const http = identity
      ? createSecureServer({ ...LIMITED, handshakeTimeout: 10_000, cert: identity.cert, key: identity.key })
      : createServer(LIMITED)
    const server = new ConsoleServer(http, doorFor(names, token, identity), names, options)
    await new Promise<void>((resolve, reject) => {
      http.once('error', (cause: NodeJS.ErrnoException) => {
        const what = cause.code === 'EADDRINUSE' ? `port ${port} is taken` : `cannot be opened: ${cause.message}`
        const ofPort = cause.code === 'EADDRINUSE' || cause.code === 'EACCES'
        const remedy = ofPort ? 'Choose another with --port' : 'Give an address of this machine with --host, or 0.0.0.0'
        reject(new InputError(`console at ${host}`, what, remedy, { cause }))
      })
      http.listen(port, host, resolve)
    })
    return server
  }

  /** Where a browser of this machine finds the page. */
  get address(): string {
    const { address } = this.http.address() as AddressInfo
    const here = address === '::' ? '::1' : LOOPBACK
    return this.addressAt(isWildcard(address) ? here : address)
  }

  /** Where a browser finds the page that knows this machine by `name`. */
  addressAt(name: string): string {
    const { port } = this.http.address() as AddressInfo
    const scheme = this.options.identity ? 'https' : 'http'
    const query = this.door.token === null ? '' : `?token=${encodeURIComponent(this.door.token)}`
    return `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${port}/${query}`
  }

  /** What it shows over HTTPS. */
  get identity(): Identity | undefined {
    return this.options.identity
  }

  get viewers(): number {
    return this.clients.size
  }

  get framesSkipped(): number {
    return [...this.clients.values()].reduce((sum, { skipped }) => sum + skipped, this.skippedBefore)
  }

  /** To every page. The first event of a run that has just opened is a greeting for each. */
  tell(event: ServerEvent): void {
    if (this.clients.size === 0) return
    const text = JSON.stringify(event)
    for (const client of this.clients.values()) client.tell(text)
  }

  show(frame: Uint8Array): void {
    for (const client of this.clients.values()) client.show(frame)
  }

  /** The robots are there: pages that have waited hear of it. */
  greet(): void {
    for (const client of this.clients.values()) this.welcome(client)
  }

  async close(): Promise<void> {
    for (const client of this.clients.values()) client.close(1001, 'the console is closing')
    const closed = new Promise((resolve) => this.http.close(resolve))
    setTimeout(() => {
      for (const client of this.clients.values()) client.drop()
      for (const connection of this.connections) connection.destroy()
    }, 500).unref()
    await closed
    this.sockets.close()
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const open = { ...this.door, token: request.url?.startsWith('/api/') ? this.door.token : null } // the page holds no secret
    const why = refusal(request, open, false)
    if (why !== undefined) {
      this.refuse(request, why)
      response.writeHead(403, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: why }))
      return
    }
    void answerRequest(request, response, this.options)
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {}) // who is refused may cut the line first, and nobody else listens to it by now
    const path = requestPath(request)
    const full = this.clients.size >= LIMITS.clients ? `${LIMITS.clients} pages are open already` : undefined
    const why =
      path === LIVE_PATH
        ? (refusal(request, this.door, true) ?? full)
        : `there is nothing at ${path ?? 'what is no address'}`
    if (why !== undefined) {
      this.refuse(request, why)
      socket.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.sockets.handleUpgrade(request, socket, head, (connection) => this.admit(connection, request))
  }

  private admit(socket: WebSocket, request: IncomingMessage): void {
    const id = String(++this.numbers)
    const address = request.socket.remoteAddress
    const { journal, now } = this.options.observer
    const client = new Client(id, socket, now, {
      onMessage: (message) => this.hear(client, message),
      onRefused: (why) => journal.write({ what: 'refused', why, client: id, name: client.name, address }),
    })
    journal.write({ what: 'connected', client: id, address })
    socket.on('error', (error) => journal.write({ what: 'refused', why: error.message, client: id, address }))
    socket.on('close', () => {
      this.skippedBefore += client.skipped
      this.clients.delete(id)
      journal.write({ what: 'disconnected', client: id, name: client.name })
      this.orders.gone(id)
    })
    this.welcome(client)
  }

  private welcome(client: Client): void {
    const { observer } = this.options
    for (const event of observer.greeting(client.id)) client.say(event)
    this.clients.set(client.id, client) // the greeting is what it hears first
    observer.live?.picture()
  }

  private hear(client: Client, message: ClientMessage): void {
    if (message.kind === 'ping') {
      this.orders.heard(client.id, message.t, message.pong)
      client.say({ kind: 'pong', t: message.t, serverTime: Date.now(), left: this.options.observer.now() })
    } else if (message.kind === 'hidden') client.hidden = message.hidden
    else if (message.kind === 'name') {
      client.name = message.name
      this.orders.rename(client.id, message.name)
    } else {
      const why = this.orders.handle({ client: client.id, name: client.name }, message)
      if (why !== undefined) client.say({ kind: 'refused', what: message.kind, why })
    }
  }

  private refuse({ socket, method, url }: IncomingMessage, why: string): void {
    const path = (url ?? '').replace(/\?.*$/, '')
    this.options.observer.journal.write({ what: 'refused', why, method, path, address: socket.remoteAddress })
  }
}
