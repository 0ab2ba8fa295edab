/** @file Half-precision numbers (IEEE and bfloat16) in Uint16Arrays: half the memory; IEEE at a relative error of 2^-11. */

const word = new Float32Array(1)
const bits = new Uint32Array(word.buffer)

/** Nearest half, ties to even; beyond ±65504 it saturates, so that one bright feature never becomes an infinity. */
export function toHalf(value: number): number {
  word[0] = value
  const x = bits[0]!
  const sign = (x >>> 16) & 0x8000
  const magnitude = x & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7bff
  if (magnitude < 0x38800000) {
    // subnormal half: count units of 2^-24
    const units = Math.abs(word[0]!) * 16777216
    const floor = Math.floor(units)
    const rest = units - floor
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor & 1) ? 1 : 0))
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** All 65,536 halves as floats: decoding is one look-up. */
export const FROM_HALF = Float32Array.from({ length: 65536 }, (_, half) => {
  const exponent = (half >>> 10) & 31
  const fraction = half & 1023
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
})

/** out[at + i] = source[from + i], for i < count. */
export function decodeHalves(source: Uint16Array, from: number, out: Float32Array, at: number, count: number) {
  for (let i = 0; i < count; i++) out[at + i] = FROM_HALF[source[from + i]!]!
}

/** out[at + i] = source[i], for i < count: a bfloat16 is the upper half of a float32. */
export function decodeBfloat16(source: Uint16Array, out: Float32Array, at: number, count: number) {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length) // as words: a NaN keeps its bits
  for (let i = 0; i < count; i++) words[at + i] = source[i]! << 16
}
