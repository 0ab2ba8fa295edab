/** @file The pictures of an episode as a set keeps them: a camera's own JPEG where there is one, else one made of the pixels. */
import sharp from 'sharp'
import { jpegSize } from '../../../robot/cameras/develop.ts'
import { jpegOf } from '../../../robot/cameras/jpeg.ts'
import type { Image, Observation } from '../../../robot/robot.ts'
import { countLevels, type Levels } from './statistics.ts'

/** Fine enough that colours of a few pixels stay: what is trained on it should see what the policy saw. */
const FINE = { quality: 95, chromaSubsampling: '4:4:4' } as const
const AT_ONCE = 8 // pictures in work
const LOOKED_AT = 10 // one in so many is counted for the statistics

/** As a set will have it: that of the JPEG where the camera sent one, which may be larger than what the policy sees. */
const sizeOf = (image: Image, camera: string): { width: number; height: number } =>
  image.jpeg ? jpegSize(image.jpeg, camera) : { width: image.width, height: image.height }

export const sizesOf = ({ images }: Observation) =>
  Object.fromEntries(Object.entries(images).map(([camera, image]) => [camera, sizeOf(image, camera)]))

/** In order; a few are in work at a time. */
export async function jpegsOf(images: readonly Image[]): Promise<Uint8Array[]> {
  const made: Uint8Array[] = []
  for (let from = 0; from < images.length; from += AT_ONCE)
    made.push(...(await Promise.all(images.slice(from, from + AT_ONCE).map((image) => jpegOf(image, FINE)))))
  return made
}

/** At the size of the set's pictures. */
async function pixelsOf(image: Image): Promise<Uint8Array> {
  if (!image.jpeg) return image.data
  return sharp(image.jpeg).removeAlpha().toColourspace('srgb').raw().toBuffer()
}

/** Counts some of an episode's pictures of one camera. */
export async function countSome(images: readonly Image[], levels: Levels): Promise<void> {
  for (let t = 0; t < images.length; t += LOOKED_AT) countLevels(levels, await pixelsOf(images[t]!))
}
