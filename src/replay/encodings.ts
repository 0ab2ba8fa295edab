/**
 * @file What an encoder made of each observation of a log, kept in a file beside it, so that nobody encodes it again. All of it
 * can be made anew: what is missing, damaged or of another provenance is not found, and the file may be deleted at any time.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { writeAll } from '../durable.ts'
import { decodeHalves, toHalf } from '../float16.ts'
import type { EncodedObservation } from './assembler.ts'
import { crc32 } from './crc32.ts'
import { FRAME_OVERHEAD, FrameReader, frame } from './frames.ts'

const FORMAT = 'duet-encodings'
/** To be raised where an encoder comes to make other numbers of the same weights. */
const VERSION = 2

/** All that decides the numbers beside an observation and its instruction. A file is of one provenance; its name has the hash of it. */
export type Provenance = {
  encoder: { name: string; hash: string } & Readonly<Record<string, unknown>> // and what else it was opened with
  widths: { h: number; proprio: number; features: readonly number[] } // the last: the shape of one view
  copies: { count: number; pixels: number; seed: number }
}

/** Observation `step` of an episode. `id` fixes the shifts of its copies; `sum` as in `Episode.sums`. */
export type EncodingKey = { episode: number; step: number; id: number; sum: number; instruction: string }

const KEY = 24 // bytes: id, episode, step, sum, and the checksum of the instruction
const NAME = /^encodings-[0-9a-f]{12}\.duetenc$/
const MOST_STEPS = 2 ** 20 // of an episode

/**
 * One file. Every record has the same length: its key, h and proprio before they are normalised, then the features of the
 * observation and of its copies as halves, which is what the replay keeps of them. A record is appended by one call, so that
 * runs that share demonstrations may share their file. Where the disk refuses, the run goes on without.
 */
export class Encodings {
  readonly file: string
  private readonly head: string
  private readonly view: number // features of one view
  private readonly payload: number // bytes
  private readonly newest = new Map<number, number>() // by episode and step: where the record stands that was written last
  private readonly older = new Map<number, number>() // by the place of a record that of an older one with the same numbers
  private readonly told = new Set<string>()
  private reader: FrameReader | undefined
  private end: number | undefined // what comes behind it was cut short
  private fd: number | undefined
  private refused = false

  /** `onTrouble` hears once of each thing that is amiss; nothing of it ends a run. */
  constructor(
    readonly folder: string,
    private readonly provenance: Provenance,
    private readonly onTrouble: (line: string) => void = () => undefined,
  ) {
    const { h, proprio, features } = provenance.widths
    const copies = provenance.copies.count > 0 ? provenance.copies : { count: 0, pixels: 0, seed: 0 }
    this.view = features.reduce((product, size) => product * size, 1)
    this.payload = KEY + 4 * (h + proprio) + 2 * this.view * (1 + copies.count)
    this.head = JSON.stringify({ format: FORMAT, version: VERSION, ...provenance, copies })
    const hash = createHash('sha256').update(this.head).digest('hex')
    this.file = path.join(folder, `encodings-${hash.slice(0, 12)}.duetenc`)
    try {
      this.index()
    } catch (error) {
      this.trouble(`${this.file} cannot be read (${(error as Error).message})`)
    }
  }

  /** Bytes that an observation takes. */
  get bytes(): number {
    return FRAME_OVERHEAD + this.payload
  }

  /** As it was before it was normalised; undefined where it has to be encoded. */
  find(key: EncodingKey): EncodedObservation | undefined {
    const wanted = this.keyBytes(key)
    for (let at = this.newest.get(placeOf(key)); at !== undefined; at = this.older.get(at)) {
      const found = this.reader?.read(at)
      if (!found) this.trouble(`${this.file} is damaged at byte ${at}; what cannot be read is encoded again`, 'damaged')
      else if (found.payload.subarray(0, KEY).equals(wanted)) return this.unpack(found.payload)
    }
    return undefined
  }

  /** For the next time. `raw`: before it is normalised. Never throws. */
  keep(key: EncodingKey, raw: EncodedObservation): void {
    if (this.refused) return
    try {
      const payload = this.pack(key, raw)
      if (payload) this.append(frame(payload))
    } catch (error) {
      this.refused = true
      this.trouble(`${this.file} cannot be written (${(error as Error).message}); what it lacks is encoded again`)
    }
  }

  /** Nothing is found from now on, and the memory for it is free; `keep` goes on. */
  forget(): void {
    this.reader?.close()
    this.reader = undefined
    this.newest.clear()
    this.older.clear()
  }

  close(): void {
    this.forget()
    if (this.fd !== undefined) fs.closeSync(this.fd)
    this.fd = undefined
    this.refused = true
  }

  /** Where each record stands; whether it is intact shows when it is read. */
  private index(): void {
    if (!fs.existsSync(this.file)) {
      const others = encodingFiles(this.folder).length > 0
      if (others) this.trouble(`${this.folder} has none of this encoder with these settings; all is encoded again`)
      return
    }
    const reader = new FrameReader(this.file)
    this.reader = reader
    if (reader.size > 0 && reader.next()?.payload.toString() !== this.head) {
      this.forget()
      this.trouble(`${this.file} is not what its name says, and is made anew`)
      fs.rmSync(this.file)
      return
    }
    while (reader.end < reader.size) {
      const from = reader.end
      const found = reader.skim(KEY)
      if (found && reader.end === from + this.bytes) this.note(found.payload, from)
      else this.skip(reader, from)
    }
  }

