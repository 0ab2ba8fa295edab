/**
 * @file Flax checkpoints (flax.serialization: msgpack with arrays as extension values), indexed without reading the
 * arrays. Own reader: the libraries decode the whole file at once, and weigh 500 MB of weights twice.
 */
import { InputError } from '../errors.ts'
import { ByteCursor } from './byte-cursor.ts'
import { type ByteSource, openIndexed } from './byte-source.ts'
import {
  DTYPE_BYTES,
  elements,
  type PlacedTensor,
  type TensorDtype,
  type TensorFile,
  tensorFile,
} from './tensor-file.ts'

/** A leaf that is no array. */
export type PlainValue = string | number | boolean | null

/** Names are the keys of the nested maps joined by '/'. */
export type FlaxFile = TensorFile & { readonly values: ReadonlyMap<string, PlainValue> }

const DEEPEST = 64
const MOST_NODES = 1_000_000
const DAMAGED = 'It is damaged or of another format: download it again'

/** Extension types of flax.serialization. */
const NDARRAY = 1
const NUMPY_SCALAR = 3

const CHUNKED = '__msgpack_chunked_array__' // flax splits arrays of more than 2^30 bytes
const ELSEWHERE = 'PLACEHOLDER://' // orbax: the array is in a file of its own

const DTYPES: Readonly<Record<string, TensorDtype>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
}

/** @throws InputError that names the byte, if the file is damaged, hostile or not made by flax */
export function openFlax(path: string): Promise<FlaxFile> {
  return openIndexed(path, indexFlax)
}

/** As `openFlax`; the file owns the source. */
export function indexFlax(source: ByteSource): FlaxFile {
  const reader = new FlaxReader(source)
  const root = reader.node('the tree', 0)
  if (reader.cursor.remaining > 0)
    throw new InputError(source.where, `has ${reader.cursor.remaining} bytes after its end`, DAMAGED)
  if (!(root instanceof Map)) throw new InputError(source.where, 'is not a map of parameters', DAMAGED)
  const tensors = new Map<string, PlacedTensor>()
  const values = new Map<string, PlainValue>()
  flatten(root, '', source.where, tensors, values)
  return { ...tensorFile(source.where, tensors, [source]), values }
}

type Node = Map<string, Node> | PlacedTensor | PlainValue

const isTensor = (node: Node | undefined): node is PlacedTensor =>
  typeof node === 'object' && node !== null && !(node instanceof Map)

class FlaxReader {
  readonly cursor: ByteCursor
  private nodes = 0

  constructor(private readonly source: ByteSource) {
    this.cursor = new ByteCursor(source)
  }

  node(name: string, depth: number): Node {
    const { cursor } = this
    if (depth > DEEPEST) throw this.wrong(name, `is nested deeper than ${DEEPEST} levels`)
    if (++this.nodes > MOST_NODES) throw this.wrong(name, `comes after ${MOST_NODES} others`)
    const type = cursor.u8()
    if (type < 0x80) return type
    if (type < 0x90) return this.map(name, type & 15, depth)
    if (type >= 0xa0 && type < 0xc0) return this.string(name, type & 31)
    if (type >= 0xe0) return type - 0x100
    switch (type) {
      case 0xc0:
        return null
      case 0xc2:
      case 0xc3:
        return type === 0xc3
      case 0xc7:
        return this.extension(name, cursor.u8())
      case 0xc8:
        return this.extension(name, cursor.u16())
      case 0xc9:
        return this.extension(name, cursor.u32())
      case 0xca:
        return cursor.f32()
      case 0xcb:
        return cursor.f64()
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.integer(type, name)
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.extension(name, 1 << (type - 0xd4))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.string(name, this.length(type, 0xd9))
      case 0xde:
        return this.map(name, cursor.u16(), depth)
      case 0xdf:
        return this.map(name, cursor.u32(), depth)
      default:
        throw this.wrong(name, `is of msgpack type 0x${type.toString(16)}, which flax does not write`)
    }
  }

  private map(name: string, count: number, depth: number): Node {
    this.cursor.require(2 * count, `the map of ${count} entries at "${name}"`)
    const map = new Map<string, Node>()
    for (let i = 0; i < count; i++) {
      const key = this.key(name)
      const child = depth ? `${name}/${key}` : key
      if (map.has(key)) throw this.wrong(child, 'is there twice')
      map.set(key, this.node(child, depth + 1))
    }
    return map.has(CHUNKED) ? this.chunked(name, map) : map
  }

  private key(name: string): string {
    const type = this.cursor.u8()
    if (type >= 0xa0 && type < 0xc0) return this.cursor.text(type & 31, 'a name')
    if (type >= 0xd9 && type <= 0xdb) return this.cursor.text(this.length(type, 0xd9), 'a name')
    throw this.wrong(name, `has a key of msgpack type 0x${type.toString(16)}, expected a string`)
  }

  private string(name: string, length: number): string {
    const text = this.cursor.text(length, `the string "${name}"`)
    if (!text.startsWith(ELSEWHERE)) return text
    throw new InputError(
      `${this.source.where}, "${name}"`,
      'is stored in another file (zarr or OCDBT, as newer orbax writes)',
      'Convert the checkpoint to one msgpack file with flax.serialization.to_bytes',
    )
  }

