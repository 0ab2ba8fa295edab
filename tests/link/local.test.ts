/** @file The three ports on the link inside one process. */
import { MessageChannel } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage, LINK_VERSION } from '../../src/link/codec.ts'
import { LocalLink } from '../../src/link/local.ts'
import { serve } from '../../src/link/serve.ts'
import { controlSpec } from './control-spec.ts'
import { experienceSpec } from './experience-spec.ts'
import { type OpenLink, RUN, StandIn } from './stand-in.ts'
import { weightsSpec } from './weights-spec.ts'

const local: OpenLink = async (open, events) => {
  const { port1, port2 } = new MessageChannel()
  const serving = serve(port2, open, { run: RUN, figuresEvery: 10 })
  const link = new LocalLink(port1, RUN, () => serving, events)
  return { link, ready: link.ready(), close: () => link.close() }
}

experienceSpec('local', local)
weightsSpec('local', local)
controlSpec('local', local)

it('a learner takes in nothing of another run', async () => {
  const { port1, port2 } = new MessageChannel()
  const serving = serve(port2, async () => new StandIn(), { run: 'one', figuresEvery: 10 })
  const link = new LocalLink(port1, 'another', () => serving)
  await link.ready()
  link.experience('A').end(3, { ending: 'timeout' })
  await expect(link.control.pause()).rejects.toThrow('is of run "another". This learner serves run "one"')
  await link.close()
})

it('a loss that is not told by the learner rejects whatever waits, and closing waits for nobody', async () => {
  const { port1 } = new MessageChannel()
  const lost: Error[] = []
  const link = new LocalLink(port1, RUN, async () => {}, { onLost: (error) => lost.push(error) })
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
