/** @file CRC-32 (IEEE 802.3, as in PNG and zip). Node has it from 20.15 on; the package promises any Node 20. */
import * as zlib from 'node:zlib'

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

/** Of a piece, going on from that of what came before it. */
const native: ((piece: Uint8Array, before?: number) => number) | undefined = zlib.crc32

/** The same without Node's. */
export function plainCrc32(piece: Uint8Array, before = 0): number {
  let c = ~before
  for (let i = 0; i < piece.length; i++) c = TABLE[(c ^ piece[i]!) & 255]! ^ (c >>> 8)
  return ~c >>> 0
}

/** Of several pieces in a row, as one unsigned 32-bit number. */
export function crc32(...pieces: readonly Uint8Array[]): number {
  const next = native ?? plainCrc32
  return pieces.reduce((sum, piece) => next(piece, sum), 0)
}
