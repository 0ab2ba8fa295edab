/** @file A connection to a NATS broker. Only who takes part in a fleet loads this, and the client with it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { InputError, LostError } from '../../errors.ts'
import { firstWord } from './first-word.ts'
import type { Wire } from './wire.ts'

export type Broker = {
  url: string // nats://host:port or tls://host:port
  seed?: string // secret of an nkey
  ca?: string // certificates that vouch for it, PEM; where its own are not known to the system
}

export type BrokerEvents = {
  /** The broker is away, back, or refuses something; one line. */
  onTrouble?: (line: string) => void
  /** Ends the waiting for a broker that is not there yet. */
  signal?: AbortSignal
  /** ms without a word from a broker after which the connection to it is given up, and another one begun. */
  silence?: number
}

const AGAIN = 250 // ms between two attempts
const REFUSED_AGAIN = 1000 // ms until a broker that refuses the key is asked again
const SAID_AFTER = 3000 // ms of waiting for the first connection
const LEAVING = 2000 // ms for what is still to go out
const SILENCE = 5000 // ms
const LOOKS = 5 // in that time; each asks the broker for a word
const ANSWER = 2000 // ms to the first word of a broker that is there
const ENTRY = 10_000 // ms from there until it has let in: keys and certificates take their time on a machine with much to do

/**
 * Waits for a broker that is not there yet; one that goes away is waited for as long as it takes.
 * @throws InputError if it refuses the key, or cannot be asked; the reason of `signal`
 */
export async function connectBroker(
  broker: Broker,
  name: string,
  { onTrouble, signal, silence = SILENCE }: BrokerEvents = {},
): Promise<Wire> {
  const { url } = broker
  const patience = setTimeout(() => onTrouble?.(`No broker at ${url} yet; waiting for it.`), SAID_AFTER)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const connection = await attempt(broker, name, signal ?? NEVER)
      if (connection) {
        const dial = (signal: AbortSignal) => attempt(broker, name, signal)
        return new NatsWire(connection, { url, dial, silence, onTrouble })
      }
      await sleep(AGAIN)
    }
  } finally {
    clearTimeout(patience)
  }
}

const NEVER = new AbortController().signal

/** Undefined where nobody answers. */
async function attempt({ url, seed, ca }: Broker, name: string, signal: AbortSignal) {
  try {
    await firstWord(url, ANSWER, signal)
    return await connect({
      servers: url,
      name,
      authenticator: seed === undefined ? undefined : nkeyAuthenticator(new TextEncoder().encode(seed)),
      tls: ca === undefined ? (url.startsWith('tls:') ? {} : undefined) : { ca }, // given, nothing goes without it
      timeout: ENTRY,
      reconnect: false, // its own way waits for the old socket first
      ignoreClusterUpdates: true,
    })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const { message } = error as Error
    if (/authorization violation/i.test(message))
      throw new InputError(`broker ${url}`, 'refuses this key', 'Ask for a new invitation: duet fleet invite', {
        cause: error,
      })
    if (isAway(error as Error)) return undefined
    throw new InputError(`broker ${url}`, `cannot be used (${message})`, 'Check address and certificate', {
      cause: error,
    })
  }
}

const AWAY = [
  ...['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ETIMEDOUT'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EPIPE'],
]
const BROKEN_OFF = ['ConnectionError', 'ClosedConnectionError', 'TimeoutError', 'AuthorizationError'] // the last one: too late with its key

const isAway = (error: NodeJS.ErrnoException) =>
  error instanceof LostError || BROKEN_OFF.includes(error.name) || AWAY.includes(error.code ?? '')

type Listener = { subject: string; hear: (subject: string, bytes: Uint8Array) => void; leave?: () => void }

type WireOptions = Pick<BrokerEvents, 'onTrouble'> & {
  url: string
  dial: (signal: AbortSignal) => Promise<NatsConnection | undefined>
  silence: number
}

/**
 * One connection after another. One that is silent is dropped at once, with what has not gone out: the client would wait until
 * the system has brought that to the other end, and after a cut of a minute the system may try no sooner than in another one.
 */
class NatsWire implements Wire {
  private connection: NatsConnection | undefined
  private readonly listeners = new Set<Listener>()
  private readonly back = new Set<() => void>()
  private readonly leaving = new AbortController()
  private readonly living: Promise<void>

  constructor(
    first: NatsConnection,
    private readonly options: WireOptions,
  ) {
    this.living = this.live(first)
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (this.connection?.isClosed() === false) this.connection.publish(subject, bytes)
  }

  subscribe(subject: string, hear: Listener['hear']): () => void {
    const listener: Listener = { subject, hear }
    this.listeners.add(listener)
    this.enter(listener)
    return () => {
      this.listeners.delete(listener)
      listener.leave?.()
    }
  }

  onBack(listener: () => void): () => void {
    this.back.add(listener)
    return () => void this.back.delete(listener)
  }

  async close(): Promise<void> {
    const { connection } = this
    if (connection) await Promise.race([connection.flush().catch(() => {}), sleep(LEAVING)])
    this.leaving.abort()
    await connection?.close()
    await this.living
  }

  private async live(first: NatsConnection): Promise<void> {
    const { url, onTrouble } = this.options
    const { signal } = this.leaving
    for (let connection: NatsConnection | undefined = first; connection; ) {
      this.connection = connection
      for (const listener of this.listeners) this.enter(listener)
      if (connection !== first) {
        onTrouble?.(`The broker at ${url} is back.`)
        for (const listener of this.back) listener()
      }
      void this.sayErrors(connection)
      await endOf(connection, this.options.silence)
      this.connection = undefined
      if (signal.aborted) return
      onTrouble?.(`The broker at ${url} is away.`)
      connection = await this.another()
    }
  }

  private enter(listener: Listener): void {
    const { connection } = this
    if (!connection || connection.isClosed()) return
    const subscription = connection.subscribe(listener.subject, {
      callback: (error, { subject, data }) => {
        if (!error) listener.hear(subject, data)
      },
    })
    listener.leave = () => subscription.unsubscribe()
  }

  private async sayErrors(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status())
      if (status.type === 'error') this.options.onTrouble?.(`Broker ${this.options.url}: ${status.error.message}`)
  }

  /** Undefined where nobody wants it any more. */
  private async another(): Promise<NatsConnection | undefined> {
    const { dial, onTrouble } = this.options
    const { signal } = this.leaving
    let said = ''
    while (!signal.aborted) {
      let wait = AGAIN
      try {
        const connection = await dial(signal)
        if (connection && !signal.aborted) return connection
        await connection?.close()
      } catch (error) {
        if (signal.aborted) break
        const { message } = error as Error
        if (message !== said) onTrouble?.(message)
        said = message
        wait = REFUSED_AGAIN // a key may be let in again
      }
      await sleep(wait, undefined, { signal }).catch(() => {})
    }
    return undefined
  }
}

/** Until it is closed. It is, where the other end says nothing for too long, though it is asked. */
async function endOf(connection: NatsConnection, silence: number): Promise<void> {
  let messages = 0
  let answered = true
  let quiet = 0 // looks in a row: what came while this thread did something else is heard before the next one
  const looking = setInterval(() => {
    const { inMsgs } = connection.stats()
    if (answered || inMsgs !== messages) quiet = 0
    else if (++quiet >= LOOKS) void connection.close()
    messages = inMsgs
    if (!answered || connection.isClosed()) return
    answered = false
    connection.flush().then(
      () => (answered = true),
      () => {},
    )
  }, silence / LOOKS)
  await connection.closed()
  clearInterval(looking)
}
