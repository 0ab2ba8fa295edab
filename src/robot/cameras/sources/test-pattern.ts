/** @file A camera without hardware: colours that stay, and a square that moves over them. */
import sharp from 'sharp'
import type { Image } from '../../robot.ts'
import type { PictureSource, Sink } from './source.ts'

const SQUARE = 1 / 6 // of the picture's height
const PERIOD = 90 // pictures until the square is back

/** The nth picture. Red grows to the right, green downwards; the square is white and goes round an ellipse. */
export function testPattern(width: number, height: number, n: number): Image {
  const data = new Uint8Array(3 * width * height)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      data[i++] = (255 * x) / width
      data[i++] = (255 * y) / height
      data[i++] = 96
    }
  const side = Math.max(1, Math.round(height * SQUARE))
  const angle = (2 * Math.PI * n) / PERIOD
  const left = Math.round(((width - side) * (1 + Math.cos(angle))) / 2)
  const top = Math.round(((height - side) * (1 + Math.sin(angle))) / 2)
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++)
    data.fill(255, 3 * (y * width + Math.max(0, left)), 3 * (y * width + Math.min(width, left + side)))
  return { width, height, data }
}

type Size = { width: number; height: number; fps: number }

/** One picture is made at a time: where that takes longer than a period, some are left out. */
export function openTestPattern({ width, height, fps }: Size, { take, lost }: Sink): PictureSource {
  let n = 0
  let making = false
  const make = async () => {
    if (making) return
    making = true
    try {
      const { data } = testPattern(width, height, n++)
      take(
        await sharp(data, { raw: { width, height, channels: 3 } })
          .jpeg({ quality: 90 })
          .toBuffer(),
      )
    } catch (error) {
      lost(error)
    } finally {
      making = false
    }
  }
  void make()
  const timer = setInterval(() => void make(), 1000 / fps)
  return { close: () => clearInterval(timer) }
}
