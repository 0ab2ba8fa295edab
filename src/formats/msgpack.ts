/**
 * @file msgpack with numpy arrays in it, as openpi's clients and servers write it (their msgpack_numpy): byte for byte what
 * Python's msgpack makes of the same values. An array is a map whose keys are bytes.
 */
import { InputError } from '../errors.ts'

export type Packable =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Real
  | NumpyArray
  | readonly Packable[]
  | PackableMap
export type PackableMap = { readonly [name: string]: Packable | undefined } // what is undefined is left out

/** What is read: a numpy scalar comes as its value. */
export type Unpacked = null | boolean | number | string | Uint8Array | NumpyArray | Unpacked[] | Map<string, Unpacked>

/** A number that Python has as a float, whole or not. */
export class Real {
  constructor(readonly value: number) {}
}

/** C order; dtype as numpy writes it, "<f4". */
export class NumpyArray {
  constructor(
    readonly dtype: string,
    readonly shape: readonly number[],
    readonly data: Uint8Array,
  ) {}

  static floats(values: Float32Array, shape: readonly number[] = [values.length]): NumpyArray {
    return new NumpyArray('<f4', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  static bytes(values: Uint8Array, shape: readonly number[]): NumpyArray {
    return new NumpyArray('|u1', shape, values)
  }
}

const DEEPEST = 16

// Writing

export function pack(value: Packable): Uint8Array {
  const parts: Uint8Array[] = []
  write(value, parts)
  return Buffer.concat(parts)
}

function write(value: Packable, parts: Uint8Array[]): void {
  if (value === null) parts.push(Buffer.of(0xc0))
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xc3 : 0xc2))
  else if (typeof value === 'number') parts.push(Number.isSafeInteger(value) ? integer(value) : real(value))
  else if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    parts.push(bytes.length < 32 ? Buffer.of(0xa0 | bytes.length) : sized(0xd9, bytes.length), bytes)
  } else if (value instanceof Real) parts.push(real(value.value))
  else if (value instanceof Uint8Array) parts.push(sized(0xc4, value.length), value)
  else if (value instanceof NumpyArray) writeArray(value, parts)
  else if (Array.isArray(value)) {
    const list = value as readonly Packable[]
    parts.push(list.length < 16 ? Buffer.of(0x90 | list.length) : sized(0xdb, list.length, 2))
    for (const item of list) write(item, parts)
  } else {
    const entries = Object.entries(value as PackableMap).filter(
      (entry): entry is [string, Packable] => entry[1] !== undefined,
    )
    parts.push(mapHead(entries.length))
    for (const [name, item] of entries) {
      write(name, parts)
      write(item, parts)
    }
  }
}

const mapHead = (count: number) => (count < 16 ? Buffer.of(0x80 | count) : sized(0xdd, count, 2))

function writeArray({ dtype, shape, data }: NumpyArray, parts: Uint8Array[]): void {
  const fields: [string, Packable][] = [
    ['__ndarray__', true],
    ['data', data],
    ['dtype', dtype],
    ['shape', shape],
  ]
  parts.push(mapHead(fields.length))
  for (const [key, value] of fields) {
    write(Buffer.from(key), parts)
    write(value, parts)
  }
}

/** A length of 1, 2 or 4 bytes after its type; `first` is the type with 1, which lists and maps lack. */
function sized(first: number, length: number, least: 1 | 2 = 1): Buffer {
  if (least === 1 && length < 2 ** 8) return Buffer.of(first, length)
  if (length < 2 ** 16) return Buffer.of(first + 1, length >> 8, length & 255)
  const head = Buffer.alloc(5)
  head[0] = first + 2
  head.writeUInt32BE(length, 1)
  return head
}

function real(value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = 0xcb
  bytes.writeDoubleBE(value, 1)
  return bytes
}

/** In as few bytes as it takes. */
function integer(value: number): Buffer {
  if (value >= 0) {
    if (value < 128) return Buffer.of(value)
    if (value < 2 ** 8) return Buffer.of(0xcc, value)
    if (value < 2 ** 16) return Buffer.of(0xcd, value >> 8, value & 255)
    const bytes = Buffer.alloc(value < 2 ** 32 ? 5 : 9)
    bytes[0] = value < 2 ** 32 ? 0xce : 0xcf
    if (value < 2 ** 32) bytes.writeUInt32BE(value, 1)
    else bytes.writeBigUInt64BE(BigInt(value), 1)
    return bytes
  }
  if (value >= -32) return Buffer.of(value & 255)
  const [type, width] =
    value >= -(2 ** 7) ? [0xd0, 1] : value >= -(2 ** 15) ? [0xd1, 2] : value >= -(2 ** 31) ? [0xd2, 4] : [0xd3, 8]
  const bytes = Buffer.alloc(1 + width)
  bytes[0] = type
  if (width === 8) bytes.writeBigInt64BE(BigInt(value), 1)
  else bytes.writeIntBE(value, 1, width)
  return bytes
}

// Reading

/** `where` names the message in errors. @throws InputError if it is damaged, hostile, or holds what msgpack_numpy does not write */
export function unpack(bytes: Uint8Array, where: string): Unpacked {
  const reader = new Reader(bytes, where)
  const value = reader.value(0)
  reader.expectEnd()
  return value
}

class Reader {
  private at = 0
  private readonly bytes: Buffer

  constructor(
    bytes: Uint8Array,
    private readonly where: string,
  ) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  expectEnd(): void {
    if (this.at < this.bytes.length) throw this.wrong(`has ${this.bytes.length - this.at} bytes after its end`)
  }