  private note(front: Buffer, offset: number): void {
    const place = placeOf({ episode: front.readUInt32LE(8), step: front.readUInt32LE(12) })
    const before = this.newest.get(place)
    if (before !== undefined) this.older.set(offset, before)
    this.newest.set(place, offset)
  }

  private skip(reader: FrameReader, from: number): void {
    reader.end = from
    const intact = reader.findIntact()
    if (intact === null) this.end = reader.end
    if (intact !== null || !reader.cutShort)
      this.trouble(`${this.file} is damaged at byte ${reader.end}; what cannot be read is encoded again`, 'damaged')
    reader.end = intact ?? reader.size
  }

  private append(bytes: Buffer): void {
    if (this.fd === undefined) {
      fs.mkdirSync(this.folder, { recursive: true })
      if (this.end !== undefined) fs.truncateSync(this.file, this.end)
      this.fd = fs.openSync(this.file, 'a')
      if (fs.fstatSync(this.fd).size === 0) writeAll(this.fd, frame(Buffer.from(this.head)))
    }
    writeAll(this.fd, bytes)
  }

  private keyBytes({ episode, step, id, sum, instruction }: EncodingKey): Buffer {
    const bytes = Buffer.alloc(KEY)
    bytes.writeDoubleLE(this.provenance.copies.count > 0 ? id : 0, 0)
    bytes.writeUInt32LE(episode, 8)
    bytes.writeUInt32LE(step, 12)
    bytes.writeUInt32LE(sum, 16)
    bytes.writeUInt32LE(crc32(Buffer.from(instruction)), 20)
    return bytes
  }

  /** Undefined for numbers that are not finite: nobody can learn from them, and as halves they would look as if one could. */
  private pack(key: EncodingKey, { h, proprio, features }: EncodedObservation): Buffer | undefined {
    const floats = new Float32Array(h.length + proprio.length)
    floats.set(h)
    floats.set(proprio, h.length)
    const halves = new Uint16Array(features.length * this.view)
    let finite = floats.every(Number.isFinite)
    features.forEach((view, copy) => {
      for (let i = 0, at = copy * this.view; i < view.length; i++) {
        finite &&= Number.isFinite(view[i])
        halves[at + i] = toHalf(view[i]!)
      }
    })
    const pieces = [this.keyBytes(key), bytesOf(floats), bytesOf(halves)]
    const payload = Buffer.concat(pieces)
    if (payload.length !== this.payload) throw new Error(`a record has ${payload.length} bytes, not ${this.payload}`)
    return finite ? payload : undefined
  }

  private unpack(payload: Buffer): EncodedObservation {
    const { widths, copies } = this.provenance
    const h = new Float32Array(widths.h)
    const proprio = new Float32Array(widths.proprio)
    const halves = new Uint16Array(this.view * (1 + copies.count))
    let at = KEY
    for (const array of [h, proprio, halves]) {
      bytesOf(array).set(payload.subarray(at, at + array.byteLength))
      at += array.byteLength
    }
    const features = Array.from({ length: 1 + copies.count }, (_, copy) => {
      const view = new Float32Array(this.view)
      decodeHalves(halves, copy * this.view, view, 0, this.view)
      return view
    })
    return { h, proprio, features }
  }

  private trouble(what: string, kind = what): void {
    if (this.told.has(kind)) return
    this.told.add(kind)
    this.onTrouble(`Encodings: ${what}.`)
  }
}

export type EncodingsCheck = {
  file: string
  bytes: number
  encoder: string | undefined // undefined where its head is damaged: then it is made anew
  observations: number // that are intact
  damaged: number // places
}

/** All files of encodings in a log's folder, read to their ends. */
export function checkEncodings(folder: string): EncodingsCheck[] {
  return encodingFiles(folder).map((file) => {
    const reader = new FrameReader(file)
    try {
      const check: EncodingsCheck = { file, bytes: reader.size, encoder: undefined, observations: 0, damaged: 0 }
      check.encoder = encoderIn(reader.next()?.payload)
      while (reader.end < reader.size)
        if (reader.next()) check.observations++
        else {
          check.damaged++
          reader.end = reader.findIntact() ?? reader.size
        }
      return check
    } finally {
      reader.close()
    }
  })
}

function encoderIn(head: Buffer | undefined): string | undefined {
  try {
    const { format, encoder } = JSON.parse(String(head)) as { format?: string; encoder?: { name?: string } }
    return format === FORMAT ? encoder?.name : undefined
  } catch {
    return undefined
  }
}

const encodingFiles = (folder: string): string[] =>
  fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .filter((name) => NAME.test(name))
        .sort()
        .map((name) => path.join(folder, name))
    : []

const placeOf = ({ episode, step }: Pick<EncodingKey, 'episode' | 'step'>) => episode * MOST_STEPS + step

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)
