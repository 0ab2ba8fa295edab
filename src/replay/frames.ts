/** @file Framed records in a file: a mark, a length, a CRC-32 and the payload, so that a torn or damaged record is seen. */
import fs from 'node:fs'
import { InputError, systemError } from '../errors.ts'
import { crc32 } from './crc32.ts'

/** "DUET", little-endian: lets a reader find the next record behind a damaged one. */
const MARK = 0x54455544
export const FRAME_OVERHEAD = 12
/** Far above any step; a damaged length beyond it is refused before memory is reserved. */
export const MAX_PAYLOAD = 1 << 26

const ZEROS = 16 // bytes at the end of a file that no record has, and a disk that lost its power leaves

export type LogFrame = { offset: number; payload: Buffer; sum: number } // its CRC-32

/** Mark, length, CRC-32 over length and payload, payload. */
export function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_OVERHEAD + payload.length)
  bytes.writeUInt32LE(MARK, 0)
  bytes.writeUInt32LE(payload.length, 4)
  bytes.set(payload, FRAME_OVERHEAD)
  bytes.writeUInt32LE(crc32(bytes.subarray(4, 8), payload), 8)
  return bytes
}

/** The checksum of a framed record. */
export const sumOf = (framed: Buffer): number => framed.readUInt32LE(8)

/** One number for a record and all before it: of theirs, undefined where it is the first, and its own checksum. */
export function chained(before: number | undefined, sum: number): number {
  if (before === undefined) return sum
  const both = Buffer.allocUnsafe(8)
  both.writeUInt32LE(before, 0)
  both.writeUInt32LE(sum, 4)
  return crc32(both)
}

/** Reads the frames of one file in order. Close it when done. */
export class FrameReader {
  readonly size: number
  private readonly fd: number
  private readonly head = Buffer.alloc(FRAME_OVERHEAD)
  /** Where the last intact frame ended: the length of the good part. */
  end = 0

  /** @throws InputError if there is no such file, or it may not be read */
  constructor(path: string) {
    try {
      this.fd = fs.openSync(path, 'r')
    } catch (error) {
      throw systemError(error, path) ?? error
    }
    const stat = fs.fstatSync(this.fd)
    this.size = stat.size
    if (stat.isFile()) return
    fs.closeSync(this.fd)
    throw new InputError(path, 'is no file', 'Move it out of the folder')
  }

  /** The next frame; null at the end of the file and at anything that is no intact frame. */
  next(): LogFrame | null {
    const frame = this.read(this.end)
    if (frame) this.end += FRAME_OVERHEAD + frame.payload.length
    return frame
  }

  /** As `next`, of the payload only the front: whether the rest is intact is seen when it is read. */
  skim(front: number): LogFrame | null {
    const head = this.headAt(this.end)
    if (!head) return null
    const { offset, length, sum } = head
    const payload = this.bytes(offset + FRAME_OVERHEAD, offset + FRAME_OVERHEAD + Math.min(front, length))
    this.end += FRAME_OVERHEAD + length
    return { offset, payload, sum }
  }

  /** Whether the file goes on behind the last intact frame: a record cut short, or damage. */
  get torn(): boolean {
    return this.end < this.size
  }

  /**
   * Whether the torn place is a write that the end of the process or of the power cut short: it promises more than there is,
   * or the disk filled it up with zeros. Anything else has been written and was changed since.
   */
  get cutShort(): boolean {
    const left = this.size - this.end
    if (left < FRAME_OVERHEAD) return true
    fs.readSync(this.fd, this.head, 0, FRAME_OVERHEAD, this.end)
    const length = this.head.readUInt32LE(4)
    if (this.head.readUInt32LE(0) === MARK && length <= MAX_PAYLOAD && FRAME_OVERHEAD + length > left) return true
    const last = this.bytes(this.size - Math.min(left, ZEROS), this.size)
    return last.every((byte) => byte === 0)
  }

  /** The file from one offset to another, frames or not. */
  bytes(from: number, to: number): Buffer {
    const bytes = Buffer.alloc(to - from)
    fs.readSync(this.fd, bytes, 0, bytes.length, from)
    return bytes
  }

  /** Where the next intact frame begins behind a torn place; null if none follows. */
  findIntact(): number | null {
    const window = Buffer.alloc(1 << 20)
    const mark = Buffer.alloc(4)
    mark.writeUInt32LE(MARK)
    for (let from = this.end + 1; from + FRAME_OVERHEAD <= this.size; from += window.length - 3) {
      const text = window.subarray(0, fs.readSync(this.fd, window, 0, window.length, from))
      for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
        if (this.read(from + at)) return from + at
      }
    }
    return null
  }

  close() {
    fs.closeSync(this.fd)
  }

  /** The intact frame at an offset, if one is there. */
  read(offset: number): LogFrame | null {
    const head = this.headAt(offset)
    if (!head) return null
    const payload = Buffer.allocUnsafe(head.length)
    fs.readSync(this.fd, payload, 0, head.length, offset + FRAME_OVERHEAD)
    return crc32(this.head.subarray(4, 8), payload) === head.sum ? { offset, payload, sum: head.sum } : null
  }

  /** Null where none begins, or it would be longer than what is left. */
  private headAt(offset: number): { offset: number; length: number; sum: number } | null {
    if (offset + FRAME_OVERHEAD > this.size) return null
    fs.readSync(this.fd, this.head, 0, FRAME_OVERHEAD, offset)
    const length = this.head.readUInt32LE(4)
    if (this.head.readUInt32LE(0) !== MARK || length > MAX_PAYLOAD || offset + FRAME_OVERHEAD + length > this.size)
      return null
    return { offset, length, sum: sumOf(this.head) }
  }
}
