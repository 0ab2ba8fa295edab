/** @file Hostile and damaged bytes: the decoder answers with an InputError or with what was written, and never with more. */
import fs from 'node:fs'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { crc32 } from '../../src/replay/crc32.ts'
import { EpisodeLog, readEpisodes } from '../../src/replay/index.ts'
import { loggedRobot } from '../../src/replay/log-header.ts'
import { RecordCodec } from '../../src/replay/records.ts'
import { expectSame } from './same.ts'
import { aFolder, aRobot, episodeOf, interrupted, record } from './scenes.ts'

const folder = aFolder()
const robot = loggedRobot(aRobot())
const episodes = [episodeOf(1, 5), episodeOf(2, 5)]
const log = EpisodeLog.open(folder, aRobot())
for (const episode of episodes) record(log, episode)
log.close()
const file = path.join(folder, fs.readdirSync(folder)[0]!)
const intact = fs.readFileSync(file)
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** Reads as far as possible; anything but an InputError is a failure of the test. */
function readOrRefuse() {
  const found = []
  try {
    for (const episode of readEpisodes(folder, aRobot())) found.push(episode)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    expect(error.message).toMatch(/duetlog at byte \d+: /)
  }
  return found
}

/** Each episode is one that was written, whole or up to some step. */
function expectPrefix(found: ReturnType<typeof readOrRefuse>) {
  found.forEach((got, i) => {
    const whole = episodes[i]!
    expectSame(got, got.end.ending === 'success' ? whole : interrupted(whole, got.steps.length))
  })
}

describe('a damaged file', () => {
  it('with bits flipped gives a true beginning of the log', () => {
    const flips = fc.array(fc.tuple(fc.nat(intact.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(flips, (places) => {
        const bytes = Buffer.from(intact)
        for (const [at, mask] of places) bytes[at]! ^= mask
        fs.writeFileSync(file, bytes)
        expectPrefix(readOrRefuse())
      }),
      { numRuns: 150 },
    )
  })

  it('with pieces cut out, doubled or made of noise gives a true beginning of the log', () => {
    const piece = fc.tuple(fc.nat(intact.length), fc.nat(intact.length), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(piece, ([from, to, noise]) => {
        fs.writeFileSync(file, Buffer.concat([intact.subarray(0, from), noise, intact.subarray(to)]))
        expectPrefix(readOrRefuse())
      }),
      { numRuns: 150 },
    )
  })
})

describe('a payload whose checksum is right', () => {
  const payloads: Buffer[] = []
  for (let at = 0; at < intact.length; ) {
    const length = intact.readUInt32LE(at + 4)
    payloads.push(intact.subarray(at + 12, at + 12 + length))
    expect(crc32(intact.subarray(at + 4, at + 8), payloads.at(-1)!)).toBe(intact.readUInt32LE(at + 8))
    at += 12 + length
  }
  const decode = (payload: Uint8Array) => {
    try {
      return new RecordCodec(robot).decode(Buffer.from(payload), 'here')
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return null
    }
  }

  it('but whose content is anything is refused or read, never crashed on', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => void decode(payload)),
      { numRuns: 500 },
    )
    const mutation = fc.tuple(fc.nat(payloads.length - 1), fc.nat(), fc.nat(255), fc.boolean())
    fc.assert(
      fc.property(mutation, ([which, place, value, cut]) => {
        const payload = Buffer.from(payloads[which]!)
        payload[place % payload.length] = value
        const record = decode(cut ? payload.subarray(0, place % payload.length) : payload)
        if (record?.kind !== 'step') return
        expect(record.next.images.wrist!.data.length).toBe(16 * 16 * 3)
      }),
      { numRuns: 500 },
    )
  })

  it('cannot make the reader reserve memory: lengths of 4 GB, and images that inflate to 200 MB', () => {
    const start = payloads[1]!
    const json = 1 + 4 + start.readUInt32LE(1)
    const front = json + 8 + 4 * 3 // behind time and proprioception: the codec and the length of the first image
    const bomb = deflateRawSync(Buffer.alloc(200 << 20))
    const head = Buffer.from(start.subarray(0, front + 5))
    head[front] = 1
    head.writeUInt32LE(bomb.length, front + 1)
    const greedy = Buffer.from(start)
    greedy.writeUInt32LE(0xffffffff, front + 1)
    const before = process.memoryUsage()
    expect(decode(Buffer.concat([head, bomb]))).toBeNull()
    expect(decode(greedy)).toBeNull()
    const after = process.memoryUsage()
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 << 20)
  })

  it('is data only: it can name no class, run no code and touch no prototype', () => {
    const end = (text: string) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(text.length)
      return Buffer.concat([Buffer.of(3), length, Buffer.from(text)])
    }
    expect(decode(end('{"episode":1,"ending":"success"}'))).toEqual({
      kind: 'end',
      episode: 1,
      end: { ending: 'success' },
    })
    expect(decode(end('{"episode":1,"ending":"success","__proto__":{"polluted":1}}'))).toBeNull()
    expect(decode(end('{"episode":1,"ending":"success","extra":1}'))).toBeNull()
    expect(decode(end('process.exit(1)'))).toBeNull()
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    const rooms = ['replay', 'link', 'talk'].map((room) => path.resolve(import.meta.dirname, '../../src', room))
    const sources = rooms.flatMap((room) => fs.readdirSync(room).map((name) => path.join(room, name)))
    for (const source of sources.filter((name) => name.endsWith('.ts'))) {
      expect(fs.readFileSync(source, 'utf8'), source).not.toMatch(/\beval\(|new Function|node:vm|node:v8|deserialize\(/)
    }
  })
})
