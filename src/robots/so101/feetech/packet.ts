/**
 * @file Packets of the Feetech serial bus: FF FF, id, length, code, data, checksum. The code of a request is its instruction, that of
 * a reply is what the servo finds wrong with itself.
 */

export const INSTRUCTIONS = {
  ping: 0x01,
  read: 0x02, // address, count
  write: 0x03, // address, bytes
  syncRead: 0x82, // address, count, ids: one reply each, in that order
  syncWrite: 0x83, // address, count, then id and bytes of each: no reply
} as const

/** Everybody's id; what is sent to it is answered only where the instruction says so. */
export const BROADCAST = 0xfe

export type Packet = { id: number; code: number; data: Uint8Array }

/** ~(sum of all bytes after the header) & FF. */
const checksum = (bytes: ArrayLike<number>, from: number, to: number) => {
  let sum = 0
  for (let i = from; i < to; i++) sum += bytes[i]!
  return ~sum & 0xff
}

export function encodePacket(id: number, code: number, data: ArrayLike<number> = []): Uint8Array {
  const bytes = new Uint8Array(data.length + 6)
  bytes.set([0xff, 0xff, id, data.length + 2, code])
  bytes.set(Array.from(data), 5)
  bytes[bytes.length - 1] = checksum(bytes, 2, bytes.length - 1)
  return bytes
}

/** Finds packets in bytes as they come. What is none is skipped and counted: a line that loses bytes loses packets, never its place. */
export class PacketReader {
  /** Bytes that belonged to no whole packet. */
  skipped = 0
  private bytes: number[] = []

  push(chunk: Uint8Array): Packet[] {
    this.bytes.push(...chunk)
    const packets: Packet[] = []
    for (;;) {
      const { bytes } = this
      let at = 0
      while (at < bytes.length && !(bytes[at] === 0xff && (at + 1 >= bytes.length || bytes[at + 1] === 0xff))) at++
      while (bytes[at + 2] === 0xff) at++ // a third FF is noise before the header: no id is FF
      this.skip(at)
      const { bytes: rest } = this
      if (rest.length < 4) return packets
      const length = rest[3]!
      if (length < 2 || length > 250) {
        this.skip(2)
        continue
      }
      if (rest.length < length + 4) return packets
      if (checksum(rest, 2, length + 3) !== rest[length + 3]) {
        this.skip(2) // the next header may be within what was taken for this packet
        continue
      }
      packets.push({ id: rest[2]!, code: rest[4]!, data: Uint8Array.from(rest.slice(5, length + 3)) })
      this.bytes = rest.slice(length + 4)
    }
  }

  /** What has come of a packet is not waited for any longer. */
  clear(): void {
    this.skip(this.bytes.length)
  }

  private skip(count: number): void {
    if (count === 0) return
    this.skipped += count
    this.bytes = this.bytes.slice(count)
  }
}
