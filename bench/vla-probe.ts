/** @file In a process of its own, so that its peak memory is that of the encoder: loads one, encodes, prints the figures as JSON. */
import { RandomStream } from '../src/random/stream.ts'
import type { EncoderName } from '../src/vla/encoders.ts'
import type { Precision } from '../src/vla/int8/precision.ts'
import { openEncoder } from '../src/vla/open.ts'
import { medianTime } from './measure.ts'

const ROUNDS = 2
const SIDE = 256 // pixels of the cameras

const [name, folder, precision, ...cameras] = process.argv.slice(2) as [EncoderName, string, Precision, ...string[]]
const peakMegabytes = () => process.resourceUsage().maxRSS / 1024 // getrusage counts kilobytes

const before = peakMegabytes()
const start = performance.now()
const encoder = await openEncoder(name, { folder, cameras, precision })
const loadSeconds = (performance.now() - start) / 1000
const loadedMegabytes = peakMegabytes()

const random = new RandomStream(0, 'bench/pictures')
const picture = () => ({
  width: SIDE,
  height: SIDE,
  data: Uint8Array.from({ length: 3 * SIDE * SIDE }, () => random.integer(256)),
})
const images = Object.fromEntries(cameras.map((camera) => [camera, picture()]))
const observation = { images, proprio: new Float32Array(6), instruction: 'pick up the bolt' }
const { h } = (await encoder.encode([observation]))[0]!
if (!h.every(Number.isFinite)) throw new Error(`${name}: the embedding of random weights is not finite`)
const encodeMs = await medianTime(() => encoder.encode([observation]), ROUNDS, 1)
await encoder.close()
console.log(
  JSON.stringify({
    loadSeconds,
    encodeSeconds: encodeMs / 1000,
    loadedMegabytes,
    peakMegabytes: peakMegabytes(),
    processMegabytes: before, // node itself
  }),
)
