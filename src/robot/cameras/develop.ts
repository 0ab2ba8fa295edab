/**
 * @file From a camera's JPEG to what the policy sees: decoded, cropped, turned, resized. The loop and whoever reads a log do it
 * by this code, so that the logged bytes give the same pixels again (docs/decisions/0046).
 */
import sharp from 'sharp'
import { InputError } from '../../errors.ts'
import type { CameraSpec, Image, PolicyView } from '../robot.ts'
import { whatCame } from './what-came.ts'

const LARGEST = 4096 // pixels, each way: more is refused before memory is reserved

/** Of the camera's picture, by its head alone. @throws InputError if the bytes are no JPEG; `camera` names it */
export function jpegSize(jpeg: Uint8Array, camera: string): { width: number; height: number } {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.length)
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new InputError(`camera ${camera}`, `sent ${whatCame(jpeg)}`, 'Have it send JPEG pictures')
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]!
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
  }
  throw damaged(camera, new Error('its head does not tell its size'))
}

/** `capture`: where it is known, a picture of another size is refused. */
export type Developing = PolicyView & Pick<CameraSpec, 'capture'>

/**
 * Stretched to the policy's size where crop and size differ in proportion: nothing is cut off that the config does not name.
 * @throws InputError if the bytes are no whole JPEG, or of another size than the settings expect
 */
export async function develop(jpeg: Uint8Array, view: Developing, camera: string): Promise<Image> {
  const { width, height, crop, rotate = 0, capture } = view
  const size = jpegSize(jpeg, camera)
  if (capture && (capture.width !== size.width || capture.height !== size.height))
    throw new InputError(
      `camera ${camera}`,
      `sends ${size.width} × ${size.height} pixels, its capture is set to ${capture.width} × ${capture.height}`,
      'Set capture to what it sends, or leave it out',
    )
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

const damaged = (camera: string, error: unknown) =>
  new InputError(
    `camera ${camera}`,
    `sent a JPEG that cannot be decoded: ${(error as Error).message.split('\n')[0]}`,
    'Check its cable, its network and its settings',
    { cause: error },
  )
