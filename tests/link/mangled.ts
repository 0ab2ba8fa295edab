/** @file Bytes as somebody might send them who means harm, or does not know better: made of good ones, or of nothing. */
import type { RandomStream } from '../../src/random/stream.ts'

/** One of the good ones, damaged once or several times; sometimes bytes at random. */
export function mangled(good: readonly Uint8Array[], random: RandomStream): Uint8Array<ArrayBuffer> {
  if (random.uniform() < 0.05) return noise(random.integer(200), random)
  let bytes = Uint8Array.from(good[random.integer(good.length)]!)
  for (let times = 1 + random.integer(3); times > 0; times--) {
    const way = WAYS[random.integer(WAYS.length)]!
    bytes = way(bytes, random, good)
  }
  return bytes
}

type Way = (
  bytes: Uint8Array<ArrayBuffer>,
  random: RandomStream,
  good: readonly Uint8Array[],
) => Uint8Array<ArrayBuffer>

const noise = (length: number, random: RandomStream) => Uint8Array.from({ length }, () => random.integer(256))

const NUMBERS = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]
const WORDS = ['-1', '1e308', 'null', '""', '[]', '{}', '"__proto__"', 'true', '9007199254740993', '[[[[', '\ufffd']

/** Places near the front count for more: heads stand there. */
const place = (length: number, random: RandomStream) =>
  length === 0 ? 0 : random.uniform() < 0.6 ? random.integer(Math.min(length, 200)) : random.integer(length)

const WAYS: readonly Way[] = [
  (bytes, random) => {
    if (bytes.length > 0) bytes[place(bytes.length, random)]! ^= 1 << random.integer(8)
    return bytes
  },
  (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1)),
  (bytes, random) => Uint8Array.from([...bytes, ...noise(random.integer(40), random)]),
  (bytes, random) => {
    if (bytes.length < 8) return bytes
    const at = 4 * random.integer(Math.min(16, Math.floor(bytes.length / 4)))
    new DataView(bytes.buffer).setUint32(at, NUMBERS[random.integer(NUMBERS.length)]!, true)
    return bytes
  },
  (bytes, random) => {
    const word = new TextEncoder().encode(WORDS[random.integer(WORDS.length)])
    const at = place(bytes.length, random)
    bytes.set(word.subarray(0, bytes.length - at), at)
    return bytes
  },
  (bytes, random, good) => {
    const other = good[random.integer(good.length)]!
    const at = place(bytes.length, random)
    return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(Math.min(at, other.length))])
  },
]
