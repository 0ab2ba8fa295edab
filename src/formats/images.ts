/** @file Pictures for people: camera images as one PNG contact sheet, or as an animated GIF. */
import { createRequire } from 'node:module'
import { PNG } from 'pngjs'
import { InputError } from '../errors.ts'
import type { Image } from '../robot/robot.ts'

// CommonJS with an __esModule mark: loaders disagree about what its default import is.
const gifenc = createRequire(import.meta.url)('gifenc') as typeof import('gifenc')

/** Lays images of one size out row by row, `columns` a row, with a gap of 2 pixels, each enlarged `scale` times. Returns a PNG file. */
export function contactSheet(images: readonly Image[], columns = Math.min(8, images.length), scale = 1): Buffer {
  const { width, height } = sameSize('contactSheet', images)
  const rows = Math.ceil(images.length / columns)
  const gap = 2
  const png = new PNG({
    width: columns * (scale * width + gap) - gap,
    height: rows * (scale * height + gap) - gap,
  })
  png.data.fill(255)
  images.forEach((image, index) => {
    const left = (index % columns) * (scale * width + gap)
    const top = Math.floor(index / columns) * (scale * height + gap)
    for (let y = 0; y < scale * height; y++)
      for (let x = 0; x < scale * width; x++) {
        const from = 3 * (Math.floor(y / scale) * width + Math.floor(x / scale))
        const to = 4 * ((top + y) * png.width + left + x)
        for (let channel = 0; channel < 3; channel++) png.data[to + channel] = image.data[from + channel]!
      }
  })
  return PNG.sync.write(png)
}

/** Frames of one size, shown for `delayMs` each, endlessly. Returns a GIF file. */
export function animation(frames: readonly Image[], delayMs = 100): Uint8Array {
  const { width, height } = sameSize('animation', frames)
  const encoder = gifenc.GIFEncoder()
  for (const frame of frames) {
    const rgba = withAlpha(frame)
    const palette = gifenc.quantize(rgba, 256)
    encoder.writeFrame(gifenc.applyPalette(rgba, palette), width, height, { palette, delay: delayMs })
  }
  encoder.finish()
  return encoder.bytes()
}

/** Images of one height next to each other, left to right. */
export function sideBySide(images: readonly Image[]): Image {
  const height = images[0]?.height ?? 0
  if (images.length === 0 || images.some((image) => image.height !== height))
    throw new InputError('sideBySide', 'images have different heights or there are none', 'Pass images of one height')
  const width = images.reduce((sum, image) => sum + image.width, 0)
  const data = new Uint8Array(3 * width * height)
  let left = 0
  for (const image of images) {
    for (let y = 0; y < height; y++)
      data.set(image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width), 3 * (y * width + left))
    left += image.width
  }
  return { width, height, data }
}

function withAlpha(image: Image): Uint8Array {
  const rgba = new Uint8Array(4 * image.width * image.height).fill(255)
  for (let pixel = 0; pixel < image.width * image.height; pixel++)
    for (let channel = 0; channel < 3; channel++) rgba[4 * pixel + channel] = image.data[3 * pixel + channel]!
  return rgba
}

function sameSize(where: string, images: readonly Image[]): { width: number; height: number } {
  const first = images[0]
  if (!first) throw new InputError(where, 'there is no image', 'Pass at least one')
  const other = images.find((image) => image.width !== first.width || image.height !== first.height)
  if (other)
    throw new InputError(
      where,
      `image sizes differ: ${first.width} x ${first.height} and ${other.width} x ${other.height}`,
      'Pass images of one size',
    )
  return first
}
