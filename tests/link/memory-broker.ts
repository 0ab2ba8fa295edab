/** @file A broker in memory that treats what it carries as badly as a test asks it to. */
import type { Wire } from '../../src/link/nats/wire.ts'
import type { RandomStream } from '../../src/random/stream.ts'

export type Treatment = {
  random?: RandomStream
  loss?: number // share of the datagrams
  repeats?: number // share that comes twice
  shuffles?: boolean // those that wait together come in another order
}

type Subscriber = { subject: string; listener: (subject: string, bytes: Uint8Array) => void }

export class MemoryBroker {
  away = false
  carried = 0
  private readonly subscribers = new Set<Subscriber>()
  private readonly back = new Set<() => void>()
  private waiting: { subject: string; bytes: Uint8Array }[] = []

  constructor(public treatment: Treatment = {}) {}

  wire(): Wire {
    return {
      publish: (subject, bytes) => this.take(subject, bytes.slice()),
      subscribe: (subject, listener) => {
        const subscriber = { subject, listener }
        this.subscribers.add(subscriber)
        return () => void this.subscribers.delete(subscriber)
      },
      onBack: (listener) => {
        this.back.add(listener)
        return () => void this.back.delete(listener)
      },
      close: async () => {},
    }
  }

  /** It was away, with all that it carried, and is back. */
  comeBack(): void {
    this.waiting = []
    this.away = false
    for (const listener of this.back) listener()
  }

  private take(subject: string, bytes: Uint8Array): void {
    const { random, loss = 0, repeats = 0 } = this.treatment
    if (this.away || (random && random.uniform() < loss)) return
    if (this.waiting.length === 0) setImmediate(() => this.deliver())
    this.waiting.push({ subject, bytes })
    if (random && random.uniform() < repeats) this.waiting.push({ subject, bytes })
  }

  private deliver(): void {
    const { random, shuffles } = this.treatment
    const all = this.waiting
    this.waiting = []
    while (all.length > 0) {
      const [{ subject, bytes }] = all.splice(random && shuffles ? random.integer(all.length) : 0, 1) as [
        (typeof all)[0],
      ]
      this.carried++
      for (const subscriber of [...this.subscribers])
        if (matches(subscriber.subject, subject)) subscriber.listener(subject, bytes)
    }
  }
}

const matches = (pattern: string, subject: string) => {
  const [wanted, given] = [pattern.split('.'), subject.split('.')]
  return wanted.length === given.length && wanted.every((token, i) => token === '*' || token === given[i])
}
