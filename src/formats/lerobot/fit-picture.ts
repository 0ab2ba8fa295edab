/** @file A dataset's picture as the camera of a robot would give it: cropped, turned, and stretched to its size as `robot/cameras/develop.ts` does. */
import sharp from 'sharp'
import { InputError } from '../../errors.ts'
import type { Image, PolicyView } from '../../robot/robot.ts'

/** @throws InputError if the crop is not within the picture; `where` names it */
export async function fitPicture(
  image: Image,
  { width, height, crop, rotate = 0 }: PolicyView,
  where: string,
): Promise<Image> {
  if (image.width === width && image.height === height && !crop && rotate === 0) return image
  if (crop && (crop.left + crop.width > image.width || crop.top + crop.height > image.height))
    throw new InputError(
      where,
      `the crop ends at ${crop.left + crop.width} × ${crop.top + crop.height}, the picture is ${image.width} × ${image.height}`,
      'Choose a crop within the picture',
    )
  const lies = rotate === 90 || rotate === 270
  const raw = { width: image.width, height: image.height, channels: 3 as const }
  const whole = sharp(image.data, { raw })
  const { data } = await (crop ? whole.extract(crop) : whole)
    .resize(lies ? height : width, lies ? width : height, { fit: 'fill', kernel: 'linear' })
    .rotate(rotate)
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) }
}

export const black = ({ width, height }: Pick<PolicyView, 'width' | 'height'>): Image => ({
  width,
  height,
  data: new Uint8Array(3 * width * height),
})
