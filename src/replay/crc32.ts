/** @file CRC-32 (IEEE 802.3, as in PNG and zip). Node has it from 20.15 on; the package promises any Node 20. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

/** Of several pieces in a row, as one unsigned 32-bit number. */
export function crc32(...pieces: readonly Uint8Array[]): number {
  let c = 0xffffffff
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) c = TABLE[(c ^ piece[i]!) & 255]! ^ (c >>> 8)
  }
  return ~c >>> 0
}
