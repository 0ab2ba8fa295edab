/**
 * @file Finds the JPEG pictures in a stream of bytes: what a camera program writes, or the parts of a multipart answer, whose
 * boundaries and lengths need not be believed. A picture is handed on with its last byte, before the next one begins.
 */

export const LARGEST_PICTURE = 8 << 20 // bytes: a JPEG of 4096 × 3072 at high quality has less
const MOST_BETWEEN = 1 << 16 // bytes without a picture; the head of a part has a few hundred

/** "too large": a picture does not end. "no pictures": what comes is something else. */
export type SplitterTrouble = 'too large' | 'no pictures'

const SHOWN = 256 // bytes

const FILL = 0xff
const START = 0xd8 // of a picture
const END = 0xd9
const SCAN = 0xda // opens compressed data, which goes on to the next marker
const EXTRA = 0xc0 // markers below it are reserved, or stand alone

export class JpegSplitter {
  private buffer: Buffer = Buffer.alloc(1 << 16)
  private filled = 0
  private at = 0 // of what comes next to be looked at; the picture that is open begins at 0
  private state: 'between' | 'segment' | 'scan' = 'between'
  private between = 0 // bytes since the last picture
  /** Pictures that broke off in the middle. */
  broken = 0

  /** What came since the last picture, the beginning of it. */
  instead: Buffer = Buffer.alloc(0)

  /** Pictures that these bytes complete, each in memory of its own; or what is wrong, after which the splitter is of no use. */
  push(chunk: Uint8Array): Uint8Array[] | SplitterTrouble {
    this.append(chunk)
    const pictures: Uint8Array[] = []
    for (;;) {
      const end = this.advance()
      if (end === null) break
      pictures.push(Uint8Array.prototype.slice.call(this.buffer, 0, end))
      this.between = 0
      this.instead = Buffer.alloc(0)
      this.restart(end)
    }
    if (this.state !== 'between') return this.filled > LARGEST_PICTURE ? 'too large' : pictures
    return this.between > MOST_BETWEEN && pictures.length === 0 ? 'no pictures' : pictures
  }

  private append(chunk: Uint8Array): void {
    const needed = this.filled + chunk.length
    if (needed > this.buffer.length) {
      const larger = Buffer.alloc(2 ** Math.ceil(Math.log2(needed)))
      this.buffer.copy(larger, 0, 0, this.filled)
      this.buffer = larger
    }
    this.buffer.set(chunk, this.filled)
    this.filled = needed
  }

  /** Drops the bytes before `from`; the next picture is looked for behind them. */
  private restart(from: number): void {
    this.buffer.copyWithin(0, from, this.filled)
    this.filled -= from
    this.at = 0
    this.state = 'between'
  }

  /** Looks on; returns where the open picture ends, or null where its end has not come yet. */
  private advance(): number | null {
    for (;;) {
      if (this.state === 'between' && !this.findStart()) return null
      if (this.state === 'segment' && !this.passSegment()) return null
      if (this.state !== 'scan') continue
      const marker = this.findMarker()
      if (marker === null) return null
      if (marker === END) return this.at + 2
      if (marker === START) this.breakOff(this.at)
      else this.state = 'segment'
    }
  }

  private findStart(): boolean {
    const { buffer, filled } = this
    for (let from = 0; ; from++) {
      from = buffer.indexOf(FILL, from)
      const none = from < 0 || from >= filled
      const kept = none ? filled : from
      if (none || from + 2 >= filled || (buffer[from + 1] === START && buffer[from + 2] === FILL)) {
        this.between += kept
        this.instead = Buffer.concat([this.instead, buffer.subarray(0, Math.min(kept, SHOWN - this.instead.length))])
        this.buffer.copyWithin(0, kept, filled)
        this.filled = filled - kept
        if (none || this.filled < 3) return false
        this.at = 2
        this.state = 'segment'
        return true
      }
    }
  }

  /** A marker and its content. False where not all of it is there. */
  private passSegment(): boolean {
    const { buffer, filled, at } = this
    if (at + 4 > filled) return false
    const marker = buffer[at + 1]!
    if (buffer[at] !== FILL || marker < EXTRA) this.breakOff(2)
    else if (marker === FILL) this.at++
    else if (marker === START) this.breakOff(at)
    else if (marker === END) this.breakOff(at + 2)
    else if (at + 2 + buffer.readUInt16BE(at + 2) > filled) return false
    else {
      this.at = at + 2 + buffer.readUInt16BE(at + 2)
      if (marker === SCAN) this.state = 'scan'
    }
    return true
  }

  /** The next marker in compressed data that ends it: no stuffed byte, no restart. Null where none has come yet. */
  private findMarker(): number | null {
    const { buffer, filled } = this
    for (;;) {
      const found = buffer.indexOf(FILL, this.at)
      this.at = found < 0 ? filled : Math.min(found, filled)
      if (this.at + 1 >= filled) return null
      const next = buffer[this.at + 1]!
      if (next === 0 || (next >= 0xd0 && next <= 0xd7)) this.at += 2
      else if (next === FILL) this.at++
      else return next
    }
  }

  /** The open picture is none; goes on looking from a place within it. */
  private breakOff(from: number): void {
    this.broken++
    this.between += from
    this.restart(from)
  }
}