  /** An array: shape, dtype name and raw little-endian numbers, msgpack inside an extension value. */
  private extension(name: string, length: number): PlacedTensor {
    const { cursor } = this
    const type = cursor.i8()
    if (type !== NDARRAY && type !== NUMPY_SCALAR)
      throw this.wrong(name, `is of extension type ${type}, expected ${NDARRAY} (array) or ${NUMPY_SCALAR} (scalar)`)
    cursor.require(length, `the array "${name}"`)
    const end = cursor.position + length
    if (this.count(name) !== 3) throw this.wrong(name, 'is not [shape, dtype, data]')
    const shape = Array.from({ length: this.rank(name) }, () => this.size(name))
    const dtypeName = this.key(name)
    const dtype = Object.hasOwn(DTYPES, dtypeName) ? DTYPES[dtypeName] : undefined
    if (!dtype) throw this.wrong(name, `has dtype "${dtypeName}", known are ${Object.keys(DTYPES).join(', ')}`)
    const bytes = this.binary(name)
    const needed = elements(shape) * DTYPE_BYTES[dtype]
    if (bytes !== needed) throw this.wrong(name, `has ${bytes} bytes, ${dtypeName} [${shape}] needs ${needed}`)
    const position = cursor.skip(bytes, `the array "${name}"`)
    if (cursor.position !== end) throw this.wrong(name, `ends at byte ${cursor.position}, its frame at ${end}`)
    return { dtype, shape, bytes, pieces: [{ source: this.source, position, bytes }] }
  }

  private count(name: string): number {
    const type = this.cursor.u8()
    if (type >= 0x90 && type < 0xa0) return type & 15
    if (type === 0xdc) return this.cursor.u16()
    throw this.wrong(name, `has msgpack type 0x${type.toString(16)} where a list should be`)
  }

  private rank(name: string): number {
    const rank = this.count(name)
    if (rank > 32) throw this.wrong(name, `has ${rank} axes`)
    return rank
  }

  private size(name: string): number {
    const type = this.cursor.u8()
    const value = type < 0x80 ? type : type >= 0xcc && type <= 0xd3 ? this.integer(type, name) : -1
    if (value < 0) throw this.wrong(name, 'has a shape that is no list of sizes')
    return value
  }

  private binary(name: string): number {
    const type = this.cursor.u8()
    if (type >= 0xc4 && type <= 0xc6) return this.length(type, 0xc4)
    throw this.wrong(name, `has data of msgpack type 0x${type.toString(16)}, expected bytes`)
  }

  /** A length of 1, 2 or 4 bytes; `first` is the type with 1. */
  private length(type: number, first: number): number {
    return [this.cursor.u8, this.cursor.u16, this.cursor.u32][type - first]!()
  }

  private integer(type: number, name: string): number {
    const { u8, u16, u32, u64, i8, i16, i32, i64 } = this.cursor
    const value = [u8, u16, u32, u64, i8, i16, i32, i64][type - 0xcc]!()
    if (!Number.isSafeInteger(value)) throw this.wrong(name, `is the integer ${value}, which is too large`)
    return value
  }

  /** Joins the flat pieces of a large array. */
  private chunked(name: string, map: Map<string, Node>): PlacedTensor {
    const inOrder = (key: string): Node[] => {
      const list = map.get(key)
      if (!(list instanceof Map)) throw this.wrong(name, `is a chunked array without ${key}`)
      return Array.from(list, (_, i) => {
        if (!list.has(String(i))) throw this.wrong(name, `is a chunked array without ${key}/${i}`)
        return list.get(String(i))!
      })
    }
    const shape = inOrder('shape').map((size) => {
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
        throw this.wrong(name, 'is a chunked array with a shape that is no list of sizes')
      return size
    })
    const chunks = inOrder('chunks')
    const [first] = chunks
    if (!isTensor(first)) throw this.wrong(name, 'is a chunked array without chunks')
    const pieces = chunks.flatMap((chunk) => {
      if (!isTensor(chunk) || chunk.dtype !== first.dtype) throw this.wrong(name, 'has chunks of several kinds')
      return chunk.pieces
    })
    const bytes = pieces.reduce((total, piece) => total + piece.bytes, 0)
    const needed = elements(shape) * DTYPE_BYTES[first.dtype]
    if (bytes !== needed) throw this.wrong(name, `has ${bytes} bytes, ${first.dtype} [${shape}] needs ${needed}`)
    return { dtype: first.dtype, shape, bytes, pieces }
  }

  private wrong(name: string, what: string): InputError {
    return new InputError(`${this.source.where}, byte ${this.cursor.position}, "${name}"`, what, DAMAGED)
  }
}

/** Nested maps to flat names. */
function flatten(
  map: Map<string, Node>,
  prefix: string,
  where: string,
  tensors: Map<string, PlacedTensor>,
  values: Map<string, PlainValue>,
): void {
  for (const [key, node] of map) {
    const name = prefix + key
    if (node instanceof Map) flatten(node, `${name}/`, where, tensors, values)
    else if (tensors.has(name) || values.has(name))
      throw new InputError(`${where}, "${name}"`, 'is there twice, once with "/" in a key', DAMAGED)
    else if (isTensor(node)) tensors.set(name, node)
    else values.set(name, node)
  }
}
