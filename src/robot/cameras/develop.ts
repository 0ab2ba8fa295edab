/**
 * @file From a camera's JPEG to what the policy sees: decoded, cropped, turned, resized. The loop and whoever reads a log do it
 * by this code, so that the logged bytes give the same pixels again (docs/decisions/0046).
 */
import sharp from 'sharp'
import { InputError } from '../../errors.ts'
import type { CameraView, Image } from '../robot.ts'
import { whatCame } from './what-came.ts'

const LARGEST = 4096 // pixels, each way: more is refused before memory is reserved

/** What a camera's bytes are, without decoding them. @throws InputError if they are no JPEG; `camera` names it */
export async function jpegSize(jpeg: Uint8Array, camera: string): Promise<{ width: number; height: number }> {
  if (!isJpeg(jpeg)) throw new InputError(`camera ${camera}`, `sent ${whatCame(jpeg)}`, 'Have it send JPEG pictures')
  try {
    const { width, height } = await sharp(jpeg, { limitInputPixels: LARGEST ** 2 }).metadata()
    return { width, height }
  } catch (error) {
    throw damaged(camera, error)
  }
}

/**
 * Stretched to the policy's size where crop and size differ in proportion: nothing is cut off that the config does not name.
 * @throws InputError if the bytes are no whole JPEG, or smaller than the crop
 */
export async function develop(jpeg: Uint8Array, view: CameraView, camera: string): Promise<Image> {
  const { width, height, crop, rotate = 0 } = view
  const size = await jpegSize(jpeg, camera)
  if (crop && (crop.left + crop.width > size.width || crop.top + crop.height > size.height))
    throw new InputError(
      `camera ${camera}.crop`,
      `ends at ${crop.left + crop.width} × ${crop.top + crop.height}, the camera's picture is ${size.width} × ${size.height}`,
      "Choose a crop within the camera's picture",
    )
  const lies = rotate === 90 || rotate === 270
  const decoded = sharp(jpeg, { limitInputPixels: LARGEST ** 2, failOn: 'error' })
  const cropped = crop ? decoded.extract(crop) : decoded
  // Resizing and turning by right angles can be swapped: the small picture is turned.
  const resized = cropped.resize(lies ? height : width, lies ? width : height, { fit: 'fill', kernel: 'linear' })
  try {
    const { data } = await resized
      .rotate(rotate)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length), jpeg }
  } catch (error) {
    throw damaged(camera, error)
  }
}

const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8

const damaged = (camera: string, error: unknown) =>
  new InputError(
    `camera ${camera}`,
    `sent a JPEG that cannot be decoded: ${(error as Error).message.split('\n')[0]}`,
    'Check its cable, its network and its settings',
    { cause: error },
  )
