/** @file Frames byte by byte, and messages from anybody: whatever arrives, the decoder answers, and lets nothing odd through. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ClientMessage, decodeFrame, encodeFrame, LIMITS } from '../../src/console/protocol.ts'
import { decodeClientMessage } from '../../src/console/server/decode.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const encoded = (value: unknown) => bytes(JSON.stringify(value))

describe('a camera frame', () => {
  it('is laid out as the protocol says', () => {
    const frame = encodeFrame({
      camera: 2,
      flags: 0x0105,
      step: 0x01020304,
      time: 1.5,
      jpeg: Uint8Array.of(0xff, 0xd8),
    })
    // version, camera, flags, step, 1.5 as an IEEE 754 double (sign 0, exponent 0x3ff, fraction .5), JPEG
    const header = [3, 2, 0x01, 0x05, 1, 2, 3, 4, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]
    expect([...frame]).toEqual([...header, 0xff, 0xd8])
  })

  it('comes back as it was sent', () => {
    const frame = fc.record({
      camera: fc.integer({ min: 0, max: 255 }),
      flags: fc.integer({ min: 0, max: 65535 }),
      step: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      time: fc.double({ noNaN: true, noDefaultInfinity: true }),
      jpeg: fc.uint8Array({ maxLength: 50 }),
    })
    fc.assert(
      fc.property(frame, (sent) => {
        expect(decodeFrame(encodeFrame(sent))).toEqual(sent)
      }),
    )
  })

  it('of another version, or cut short, is none', () => {
    const frame = encodeFrame({ camera: 0, flags: 0, step: 0, time: 0, jpeg: new Uint8Array(3) })
    expect(decodeFrame(Uint8Array.from([1, ...frame.slice(1)]))).toBeNull()
    for (let length = 0; length < 16; length++) expect(decodeFrame(frame.subarray(0, length))).toBeNull()
    fc.assert(fc.property(fc.uint8Array(), (noise) => void decodeFrame(noise)))
  })
})

const input = { kind: 'input', seq: 1, t: 12.5, axes: [0, 0.5, -1, 0, 0, 1], gripper: 0, hold: true } as const

const MESSAGES: ClientMessage[] = [
  input,
  { kind: 'name', name: 'Anna' },
  { kind: 'control', action: 'request' },
  { kind: 'control', action: 'release' },
  { kind: 'control', action: 'grant', to: '2' },
  { kind: 'command', text: 'a bit to the left', source: 'typed' },
  { kind: 'silence' },
  { kind: 'verdict', verdict: 'success' },
  { kind: 'undo' },
  { kind: 'confirm' },
  { kind: 'pause' },
  { kind: 'resume' },
  { kind: 'stop' },
  { kind: 'clear' },
  { kind: 'speed', speed: 4 },
  { kind: 'focus', robot: 'B' },
  { kind: 'record', action: 'start', task: 'pick' },
  { kind: 'record', action: 'keep' },
  { kind: 'record', action: 'discard' },
  { kind: 'hidden', hidden: true },
  { kind: 'ping', t: 3 },
]

describe('a message', () => {
  it.each(MESSAGES)('of kind $kind is understood', (message) => {
    expect(decodeClientMessage(encoded(message))).toEqual({ message })
  })

  it.each([
    ['axes beyond ±1', { ...input, axes: [0, 0, 1.01, 0, 0, 0] }],
    ['too few axes', { ...input, axes: [0, 0, 0] }],
    ['too many axes', { ...input, axes: [0, 0, 0, 0, 0, 0, 0] }],
    ['an axis that is no number', { ...input, axes: [0, 0, null, 0, 0, 0] }],
    ['half a gripper', { ...input, gripper: 0.5 }],
    ['hold as a word', { ...input, hold: 'true' }],
    ['a negative number', { ...input, seq: -1 }],
    ['a field too many', { ...input, force: 10 }],
    ['an unknown kind', { kind: 'reboot' }],
    ['no kind', {}],
    ['an empty name', { kind: 'name', name: '  ' }],
    ['a name without end', { kind: 'name', name: 'x'.repeat(LIMITS.nameLength + 1) }],
    ['no such verdict', { kind: 'verdict', verdict: 'maybe' }],
    ['a speed of 0', { kind: 'speed', speed: 0 }],
    ['control to nobody', { kind: 'control', action: 'grant' }],
    ['a list', [input]],
    ['nothing', null],
  ])('with %s is refused', (_, message) => {
    expect(decodeClientMessage(encoded(message))).toEqual({ error: expect.any(String) })
  })

  it('with a number that JSON cannot hold is refused', () => {
    const text = JSON.stringify(input)
    for (const odd of ['1e999', '-1e999', 'NaN', 'Infinity'])
      expect(decodeClientMessage(bytes(text.replace('12.5', odd)))).toEqual({ error: expect.any(String) })
  })

  it('that is larger than allowed is refused unread', () => {
    const large = encoded({ kind: 'name', name: 'x'.repeat(LIMITS.messageBytes) })
    expect(decodeClientMessage(large)).toEqual({ error: expect.stringContaining(`at most ${LIMITS.messageBytes}`) })
  })

  it('that sets a prototype is refused, and sets none', () => {
    const text = '{"kind":"ping","t":1,"__proto__":{"polluted":true}}'
    expect(decodeClientMessage(bytes(text))).toEqual({ error: expect.any(String) })
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  const bounded = (message: ClientMessage) => {
    if (message.kind === 'input') {
      expect(message.axes).toHaveLength(6)
      for (const axis of message.axes) expect(Math.abs(axis)).toBeLessThanOrEqual(1)
      expect([-1, 0, 1]).toContain(message.gripper)
    }
    if (message.kind === 'command') expect(message.text.length).toBeLessThanOrEqual(LIMITS.phraseLength)
  }
  const answers = (data: Uint8Array) => {
    const decoded = decodeClientMessage(data)
    if ('message' in decoded) bounded(decoded.message)
    else expect(decoded.error.length).toBeLessThanOrEqual(250)
  }

  it('of any bytes, any JSON, or a valid one with something wrong never does more than be refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), answers), { numRuns: 2000 })
    fc.assert(
      fc.property(fc.json(), (text) => answers(bytes(text))),
      { numRuns: 1000 },
    )
    const near = fc
      .tuple(fc.constantFrom(...MESSAGES), fc.string(), fc.jsonValue())
      .map(([message, key, value]) => ({ ...message, [key]: value }))
    const replaced = fc.tuple(fc.constantFrom(...MESSAGES), fc.nat(), fc.jsonValue()).map(([message, at, value]) => {
      const keys = Object.keys(message)
      return { ...message, [keys[at % keys.length]!]: value }
    })
    fc.assert(
      fc.property(fc.oneof(near, replaced), (message) => answers(encoded(message))),
      { numRuns: 2000 },
    )
  })

  it('with one byte changed is refused, or still within bounds', () => {
    const change = fc.tuple(fc.constantFrom(...MESSAGES), fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(change, ([message, at, value]) => {
        const data = encoded(message)
        data[at % data.length] = value
        answers(data)
      }),
      { numRuns: 2000 },
    )
  })
})
