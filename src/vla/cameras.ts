/** @file Which camera of the robot stands in for which camera of a published encoder. */
import { InputError } from '../errors.ts'
import type { Image } from '../robot/robot.ts'

/** A camera of the encoder, and the robot's camera that it looks through. */
export type CameraPair = { wanted: string; robot: string }

/**
 * Cameras of the same name belong together; the others are paired in the order in which encoder and robot list them.
 * A camera of the encoder for which the robot has none left is absent, in the encoder's own way.
 * @throws InputError if the robot has no camera
 */
export function pairCameras(wanted: readonly string[], robot: readonly string[], encoder: string): CameraPair[] {
  const named = wanted.filter((name) => robot.includes(name))
  const free = robot.filter((name) => !named.includes(name))
  const pairs = wanted.flatMap((name) => {
    const camera = named.includes(name) ? name : free.shift()
    return camera === undefined ? [] : [{ wanted: name, robot: camera }]
  })
  if (pairs.length === 0)
    throw new InputError(
      `encoder ${encoder}`,
      `sees through ${wanted.join(', ')}, the robot has no camera`,
      'Add a camera to the robot',
    )
  return pairs
}

/** @throws InputError if the image is missing or its data do not fit its size */
export function imageOf(images: Readonly<Record<string, Image>>, camera: string, encoder: string): Image {
  const image = images[camera]
  const where = `${encoder} encoder, images.${camera}`
  if (!image) {
    const present = Object.keys(images).join(', ') || 'none'
    throw new InputError(where, `is missing (there are: ${present})`, 'Send every camera with every observation')
  }
  if (image.data.length !== 3 * image.width * image.height)
    throw new InputError(
      where,
      `is ${image.width} x ${image.height} with ${image.data.length} bytes`,
      'Send RGB, 3 bytes a pixel',
    )
  return image
}
