/**
 * @file Requests on a half-duplex bus of Feetech servos: one at a time, each with its replies, a time to wait for them and a few
 * tries. Knows ids and registers, not joints.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Line } from './line.ts'
import { BROADCAST, encodePacket, INSTRUCTIONS, type Packet, PacketReader } from './packet.ts'
import { decodeValue, encodeValue, REGISTERS, type RegisterName } from './registers.ts'

/** Requests stayed without a whole reply. `silent`: ids that gave none; `garbled`: bytes came that are no reply. */
export class BusError extends Error {
  override name = 'BusError'
  constructor(
    message: string,
    readonly silent: readonly number[],
    readonly garbled = false,
  ) {
    super(message)
  }
}

export type BusOptions = {
  patience?: number // ms for the replies to one request
  scanPatience?: number // ms for those to a ping to everybody: servos answer it one after the other, 3 ms an id
  quiet?: number // ms after a try that failed, in which what still comes is dropped: a reply does not say what it answers
  tries?: number // of a request, before it counts as failed
}

type Listening = {
  left: Set<number> // ids that have not answered yet
  replies: Map<number, Packet>
  all: boolean // it goes on when all have answered
  extra: number // replies of an id that was asked and has answered already
  done: () => void
}

/** Of all servos that a request went to. `status`: what each finds wrong with itself, see TROUBLES. */
export type Replies = Map<number, { status: number; data: Uint8Array }>

export class ServoBus {
  private readonly patience: number
  private readonly scanPatience: number
  private readonly quiet: number
  private readonly tries: number
  private readonly reader = new PacketReader()
  private listening: Listening | null = null
  private last: Promise<unknown> = Promise.resolve()
  private lostBy: string | null = null
  /** Requests that had to be sent again. */
  retried = 0

  constructor(
    private readonly line: Line,
    { patience = 40, scanPatience = 800, quiet = 20, tries = 3 }: BusOptions = {},
  ) {
    this.patience = patience
    this.scanPatience = scanPatience
    this.quiet = quiet
    this.tries = tries
    line.listen({
      data: (bytes) => this.take(bytes),
      closed: (why) => {
        this.lostBy = why
        this.listening?.done()
      },
    })
  }

  get open(): boolean {
    return this.lostBy === null && this.line.open
  }

  close(): Promise<void> {
    return this.line.close()
  }

  /** Whether a servo of that id is there; listened to for the whole time. @throws BusError where more than one answers */
  async ping(id: number): Promise<boolean> {
    return this.inTurn(async () => {
      const several = () => new BusError(`several servos answer as ${id}`, [], true)
      let collisions = 0 // answers at once spoil each other, each time; a wire that lost a byte does so once
      for (let attempt = 0; attempt < this.tries; attempt++) {
        const { replies, extra, garbled } = await this.ask(encodePacket(id, INSTRUCTIONS.ping), [id], { all: true })
        if (extra > attempt) throw several() // replies to the tries before may come now
        if (replies.has(id)) return true
        if (garbled) collisions++
        await sleep(this.quiet)
      }
      if (collisions === this.tries) throw several()
      return false
    })
  }

  /** Ids of all servos on the bus. */
  async scan(): Promise<number[]> {
    return this.inTurn(async () => {
      const everybody = Array.from({ length: BROADCAST }, (_, id) => id)
      const { replies } = await this.ask(encodePacket(BROADCAST, INSTRUCTIONS.ping), everybody, {
        all: true,
        patience: this.scanPatience,
      })
      return [...replies.keys()].sort((a, b) => a - b)
    })
  }

  /** @throws BusError if it does not answer */
  async read(id: number, name: RegisterName): Promise<number> {
    const { address, bytes } = REGISTERS[name]
    const packet = encodePacket(id, INSTRUCTIONS.read, [address, bytes])
    const replies = await this.request(packet, [id], bytes)
    return decodeValue(REGISTERS[name], replies.get(id)!.data)
  }

  /** @throws BusError if it does not answer */
  async write(id: number, name: RegisterName, value: number): Promise<void> {
    const register = REGISTERS[name]
    const data = [register.address, ...encodeValue(register, value)]
    await this.request(encodePacket(id, INSTRUCTIONS.write, data), [id], 0)
  }

  /** `bytes` from `address` on, of each. @throws BusError naming those that do not answer */
  syncRead(ids: readonly number[], { address, bytes }: { address: number; bytes: number }): Promise<Replies> {
    return this.request(encodePacket(BROADCAST, INSTRUCTIONS.syncRead, [address, bytes, ...ids]), ids, bytes)
  }

  /** The bytes of each, from `address` on; no servo answers to it. @throws BusError if the line is closed */
  async syncWrite(address: number, of: ReadonlyMap<number, readonly number[]>): Promise<void> {
    const [first] = of.values()
    const data = [address, first!.length, ...[...of].flatMap(([id, bytes]) => [id, ...bytes])]
    await this.inTurn(async () => {
      this.expectOpen()
      this.line.write(encodePacket(BROADCAST, INSTRUCTIONS.syncWrite, data))
    })
  }

  /** At once, whatever waits for its turn. Bytes that are on the wire just then may damage it: who must be heard writes in turn, too. */
  writeNow(address: number, of: ReadonlyMap<number, readonly number[]>): void {
    const [first] = of.values()
    const data = [address, first!.length, ...[...of].flatMap(([id, bytes]) => [id, ...bytes])]
    if (this.open) this.line.write(encodePacket(BROADCAST, INSTRUCTIONS.syncWrite, data))
  }

  private request(packet: Uint8Array, ids: readonly number[], bytes: number): Promise<Replies> {
    return this.inTurn(async () => {
      let silent: number[] = []
      let anyGarbled = false
      for (let attempt = 0; attempt < this.tries; attempt++) {
        if (attempt > 0) this.retried++
        const { replies, garbled } = await this.ask(packet, ids)
        silent = ids.filter((id) => replies.get(id)?.data.length !== bytes)
        anyGarbled ||= garbled
        if (silent.length === 0)
          return new Map([...replies].map(([id, { code, data }]) => [id, { status: code, data }]))
        await sleep(this.quiet)
      }
      throw new BusError(`${silent.join(', ')} did not answer ${this.tries} times`, silent, anyGarbled)
    })
  }

  /** Sends it once. `all`: waits for the whole time, so that replies beyond the expected ones are counted. */
  private async ask(packet: Uint8Array, ids: readonly number[], { all = false, patience = this.patience } = {}) {
    this.expectOpen()
    this.reader.clear()
    const { skipped } = this.reader
    const asked: Listening = { left: new Set(ids), all, replies: new Map(), extra: 0, done: () => {} }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience)
      asked.done = () => {
        clearTimeout(timer)
        resolve()
      }
      this.listening = asked
      this.line.write(packet)
    })
    this.listening = null
    this.expectOpen()
    this.reader.clear()
    return { replies: asked.replies, extra: asked.extra, garbled: this.reader.skipped > skipped }
  }

  private take(bytes: Uint8Array): void {
    for (const packet of this.reader.push(bytes)) {
      const { listening } = this
      if (!listening) continue // too late
      if (listening.left.delete(packet.id)) listening.replies.set(packet.id, packet)
      else if (listening.replies.has(packet.id)) listening.extra++ // another id's is late: it answers what was asked before
      if (listening.left.size === 0 && !listening.all) listening.done()
    }
  }

  private expectOpen(): void {
    if (!this.open) throw new BusError(`${this.line.name} ${this.lostBy ?? 'is closed'}`, [])
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work)
    this.last = turn.catch(() => {})
    return turn
  }
}
