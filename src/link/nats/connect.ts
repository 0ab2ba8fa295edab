/** @file A connection to a NATS broker. Only who takes part in a fleet loads this, and the client with it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { InputError } from '../../errors.ts'
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
}

const AGAIN = 250 // ms between two attempts
const SAID_AFTER = 3000 // ms of waiting for the first connection
const LEAVING = 2000 // ms for what is still to go out
const PING = 5000 // ms; two without an answer are a loss

/**
 * Waits for a broker that is not there yet; one that goes away is waited for as long as it takes.
 * @throws InputError if it refuses the key, or cannot be asked; the reason of `signal`
 */
export async function connectBroker(
  { url, seed, ca }: Broker,
  name: string,
  { onTrouble, signal }: BrokerEvents = {},
): Promise<Wire> {
  const patience = setTimeout(() => onTrouble?.(`No broker at ${url} yet; waiting for it.`), SAID_AFTER)
  try {
    for (;;) {
      signal?.throwIfAborted()
      const connection = await attempt(url, seed, ca, name)
      if (connection) return new NatsWire(connection, url, onTrouble)
      await sleep(AGAIN)
    }
  } finally {
    clearTimeout(patience)
  }
}

/** Undefined where nobody answers. */
async function attempt(url: string, seed: string | undefined, ca: string | undefined, name: string) {
  try {
    return await connect({
      servers: url,
      name,
      authenticator: seed === undefined ? undefined : nkeyAuthenticator(new TextEncoder().encode(seed)),
      tls: ca === undefined ? (url.startsWith('tls:') ? {} : undefined) : { ca }, // given, nothing goes without it
      maxReconnectAttempts: -1,
      reconnectTimeWait: AGAIN,
      pingInterval: PING,
      maxPingOut: 2,
      ignoreAuthErrorAbort: true, // a key may be let in again
      ignoreClusterUpdates: true,
    })
  } catch (error) {
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

const AWAY = ['ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE']
const BROKEN_OFF = ['ConnectionError', 'ClosedConnectionError', 'TimeoutError', 'AuthorizationError'] // the last one: too late with its key

const isAway = ({ name, code }: NodeJS.ErrnoException) => BROKEN_OFF.includes(name) || AWAY.includes(code ?? '')

class NatsWire implements Wire {
  private here = true
  private readonly back = new Set<() => void>()

  constructor(
    private readonly connection: NatsConnection,
    url: string,
    onTrouble?: (line: string) => void,
  ) {
    void this.watch(url, onTrouble)
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (this.here && !this.connection.isClosed()) this.connection.publish(subject, bytes)
  }

  subscribe(subject: string, listener: (subject: string, bytes: Uint8Array) => void): () => void {
    const subscription = this.connection.subscribe(subject, {
      callback: (error, { subject: from, data }) => {
        if (!error) listener(from, data)
      },
    })
    return () => subscription.unsubscribe()
  }

  onBack(listener: () => void): () => void {
    this.back.add(listener)
    return () => void this.back.delete(listener)
  }

  async close(): Promise<void> {
    if (this.here) await Promise.race([this.connection.flush().catch(() => {}), sleep(LEAVING)])
    await this.connection.close()
  }

  private async watch(url: string, onTrouble?: (line: string) => void): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        if (this.here) onTrouble?.(`The broker at ${url} is away.`)
        this.here = false
      } else if (status.type === 'reconnect') {
        this.here = true
        onTrouble?.(`The broker at ${url} is back.`)
        for (const listener of this.back) listener()
      } else if (status.type === 'error') onTrouble?.(`Broker ${url}: ${status.error.message}`)
    }
  }
}
