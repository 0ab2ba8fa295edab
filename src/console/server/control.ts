/**
 * @file Who may reach in. One page at a time holds control, on a lease that every message of it renews; the others look on,
 * and may ask. When the holder lets go, or falls silent, whoever asked first gets it.
 */
import type { ClientName } from '../protocol.ts'

export type Change = {
  from: ClientName | null
  to: ClientName | null
  cause: 'request' | 'release' | 'grant' | 'silence' | 'gone' // silence: the lease ran out; gone: the connection closed
}

export class Control {
  private held: { person: ClientName; until: number } | null = null
  private queue: ClientName[] = []

  constructor(
    private readonly lease: number, // ms
    private readonly now: () => number, // ms, never going back
    private readonly onChange: (change: Change) => void,
  ) {}

  get holder(): ClientName | null {
    return this.held?.person ?? null
  }

  get waiting(): readonly ClientName[] {
    return this.queue
  }

  holds(client: string): boolean {
    return this.held?.person.client === client
  }

  /** @returns whether control is theirs now; otherwise they wait for it, visibly */
  request(person: ClientName): boolean {
    if (this.holds(person.client)) return true
    if (!this.held) {
      this.hand(person, 'request')
      return true
    }
    if (!this.queue.some(({ client }) => client === person.client)) this.queue.push(person)
    return false
  }

  /** Gives control back, or no longer waits for it. */
  release(client: string): void {
    this.forget(client)
    if (this.holds(client)) this.next('release')
  }

  /** The holder hands over to one who waits. @returns whether there is such a one */
  grant(client: string, to: string): boolean {
    const person = this.queue.find((one) => one.client === to)
    if (!this.holds(client) || !person) return false
    this.forget(to)
    this.hand(person, 'grant')
    return true
  }

  /** Anything the holder says. */
  renew(client: string): void {
    if (this.held && this.holds(client)) this.held.until = this.now() + this.lease
  }

  /** A connection has closed. */
  gone(client: string): void {
    this.forget(client)
    if (this.holds(client)) this.next('gone')
  }

  /** Takes control from a holder whose lease has run out. To be called every now and then. */
  expire(): void {
    if (this.held && this.now() > this.held.until) this.next('silence')
  }

  rename(client: string, name: string): void {
    if (this.held && this.holds(client)) this.held.person = { client, name }
    this.queue = this.queue.map((one) => (one.client === client ? { client, name } : one))
  }

  private forget(client: string): void {
    this.queue = this.queue.filter((one) => one.client !== client)
  }

  private next(cause: Change['cause']): void {
    this.hand(this.queue.shift() ?? null, cause)
  }

  private hand(to: ClientName | null, cause: Change['cause']): void {
    const from = this.holder
    this.held = to && { person: to, until: this.now() + this.lease }
    this.onChange({ from, to, cause })
  }
}
