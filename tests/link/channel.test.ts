/** @file A session over a broker that loses, repeats, reorders and goes away. */
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { LinkChannel } from '../../src/link/nats/channel.ts'
import { type Datagram, decodeDatagram, encodeDatagram } from '../../src/link/nats/datagram.ts'
import { dial } from '../../src/link/nats/dial.ts'
import { listen } from '../../src/link/nats/listen.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { MemoryBroker, type Treatment } from './memory-broker.ts'

const RUN = 'spec'
const text = (bytes: Uint8Array | ArrayBuffer) => Buffer.from(bytes as ArrayBuffer).toString()
const bytesOf = (words: string) => new Uint8Array(Buffer.from(words)).buffer

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** Lets the clock run by steps until something is so. */
async function until(so: () => boolean, seconds = 60): Promise<void> {
  for (let ms = 0; !so(); ms += 100) {
    if (ms > 1000 * seconds) throw new Error(`not so within ${seconds} s`)
    vi.advanceTimersByTime(100)
    for (let i = 0; i < 5; i++) await turn()
  }
}

/** What is waited for while the clock runs. */
async function reached<T>(promise: Promise<T>): Promise<T> {
  let over = false
  promise.then(
    () => (over = true),
    () => (over = true),
  )
  await until(() => over)
  return promise
}

type Ends = { broker: MemoryBroker; actor: LinkChannel; learner: LinkChannel; lost: string[]; stop: () => void }

async function session(treatment: Treatment = {}): Promise<Ends> {
  const broker = new MemoryBroker(treatment)
  const lost: string[] = []
  let learner: LinkChannel | undefined
  const stop = await reached(
    listen(broker.wire(), RUN, (robot, hello) => ({
      welcome: Buffer.from(`${robot} says ${text(hello)}`),
      opened: (channel) => (learner = channel),
      onLost: (error) => lost.push(`learner: ${error.message}`),
    })),
  )
  const dialled = dial(broker.wire(), { run: RUN, robot: 'A' }, Buffer.from('hello'), {
    onLost: (error) => lost.push(`actor: ${error.message}`),
  })
  const { channel, welcome } = await reached(dialled)
  expect(text(welcome)).toBe('A says hello')
  return { broker, actor: channel, learner: learner!, lost, stop }
}

describe('a session', () => {
  it.each([1, 2, 3])('brings every message once, in order and whole, through a bad broker (seed %d)', async (seed) => {
    const random = new RandomStream(seed, 'broker')
    const { actor, learner, broker } = await session({ random, loss: 0.2, repeats: 0.2, shuffles: true })
    const up: string[] = []
    const down: string[] = []
    learner.on('message', (message) => up.push(text(message)))
    actor.on('message', (message) => down.push(text(message)))
    const messages = Array.from({ length: 120 }, (_, i) => `${i} ${'x'.repeat(i % 7 === 0 ? 300_000 : i)}`)
    for (const message of messages) {
      actor.postMessage(bytesOf(message))
      learner.postMessage(bytesOf(`${message}!`))
    }
    await until(() => up.length >= messages.length && down.length >= messages.length)
    await until(() => actor.backlog + learner.backlog === 0)
    expect(up.every((message, i) => message === messages[i])).toBe(true)
    expect(down.every((message, i) => message === `${messages[i]}!`)).toBe(true)
    expect([up.length, down.length]).toEqual([120, 120])
    expect(broker.carried).toBeGreaterThan(240)
  })

  it('outlasts a broker that is away, and shows what waits for it', async () => {
    const { actor, learner, broker, lost } = await session()
    const heard: string[] = []
    learner.on('message', (message) => heard.push(text(message)))
    actor.postMessage(bytesOf('before'))
    await until(() => heard.length === 1)
    broker.away = true
    for (let i = 0; i < 100; i++) actor.postMessage(bytesOf(`step ${i}`))
    vi.advanceTimersByTime(600_000)
    await turn()
    expect(heard).toEqual(['before'])
    expect(actor.backlog).toBeGreaterThan(600)
    broker.comeBack()
    await until(() => heard.length === 101)
    await until(() => actor.backlog === 0)
    expect(heard.at(-1)).toBe('step 99')
    expect(lost).toEqual([])
  })

  it('keeps what arrives before anybody listens', async () => {
    const { actor, learner } = await session()
    actor.postMessage(bytesOf('early'))
    await until(() => actor.backlog === 0)
    const heard: string[] = []
    learner.on('message', (message) => heard.push(text(message)))
    expect(heard).toEqual(['early'])
  })

  it('sends what was posted before it is closed, and the other end hears that it is over', async () => {
    const { actor, learner, lost } = await session()
    const heard: string[] = []
    learner.on('message', (message) => heard.push(text(message)))
    actor.postMessage(bytesOf('last words'))
    actor.close()
    await until(() => lost.length > 0)
    expect(heard).toEqual(['last words'])
    expect(lost[0]).toContain('learner: the other end of the link: has left')
  })

  it('of an actor that begins anew is over; what still comes of the old one is not heard', async () => {
    const { broker, actor, learner, lost } = await session()
    const heard: string[] = []
    learner.on('message', (message) => heard.push(text(message)))
    await reached(dial(broker.wire(), { run: RUN, robot: 'A' }, Buffer.from('hello')))
    actor.postMessage(bytesOf('from the past'))
    await until(() => lost.length === 2)
    expect(lost[0]).toContain('learner: the other end of the link: has begun anew')
    expect(lost[1]).toContain('actor: the other end of the link: has left')
    expect(heard).toEqual([])
  })

  it('that a learner does not know any more is lost to the actor', async () => {
    const { broker, stop, actor, lost } = await session()
    broker.away = true // it cannot even say goodbye
    stop()
    vi.advanceTimersByTime(10_000)
    broker.comeBack()
    await reached(listen(broker.wire(), RUN, () => ({ welcome: Buffer.of(), opened: () => {} })))
    actor.postMessage(bytesOf('are you there'))
    await until(() => lost.length > 0)
    expect(lost[0]).toContain('actor: the other end of the link: has left')
  })
})

