import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { JpegSplitter } from '../../../src/robot/cameras/jpeg-splitter.ts'

let baseline: Buffer // three pictures of other encoders' kinds
let progressive: Buffer
let withThumbnail: Buffer

beforeAll(async () => {
  const noise = Buffer.from(Array.from({ length: 3 * 40 * 30 }, (_, i) => (i * 7919) & 255))
  const image = () => sharp(noise, { raw: { width: 40, height: 30, channels: 3 } })
  baseline = await image().jpeg({ quality: 95 }).toBuffer()
  progressive = await image().jpeg({ progressive: true, quality: 70 }).toBuffer()
  // SOI, then APP1 that holds a whole JPEG, then the rest of a picture.
  const inner = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), baseline])
  const length = Buffer.from([(inner.length + 2) >> 8, (inner.length + 2) & 255])
  withThumbnail = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1]), length, inner, progressive.subarray(2)])
})

/** Goes through the bytes in chunks of a size. */
function split(bytes: Uint8Array, size: number): Uint8Array[] {
  const splitter = new JpegSplitter()
  const all: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const found = splitter.push(bytes.subarray(at, at + size))
    if (typeof found === 'string') throw new Error(found)
    all.push(...found)
  }
  return all
}

const plain = (pictures: readonly Uint8Array[]) => pictures.map((picture) => Buffer.from(picture).toString('base64'))

describe('pictures in a stream of bytes', () => {
  it('are found whatever way the bytes are cut', () => {
    const pictures = [baseline, progressive, withThumbnail, baseline]
    const stream = Buffer.concat(pictures)
    for (const size of [1, 2, 3, 7, 1000, stream.length]) expect(plain(split(stream, size))).toEqual(plain(pictures))
  })

  it.each([
    ['with a length', (n: number) => `\r\n--cut\r\nContent-Type: image/jpeg\r\nContent-Length: ${n}\r\n\r\n`],
    ['without a length', () => '\r\n--cut\r\nContent-Type: image/jpeg\r\n\r\n'],
    ['with a length that is wrong', () => '\r\n--cut\r\nContent-Length: 12\r\n\r\n'],
    ['whose boundary has its own dashes', () => '\n----cut--\n\n'],
    ['that have no head at all', () => ''],
  ])('are found as parts of an answer, %s', (_, head) => {
    const pictures = [baseline, progressive, baseline]
    const stream = Buffer.concat(pictures.flatMap((picture) => [Buffer.from(head(picture.length)), picture]))
    expect(plain(split(stream, 100))).toEqual(plain(pictures))
  })

  it('come with their last byte, before anything follows', () => {
    const splitter = new JpegSplitter()
    expect(splitter.push(baseline.subarray(0, -1))).toEqual([])
    expect(splitter.push(baseline.subarray(-1))).toHaveLength(1)
  })

  it('are left out where they break off, and the next one is whole again', () => {
    const half = baseline.subarray(0, baseline.length >> 1)
    const stream = Buffer.concat([half, Buffer.from('\r\n--cut\r\n\r\n'), progressive, baseline])
    expect(plain(split(stream, 50))).toEqual(plain([progressive, baseline]))
    expect(plain(split(Buffer.concat([baseline.subarray(0, 30), progressive, baseline]), 50)).at(-1)).toBe(
      plain([baseline])[0],
    )
  })

  it('have memory of their own', () => {
    const splitter = new JpegSplitter()
    const [first] = splitter.push(baseline) as Uint8Array[]
    splitter.push(progressive)
    expect(Buffer.compare(first!, baseline)).toBe(0)
  })

  it('are found behind any bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 400 }), (junk, size) => {
        const noStart = junk.map((byte) => (byte === 0xff ? 0xfe : byte))
        expect(plain(split(Buffer.concat([noStart, baseline]), size))).toEqual(plain([baseline]))
      }),
    )
  })

  it('never make it throw or loop, whatever comes', () => {
    const marker = fc.constantFrom(0xff, 0xd8, 0xda, 0xd9, 0xe0, 0xc4, 0, 1, 2)
    fc.assert(
      fc.property(fc.array(marker, { maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
        for (const picture of split(Uint8Array.from(bytes), size)) {
          expect([...picture.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff])
          expect([...picture.subarray(-2)]).toEqual([0xff, 0xd9])
        }
      }),
    )
  })
})

describe('a stream is refused', () => {
  it('when a picture does not end within 8 MiB', () => {
    const splitter = new JpegSplitter()
    const megabyte = new Uint8Array(1 << 20).fill(7)
    expect(splitter.push(baseline.subarray(0, -2))).toEqual([])
    const answers = Array.from({ length: 8 }, () => splitter.push(megabyte))
    expect(answers.slice(0, 7)).toEqual(Array(7).fill([]))
    expect(answers[7]).toBe('too large')
  })

  it('when no picture comes within 64 KiB', () => {
    const splitter = new JpegSplitter()
    expect(splitter.push(Buffer.alloc(1 << 16, 'text '))).toEqual([])
    expect(splitter.push(Buffer.from('more'))).toBe('no pictures')
  })
})
