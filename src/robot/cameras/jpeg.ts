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