describe('an end of a session', () => {
  const session = '0123456789abcdef'
  const sent: Datagram[] = []
  const numbers = () => sent.splice(0).flatMap(({ kind, number }) => (kind === 'data' ? [number] : []))
  const got = (number: number): Datagram => ({ kind: 'got', session, number, more: false, payload: Buffer.of() })
  let channel: LinkChannel

  beforeEach(() => {
    const toFake = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'] as const
    vi.useRealTimers().useFakeTimers({ toFake: [...toFake] })
    sent.length = 0
    channel = new LinkChannel(session, (bytes) => sent.push(decodeDatagram(bytes)!))
    for (let i = 1; i <= 5; i++) channel.postMessage(bytesOf(`message ${i}`))
    expect(numbers()).toEqual([1, 2, 3, 4, 5])
  })
  afterEach(() => channel.abandon())

  it('asks one that it does not hear for a word, and heaps nothing up on its way', async () => {
    for (let ms = 0; ms < 60_000; ms += 500) await vi.advanceTimersByTimeAsync(500)
    expect(sent.filter(({ kind }) => kind === 'got').length).toBeGreaterThan(100)
    expect(numbers()).toEqual([1, 1, 1]) // ever more rarely, in the first five seconds
    channel.receive(got(2))
    expect(numbers()).toEqual([3, 4, 5]) // at once, for whoever is back
  })

  it('sends again what one that it hears does not get, and what came behind it once that has arrived', async () => {
    for (let ms = 0; ms < 8000; ms += 500) {
      await vi.advanceTimersByTimeAsync(500)
      channel.receive(got(1))
    }
    expect(numbers()).toEqual([2, 2, 2])
    channel.receive(got(2))
    expect(numbers()).toEqual([3, 4, 5])
  })
})

describe('an actor', () => {
  it('is refused in the words of the learner, and its error has their class', async () => {
    const broker = new MemoryBroker()
    await reached(
      listen(broker.wire(), RUN, () => {
        throw new InputError('robot "A"', 'has 12 channels, this run 16', 'Join another run')
      }),
    )
    const asked = dial(broker.wire(), { run: RUN, robot: 'A' }, Buffer.of()).catch((error) => error)
    const error = await reached(asked)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toBe('robot "A": has 12 channels, this run 16. Join another run')
  })

  it('waits for a learner that is not there yet, until it is told to leave off', async () => {
    const broker = new MemoryBroker()
    const stop = new AbortController()
    const asked = dial(broker.wire(), { run: RUN, robot: 'A' }, Buffer.of(), { signal: stop.signal })
    vi.advanceTimersByTime(60_000)
    stop.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })
})

const nobody = () => ({ welcome: Buffer.of(), opened: () => {} })

it('a second learner of a run is refused, one of another run is not', async () => {
  const broker = new MemoryBroker()
  const stop = await reached(listen(broker.wire(), RUN, nobody))
  await expect(reached(listen(broker.wire(), RUN, nobody))).rejects.toThrow('run "spec": has a learner already')
  await reached(listen(broker.wire(), 'another', nobody))
  stop()
  await reached(listen(broker.wire(), RUN, nobody))
})

it('of learners that begin in the same second one serves, and the others are refused by name', async () => {
  for (const pause of [0, 300, 900])
    for (const others of [1, 2]) {
      const broker = new MemoryBroker()
      const asked = [listen(broker.wire(), RUN, nobody)]
      for (let i = 0; i < others; i++) {
        vi.advanceTimersByTime(pause / others)
        await turn()
        asked.push(listen(broker.wire(), RUN, nobody))
      }
      const ends = await reached(Promise.allSettled(asked))
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const end of ends)
        if (end.status === 'rejected') expect(String(end.reason)).toContain('has a learner already')
      await expect(reached(listen(broker.wire(), RUN, nobody))).rejects.toThrow('has a learner already')
    }
})

describe('a datagram', () => {
  const session = '0123456789abcdef'
  const good = encodeDatagram({ kind: 'data', session, number: 7, more: true, payload: Buffer.from('abc') })

  it('is a head of sixteen bytes and its payload', () => {
    expect(Buffer.from(good).toString('hex')).toBe('01030100' + '07000000' + session + '616263')
    expect(decodeDatagram(good)).toMatchObject({ kind: 'data', session, number: 7, more: true })
    expect(text(decodeDatagram(good)!.payload.slice())).toBe('abc')
  })

  it('is read as none, without an error, where its bytes are anything else', () => {
    const random = new RandomStream(0, 'fuzz')
    let read = 0
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from(good).slice(0, random.integer(good.length + 1))
      for (let flips = random.integer(4); flips > 0 && bytes.length > 0; flips--)
        bytes[random.integer(bytes.length)] = random.integer(256)
      if (decodeDatagram(bytes)) read++
    }
    expect(read).toBeGreaterThan(100) // flips in number, session or payload leave a datagram
    expect(read).toBeLessThan(10_000)
  })
})
