/** @file Octo's resize: Lanczos-3 with antialiasing and half-pixel centres, as `tf.image.resize` does it. */
import type { Image } from '../../robot/robot.ts'

const LOBES = 3

/** sinc(x) sinc(x / 3) for |x| < 3, where sinc(x) = sin(πx) / πx. */
function lanczos(x: number): number {
  if (Math.abs(x) >= LOBES) return 0
  if (Math.abs(x) < 1e-3) return 1
  const angle = Math.PI * x
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / angle ** 2
}

type Tap = { first: number; weights: Float64Array }

/** For each of `to` new pixels: the old pixels of `from` that it is a mean of, and their weights. Shrinking widens the kernel. */
function taps(from: number, to: number): Tap[] {
  const step = from / to
  const scale = Math.max(1, step)
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step
    const first = Math.max(0, Math.ceil(centre - LOBES * scale - 0.5))
    const last = Math.min(from - 1, Math.floor(centre + LOBES * scale - 0.5))
    const weights = Float64Array.from({ length: last - first + 1 }, (_, k) =>
      lanczos((first + k + 0.5 - centre) / scale),
    )
    const total = weights.reduce((a, b) => a + b, 0)
    return { first, weights: weights.map((weight) => weight / total) }
  })
}

/** The image as `size` x `size` RGB, rounded to whole values 0..255; one of that size stays as it is. */
export function resizeLanczos({ width, height, data }: Image, size: number): Uint8Array {
  if (width === size && height === size) return data
  const across = taps(width, size)
  const rows = new Float64Array(3 * size * height) // each row resized
  for (let y = 0; y < height; y++)
    for (let x = 0; x < size; x++) {
      const { first, weights } = across[x]!
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[3 * (y * width + first + k) + channel]!
        rows[3 * (y * size + x) + channel] = sum
      }
    }
  const out = new Uint8Array(3 * size * size)
  taps(height, size).forEach(({ first, weights }, y) => {
    for (let i = 0; i < 3 * size; i++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * rows[3 * size * (first + k) + i]!
      out[3 * size * y + i] = Math.max(0, Math.min(255, roundHalfEven(sum)))
    }
  })
  return out
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
