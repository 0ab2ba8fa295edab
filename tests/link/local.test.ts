/** @file The three ports on the link inside one process. */
import { MessageChannel } from 'node:worker_threads'
import { expect, it, vi } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { LinkClient } from '../../src/link/client.ts'
import { decodeMessage, encodeMessage, LINK_VERSION } from '../../src/link/codec.ts'
import { serve } from '../../src/link/serve.ts'
import { encoded, frameOf, startOf } from '../replay/numbered.ts'
import { controlSpec } from './control-spec.ts'
import { experienceSpec } from './experience-spec.ts'
import { type OpenLink, RUN, StandIn } from './stand-in.ts'
import { weightsSpec } from './weights-spec.ts'

const local: OpenLink = async (open, events) => {
  const { port1, port2 } = new MessageChannel()
  const serving = serve(port2, open, { run: RUN, figuresEvery: 10 })
  const link = new LinkClient(port1, RUN, () => serving, events)
  return { link, ready: link.ready(), close: () => link.close() }
}

experienceSpec('local', local)
weightsSpec('local', local)
controlSpec('local', local)

it('a learner takes in nothing of another run', async () => {
  const { port1, port2 } = new MessageChannel()
  const serving = serve(port2, async () => new StandIn(), { run: 'one', figuresEvery: 10 })
  const link = new LinkClient(port1, 'another', () => serving)
  await link.ready()
  link.experience('A').end(3, { ending: 'timeout' })
  await expect(link.control.pause()).rejects.toThrow('is of run "another". This learner serves run "one"')
  await link.close()
})

it('a loss that is not told by the learner rejects whatever waits, and closing waits for nobody', async () => {
  const { port1 } = new MessageChannel()
  const lost: Error[] = []
  const link = new LinkClient(port1, RUN, async () => {}, { onLost: (error) => lost.push(error) })
  const waiting = [link.ready(), link.control.pause(), link.experience('A').room(-1)]
  link.lose(new Error('its thread ended'))
  link.lose(new Error('twice'))
  for (const { status, ...rest } of await Promise.allSettled<unknown>(waiting)) {
    expect(status).toBe('rejected')
    expect((rest as PromiseRejectedResult).reason.message).toBe('its thread ended')
  }
  expect(lost).toHaveLength(1)
  await link.close()
  port1.close()
})

it.each([
  ['a version that is not ours', (bytes: DataView) => bytes.setUint32(0, LINK_VERSION + 1, true), 'version 2'],
  ['a head that is longer than the message', (bytes: DataView) => bytes.setUint32(4, 9999, true), 'middle of its head'],
  ['a head that is not JSON', (bytes: DataView) => bytes.setUint8(8, 0), 'not JSON'],
])('a message with %s is refused', (_, spoil, words) => {
  const bytes = encodeMessage({ head: { kind: 'ready' }, arrays: [Float32Array.of(1)] })
  expect(decodeMessage(bytes)).toEqual({ head: { kind: 'ready' }, arrays: [Float32Array.of(1)] })
  spoil(new DataView(bytes))
  expect(() => decodeMessage(bytes)).toThrow(words)
  expect(() => decodeMessage(bytes)).toThrow(InputError)
})

it('a message that was cut is refused', () => {
  const bytes = encodeMessage({ head: {}, arrays: [Float32Array.of(1, 2)] })
  for (const length of [0, 7, bytes.byteLength - 4])
    expect(() => decodeMessage(bytes.slice(0, length))).toThrow(InputError)
})

it.each([
  ['none', '{"head":{}}'],
  ['one below 0', '{"head":{},"lengths":[1,-1]}'],
  ['one that is no whole number', '{"head":{},"lengths":[0.5,0.5]}'],
  ['something else', '{"head":{},"lengths":"1"}'],
  ['nothing at all', 'null'],
])('a message that tells of its arrays %s is refused', (_, head) => {
  const text = new TextEncoder().encode(head.padEnd(40))
  const bytes = new ArrayBuffer(8 + 40 + 4)
  const front = new DataView(bytes)
  front.setUint32(0, LINK_VERSION, true)
  front.setUint32(4, 40, true)
  new Uint8Array(bytes).set(text, 8)
  expect(() => decodeMessage(bytes)).toThrow('does not tell the lengths of its arrays')
})