  value(depth: number): Unpacked {
    if (depth > DEEPEST) throw this.wrong(`is nested deeper than ${DEEPEST} levels`)
    const type = this.bytes[this.take(1)]!
    if (type < 0x80) return type
    if (type < 0x90) return this.map(type & 15, depth)
    if (type < 0xa0) return this.list(type & 15, depth)
    if (type < 0xc0) return this.text(type & 31)
    if (type >= 0xe0) return type - 0x100
    const { bytes } = this
    switch (type) {
      case 0xc0:
        return null
      case 0xc2:
      case 0xc3:
        return type === 0xc3
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.binary(this.length(type - 0xc4))
      case 0xca:
        return bytes.readFloatBE(this.take(4))
      case 0xcb:
        return bytes.readDoubleBE(this.take(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.length(type - 0xcc)
      case 0xcf:
        return this.whole(bytes.readBigUInt64BE(this.take(8)))
      case 0xd0:
        return bytes.readInt8(this.take(1))
      case 0xd1:
        return bytes.readInt16BE(this.take(2))
      case 0xd2:
        return bytes.readInt32BE(this.take(4))
      case 0xd3:
        return this.whole(bytes.readBigInt64BE(this.take(8)))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.length(type - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.list(this.length(type - 0xdb), depth)
      case 0xde:
      case 0xdf:
        return this.map(this.length(type - 0xdd), depth)
      default:
        throw this.wrong(`holds the msgpack type 0x${type.toString(16)}`)
    }
  }

  private list(count: number, depth: number): Unpacked[] {
    this.expect(count)
    return Array.from({ length: count }, () => this.value(depth + 1))
  }

  /** A map of names; one whose keys are bytes is a numpy array, or a scalar. */
  private map(count: number, depth: number): Unpacked {
    this.expect(2 * count)
    const named = new Map<string, Unpacked>()
    let numpy = 0
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1)
      if (key instanceof Uint8Array) numpy++
      else if (typeof key !== 'string') throw this.wrong('has a key that is no name')
      const name = typeof key === 'string' ? key : Buffer.from(key).toString()
      if (named.has(name)) throw this.wrong(`has "${name}" twice`)
      named.set(name, this.value(depth + 1))
    }
    if (numpy === 0) return named
    if (numpy < count) throw this.wrong('has keys of two kinds in one map')
    return named.has('__npgeneric__') ? (named.get('data') ?? null) : this.array(named)
  }

  private array(fields: ReadonlyMap<string, Unpacked>): NumpyArray {
    const [data, dtype, shape] = ['data', 'dtype', 'shape'].map((name) => fields.get(name))
    const sizes = Array.isArray(shape) ? shape : []
    const isShape = Array.isArray(shape) && sizes.every((size) => Number.isInteger(size) && (size as number) >= 0)
    if (fields.get('__ndarray__') !== true || !(data instanceof Uint8Array) || typeof dtype !== 'string' || !isShape)
      throw this.wrong('holds a map with bytes for keys that is no numpy array')
    const width = Number(/^[<|>=]?[a-zA-Z](\d+)$/.exec(dtype)?.[1] ?? Number.NaN)
    const needed = (sizes as number[]).reduce((a, b) => a * b, 1) * width
    if (needed !== data.length) throw this.wrong(`holds an array ${dtype} [${sizes}] of ${data.length} bytes`)
    return new NumpyArray(dtype, sizes as number[], data)
  }

  private text(length: number): string {
    const at = this.take(length)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes.subarray(at, at + length))
    } catch (cause) {
      throw this.wrong('holds a text that is not UTF-8', cause)
    }
  }

  private binary(length: number): Uint8Array {
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }

  /** Of 1, 2 or 4 bytes: kind 0, 1 or 2. */
  private length(kind: number): number {
    const width = 1 << kind
    return this.bytes.readUIntBE(this.take(width), width)
  }

  private whole(value: bigint): number {
    if (!Number.isSafeInteger(Number(value))) throw this.wrong(`holds the integer ${value}, which is too large`)
    return Number(value)
  }

  private take(count: number): number {
    this.expect(count)
    const from = this.at
    this.at += count
    return from
  }

  /** Before anything of that size is made. */
  private expect(count: number): void {
    const left = this.bytes.length - this.at
    if (count > left) throw this.wrong(`ends where ${count} more bytes were due (${left} are there)`)
  }

  private wrong(what: string, cause?: unknown): InputError {
    return new InputError(
      `${this.where}, byte ${this.at}`,
      what,
      'Send msgpack as openpi_client.msgpack_numpy packs it',
      { cause },
    )
  }
}

// Numbers

const READERS: Readonly<Record<string, [width: number, read: (view: DataView, at: number) => number]>> = {
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
  '|u1': [1, (view, at) => view.getUint8(at)],
  '|i1': [1, (view, at) => view.getInt8(at)],
  '|b1': [1, (view, at) => view.getUint8(at)],
  '<i2': [2, (view, at) => view.getInt16(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
}

/** Its numbers in single precision. @throws InputError for a dtype that holds none, or is big-endian */
export function numbersOf({ dtype, data }: NumpyArray, where: string): Float32Array {
  const reader = READERS[dtype]
  if (!reader) throw new InputError(where, `has dtype ${dtype}`, `Send one of ${Object.keys(READERS).join(', ')}`)
  const [width, read] = reader
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Float32Array.from({ length: data.byteLength / width }, (_, i) => read(view, i * width))
}
