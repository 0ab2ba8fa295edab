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