it('an array may be empty', () => {
  const message = { head: { kind: 'ready' }, arrays: [new Float32Array(0), Float32Array.of(3)] }
  expect(decodeMessage(encodeMessage(message))).toEqual(message)
})

it('what is no message is a loss, told as what it was, at either end', async () => {
  const { port1, port2 } = new MessageChannel()
  const lost: Error[] = []
  const link = new LinkClient(port1, RUN, async () => {}, { onLost: (error) => lost.push(error) })
  port2.postMessage(new ArrayBuffer(3))
  await expect(link.ready()).rejects.toThrow('link message: has 3 bytes')
  expect(lost).toHaveLength(1)
  port1.close()

  const other = new MessageChannel()
  const learner = new StandIn()
  const serving = serve(other.port2, async () => learner, { run: RUN, figuresEvery: 10 })
  const heard = new LinkClient(other.port1, RUN, () => serving)
  await heard.ready()
  other.port1.postMessage(new ArrayBuffer(5))
  await expect(heard.control.pause()).rejects.toThrow('link message: has 5 bytes')
  await heard.close()
})

it('a learner tells that it lives about twice a second, also while nobody asks it for anything', async () => {
  const at: number[] = []
  const from = performance.now()
  const { ready, close } = await local(async () => new StandIn(), { onAlive: () => at.push(performance.now() - from) })
  await ready
  await vi.waitFor(() => expect(at.length).toBeGreaterThan(1), 3000)
  expect(at[0]).toBeGreaterThan(450)
  expect(at[1]! - at[0]!).toBeGreaterThan(300)
  await close()
})

it('a learner that is told to stop while it is opened is let go of, and nobody waits for it', async () => {
  const { port1, port2 } = new MessageChannel()
  let come: (learner: StandIn) => void = () => {}
  const opening = new Promise<StandIn>((resolve) => (come = resolve))
  const serving = serve(port2, () => opening, { run: RUN, figuresEvery: 10 })
  await new LinkClient(port1, RUN, () => serving).close()
  const late = new StandIn()
  const release = vi.spyOn(late, 'release')
  come(late)
  await vi.waitFor(() => expect(release).toHaveBeenCalledOnce())
})

it('the learner is told to stop once, where it is lost too: it may live', async () => {
  const heads: unknown[] = []
  const port = { on: () => {}, postMessage: (bytes: ArrayBuffer) => void heads.push(decodeMessage(bytes).head) }
  const link = new LinkClient(port, RUN, async () => {})
  await link.close()
  await link.close()
  expect(heads).toEqual([{ kind: 'request', ticket: 0, request: { want: 'stop' } }])
  const lost = new LinkClient(port, RUN, async () => {})
  lost.lose(new Error('gone'))
  await lost.close()
  expect(heads).toHaveLength(2)
})

it('bytes are moved to the other end, never copied', async () => {
  const { port1, port2 } = new MessageChannel()
  const posted: ArrayBuffer[] = []
  for (const port of [port1, port2]) {
    const post = port.postMessage.bind(port) as (bytes: ArrayBuffer, transfer: ArrayBuffer[]) => void
    port.postMessage = ((bytes: ArrayBuffer, transfer: ArrayBuffer[]) => {
      posted.push(bytes)
      post(bytes, transfer)
    }) as typeof port.postMessage
  }
  const serving = serve(port2, async () => new StandIn(), { run: RUN, figuresEvery: 1 })
  const link = new LinkClient(port1, RUN, () => serving)
  await link.ready()
  link.experience('A').begin(startOf({ episode: 3, steps: 1 }), encoded(frameOf(3, 0)))
  await link.control.learn('warm-up', 1)
  await link.close()
  expect(posted.length).toBeGreaterThan(5)
  expect(posted.filter(({ byteLength }) => byteLength > 0)).toEqual([]) // whoever gave them away holds nothing
})
