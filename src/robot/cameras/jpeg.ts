/** @file An image as a JPEG, where no camera has made one. */
import sharp, { type JpegOptions } from 'sharp'
import type { Image } from '../robot.ts'

const USUAL: JpegOptions = { quality: 90 }

/** The camera's own bytes, where the image has them. */
export async function jpegOf(image: Image, options = USUAL): Promise<Uint8Array> {
  const { width, height, jpeg } = image // its pixels may have to be made of the JPEG: they are left alone
  if (jpeg) return jpeg
  return sharp(image.data, { raw: { width, height, channels: 3 } })
    .jpeg(options)
    .toBuffer()
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
