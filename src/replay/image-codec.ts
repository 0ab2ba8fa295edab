/** @file Lossless RGB images for the log: what changed since the last frame, or since the pixel to the left, deflated. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'

/** How a stored image is to be read. */
const STORED = 0 // as it is: noise does not deflate
const LEFT = 1 // differences to the pixel on the left
const BEFORE = 2 // differences to the same camera's frame one step earlier

export type PackedImage = { codec: number; bytes: Uint8Array }

/** `previous` is the same camera's frame one step earlier in the episode. Level 1: a frame has under a millisecond. */
export function packImage(data: Uint8Array, width: number, previous?: Uint8Array): PackedImage {
  const left = leftResidual(data, width)
  const before = previous && beforeResidual(data, previous)
  const codec = before && weight(before) <= weight(left) ? BEFORE : LEFT
  const bytes = deflateRawSync(codec === BEFORE ? before! : left, { level: constants.Z_BEST_SPEED })
  return bytes.length < data.length ? { codec, bytes } : { codec: STORED, bytes: data }
}

/**
 * The inverse. `size` is the number of bytes that the image must have; no more than that is ever inflated.
 * @returns null if the bytes are no such image
 */
export function unpackImage(
  packed: PackedImage,
  width: number,
  size: number,
  previous?: Uint8Array,
): Uint8Array | null {
  if (packed.codec === STORED) return packed.bytes.length === size ? Uint8Array.from(packed.bytes) : null
  if (packed.codec !== LEFT && !(packed.codec === BEFORE && previous?.length === size)) return null
  let data: Uint8Array
  try {
    const inflated = inflateRawSync(packed.bytes, { maxOutputLength: size })
    data = new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.length)
  } catch {
    return null
  }
  if (data.length !== size) return null
  if (packed.codec === BEFORE) {
    for (let i = 0; i < size; i++) data[i] = (data[i]! + previous![i]!) & 255
  } else {
    const stride = 3 * width
    for (let row = 0; row < size; row += stride) {
      for (let i = row + 3; i < row + stride; i++) data[i] = (data[i]! + data[i - 3]!) & 255
    }
  }
  return data
}

function leftResidual(data: Uint8Array, width: number): Uint8Array {
  const residual = new Uint8Array(data.length)
  const stride = 3 * width
  for (let row = 0; row < data.length; row += stride) {
    for (let i = row; i < row + 3; i++) residual[i] = data[i]!
    for (let i = row + 3; i < row + stride; i++) residual[i] = (data[i]! - data[i - 3]!) & 255
  }
  return residual
}

function beforeResidual(data: Uint8Array, previous: Uint8Array): Uint8Array {
  const residual = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) residual[i] = (data[i]! - previous[i]!) & 255
  return residual
}

/** How badly a residual will deflate: the sum of its signed magnitudes, and one more for each byte that is not zero. */
function weight(residual: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < residual.length; i++) {
    const value = residual[i]!
    if (value) sum += 1 + Math.min(value, 256 - value)
  }
  return sum
}
