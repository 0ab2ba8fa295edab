/** @file Random shifts of camera images: the copies that the critics and the refinement actor train on. */
import type { Image } from '../robot/robot.ts'

/**
 * The image moved right by dx and down by dy pixels (negative: left, up); the edge pixels are repeated into the gap.
 * Source: the random-shift augmentation of DrQ, arXiv 2004.13649 §3.1, with 4 pixels.
 */
export function shiftImage(image: Image, dx: number, dy: number): Image {
  const { width, height, data } = image
  const shifted = new Uint8Array(data.length)
  const columns = Int32Array.from({ length: width }, (_, x) => 3 * Math.min(width - 1, Math.max(0, x - dx)))
  let to = 0
  for (let y = 0; y < height; y++) {
    const row = 3 * width * Math.min(height - 1, Math.max(0, y - dy))
    for (let x = 0; x < width; x++) {
      const from = row + columns[x]!
      shifted[to++] = data[from]!
      shifted[to++] = data[from + 1]!
      shifted[to++] = data[from + 2]!
    }
  }
  return { width, height, data: shifted }
}
