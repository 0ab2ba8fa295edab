/**
 * @file A connection to rosbridge, protocol 2 in JSON over a WebSocket. Nothing is kept for later: what cannot be sent now is
 * refused, and a connection that is lost is lost.
 */
import { type RawData, WebSocket } from 'ws'
import { InputError, LostError } from '../../errors.ts'

const LARGEST = 16 * 2 ** 20 // bytes of a message that is taken; a picture has a hundredth of it
const WAITING = 16 * 2 ** 10 // bytes that may stand before the socket; a command has three hundred

export type BridgeListener = {
  /** Told once, unless it was closed by us. */
  lost(why: string): void
  /**
   * The bridge says that something we asked for is wrong: a type that it does not know, a message that it dropped. The protocol
   * has it so; the bridges that we know write it into their own log alone, and stay silent.
   */
  refused(what: string): void
}

type Waiting = { resolve(values: unknown): void; reject(error: Error): void }

export class Bridge {
  private readonly topics = new Map<string, ((message: unknown) => void)[]>() // who reads each
  private readonly calls = new Map<string, Waiting>()
  private numbers = 0
  private open = true

  private constructor(
    readonly address: string,
    private readonly socket: WebSocket,
    private readonly listener: BridgeListener,
  ) {
    socket.on('message', (data, isBinary) => this.receive(data, isBinary))
    socket.on('error', () => {}) // followed by close
    socket.on('close', (code, reason) =>
      this.leave(`the connection closed (${code}${reason.length ? `, ${reason}` : ''})`),
    )
  }

  /** @throws InputError if nobody answers at the address within `patience` ms */
  static async connect(address: string, patience: number, listener: BridgeListener): Promise<Bridge> {
    const socket = new WebSocket(address, {
      handshakeTimeout: patience,
      maxPayload: LARGEST,
      perMessageDeflate: false,
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', (cause) =>
        reject(
          new InputError(
            `rosbridge at ${address}`,
            `cannot be reached: ${cause.message}`,
            'Start rosbridge_server there, or give its address as robot.address',
            { cause },
          ),
        ),
      )
    })
    socket.removeAllListeners('error')
    return new Bridge(address, socket, listener)
  }

  get isOpen(): boolean {
    return this.open && this.socket.readyState === this.socket.OPEN
  }

  /** `throttle`: ms between two messages at least; of those in between the newest is sent. */
  subscribe(topic: string, type: string, throttle: number, receive: (message: unknown) => void): void {
    const others = this.topics.get(topic)
    this.topics.set(topic, [...(others ?? []), receive])
    if (!others) this.send({ op: 'subscribe', id: this.id(), topic, type, throttle_rate: throttle, queue_length: 1 })
  }

  advertise(topic: string, type: string): void {
    this.send({ op: 'advertise', id: this.id(), topic, type })
  }

  /** Whether it went off. It does not when the connection is lost, or when it would stand in a queue. */
  publish(topic: string, message: object): boolean {
    if (!this.isOpen || this.socket.bufferedAmount > WAITING) return false
    this.send({ op: 'publish', topic, msg: message })
    return true
  }

  /** What a service answers. @throws InputError if it refuses or is silent for `patience` ms; LostError if the bridge is gone */
  call(service: string, args: object, patience: number): Promise<unknown> {
    const id = this.id()
    const refused = (what: string) =>
      new InputError(`service ${service}`, what, 'See what its node says, and whether robot.version is right')
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.gone('was closed'))
      const timer = setTimeout(
        () => this.calls.get(id)?.reject(refused(`has not answered for ${patience / 1000} s`)),
        patience,
      )
      const over = () => {
        clearTimeout(timer)
        this.calls.delete(id)
      }
      this.calls.set(id, {
        resolve: (values) => {
          over()
          resolve(values)
        },
        reject: (error) => {
          over()
          reject(error)
        },
      })
      this.send({ op: 'call_service', id, service, args })
    })
  }

  /** Resolves when it is closed; what was sent before has gone off. */
  async close(): Promise<void> {
    if (!this.open) return
    this.open = false
    this.forget(this.gone('was closed'))
    await new Promise<void>((resolve) => {
      this.socket.once('close', () => resolve())
      this.socket.close()
      setTimeout(() => this.socket.terminate(), 500).unref()
    })
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (isBinary) this.break('it sent a binary message; turn off its bson_only_mode')
    else if (this.open) this.understand(data.toString())
  }

  private understand(text: string): void {
    let message: Record<string, unknown>
    try {
      message = JSON.parse(text)
    } catch {
      this.break(`it sent what is no JSON: ${text.slice(0, 80)}`)
      return
    }
    const { op, topic, msg, id } = message ?? {}
    if (op === 'publish') for (const receive of this.topics.get(String(topic)) ?? []) receive(msg)
    else if (op === 'service_response') this.answer(String(id), message)
    else if (op === 'status') this.status(message)
    else if (op === 'fragment' || op === 'png') this.break(`it sent a message as "${op}", which nobody asked for`)
  }

  private answer(id: string, { result, values, service }: Record<string, unknown>): void {
    const waiting = this.calls.get(id)
    if (result === false) {
      const why = typeof values === 'string' ? values : JSON.stringify(values)
      waiting?.reject(new InputError(`service ${service}`, `was refused: ${why}`, 'See what its node says'))
    } else waiting?.resolve(values)
  }

  /** A service call that failed is told by its answer, too. */
  private status({ level, msg, id }: Record<string, unknown>): void {
    if (level !== 'error' || this.calls.has(String(id)) || /^call_service/.test(String(msg))) return
    this.listener.refused(String(msg))
  }

  private break(why: string): void {
    this.leave(why)
    this.socket.terminate()
  }

  private leave(why: string): void {
    if (!this.open) return
    this.open = false
    this.forget(this.gone(why))
    this.listener.lost(why)
  }

  private forget(error: Error): void {
    for (const { reject } of [...this.calls.values()]) reject(error)
  }

  private gone(why: string): LostError {
    return new LostError(`rosbridge at ${this.address}`, why, 'Look at the robot and at the bridge, then start again')
  }

  private send(operation: object): void {
    this.socket.send(JSON.stringify(operation))
  }

  private id(): string {
    return `duet:${++this.numbers}`
  }
}
