/** @file An image as a JPEG, where no camera has made one. */
import sharp from 'sharp'
import type { Image } from '../robot.ts'

const QUALITY = 90

/** The camera's own bytes, where the image has them. */
export async function jpegOf({ width, height, data, jpeg }: Image): Promise<Uint8Array> {
  return (
    jpeg ??
    (await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: QUALITY })
      .toBuffer())
  )
}

/**
 * With the moment in it, as a comment: pictures of a still scene differ, as those of a camera do by their noise. `at`: s.
 */
export function stamped(jpeg: Uint8Array, at: number): Uint8Array {
  const words = Buffer.from(at.toFixed(6), 'latin1')
  const length = words.length + 2
  const start = 2 // bytes of the marker that begins a JPEG
  const comment = Buffer.from([0xff, 0xfe, length >> 8, length & 0xff])
  return Buffer.concat([jpeg.subarray(0, start), comment, words, jpeg.subarray(start)])
}
