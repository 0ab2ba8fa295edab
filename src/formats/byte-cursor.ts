/** @file Walks through a byte source in order, through a small window; what it skips is never read. */
import { InputError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'

const WINDOW_BYTES = 1 << 16

/** Multi-byte numbers are big-endian, or little-endian where a method's `little` is true. */
export class ByteCursor {
  position = 0
  private readonly window: Uint8Array
  private readonly view: DataView
  private start = 0 // of the window, in the source
  private filled = 0

  constructor(readonly source: ByteSource) {
    this.window = new Uint8Array(Math.min(WINDOW_BYTES, source.size))
    this.view = new DataView(this.window.buffer)
  }

  get where(): string {
    return this.source.where
  }

  get remaining(): number {
    return this.source.size - this.position
  }

  /** @throws InputError if fewer than `count` bytes follow: before anything of that size is allocated */
  require(count: number, what: string): void {
    if (count > this.remaining)
      throw new InputError(
        `${this.where}, byte ${this.position}`,
        `${what} takes ${count} bytes, the file has ${this.remaining} more`,
        'It is cut short or damaged: download it again',
      )
  }

  u8 = () => this.view.getUint8(this.take(1))
  i8 = () => this.view.getInt8(this.take(1))
  u16 = (little = false) => this.view.getUint16(this.take(2), little)
  i16 = (little = false) => this.view.getInt16(this.take(2), little)
  u32 = (little = false) => this.view.getUint32(this.take(4), little)
  i32 = (little = false) => this.view.getInt32(this.take(4), little)
  u64 = (little = false) => Number(this.view.getBigUint64(this.take(8), little))
  i64 = (little = false) => Number(this.view.getBigInt64(this.take(8), little))
  f32 = (little = false) => this.view.getFloat32(this.take(4), little)
  f64 = (little = false) => this.view.getFloat64(this.take(8), little)

  /** UTF-8 text of `length` bytes. @throws InputError beyond 64 KiB, or where it is not UTF-8 */
  text(length: number, what: string): string {
    this.require(length, what)
    if (length > WINDOW_BYTES)
      throw new InputError(
        `${this.where}, byte ${this.position}`,
        `${what} is ${length} bytes long, at most ${WINDOW_BYTES} are read`,
        'This is not a file of weights',
      )
    const at = this.position
    const from = this.take(length)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.window.subarray(from, from + length))
    } catch (cause) {
      throw new InputError(`${this.where}, byte ${at}`, `${what} is not UTF-8`, 'It is damaged: download it again', {
        cause,
      })
    }
  }

  /** Passes `length` bytes and returns where they began. */
  skip(length: number, what: string): number {
    this.require(length, what)
    const from = this.position
    this.position += length
    return from
  }

  /** Passes `count` bytes, at most a window; returns where they are in the window. */
  private take(count: number): number {
    this.require(count, 'the next value')
    const inside = this.position >= this.start && this.position + count <= this.start + this.filled
    if (!inside) {
      this.start = this.position
      this.filled = Math.min(this.window.length, this.remaining)
      this.source.peek(this.start, this.window.subarray(0, this.filled))
    }
    const at = this.position - this.start
    this.position += count
    return at
  }
}
