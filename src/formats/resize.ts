/** @file Pictures to another size with antialiasing, as jax.image.resize "bilinear" does it. */
import type { Image } from '../robot/robot.ts'

/**
 * [height, width, 3] in 0..255, not rounded. Each axis by itself: a triangle around the pixel's place in the old picture,
 * as wide as the picture shrinks (never narrower than two old pixels), its weights made to add up to one.
 */
export function resizeAntialiased(image: Image, width: number, height: number): Float32Array {
  const across = triangles(image.width, width)
  const down = triangles(image.height, height)
  const narrow = new Float64Array(image.height * width * 3)
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < width; x++) {
      const { first, weights } = across[x]!
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (const [i, weight] of weights.entries())
          sum += weight * image.data[3 * (y * image.width + first + i) + channel]!
        narrow[3 * (y * width + x) + channel] = sum
      }
    }
  const out = new Float32Array(height * width * 3)
  const row = 3 * width
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y]!
    for (let at = 0; at < row; at++) {
      let sum = 0
      for (const [i, weight] of weights.entries()) sum += weight * narrow[(first + i) * row + at]!
      out[y * row + at] = sum
    }
  }
  return out
}

type Triangle = { first: number; weights: number[] }

/** For each of `to` new pixels: the old ones of `from` that it is made of. */
function triangles(from: number, to: number): Triangle[] {
  const shrink = from / to
  const half = Math.max(shrink, 1)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * shrink - 0.5
    const first = Math.max(0, Math.ceil(centre - half))
    const last = Math.min(from - 1, Math.floor(centre + half))
    const raw = Array.from({ length: last - first + 1 }, (_, k) => Math.max(0, 1 - Math.abs(first + k - centre) / half))
    const total = raw.reduce((a, b) => a + b, 0)
    return { first, weights: raw.map((weight) => weight / total) }
  })
}
