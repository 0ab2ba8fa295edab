/**
 * @file Published weights, one tensor at a time: names, shapes and dtypes come from the header, the numbers when asked
 * for, as f32 and straight into their place. Files of 1 GB and more never stand twice in memory.
 */
import { InputError, ShapeError } from '../errors.ts'
import { decodeBfloat16, decodeHalves } from '../float16.ts'
import type { ByteSource } from './byte-source.ts'

/** Bytes an element. Names as in safetensors. */
export const DTYPE_BYTES = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  U64: 8,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const

export type TensorDtype = keyof typeof DTYPE_BYTES

/** What the header says of a tensor; row-major. */
export type TensorEntry = { dtype: TensorDtype; shape: readonly number[]; bytes: number }

/** A file (or several shards) of named tensors. */
export interface TensorFile {
  /** Names the file in errors. */
  readonly path: string
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /**
   * The values as f32: F16 and BF16 are widened exactly, F64 is rounded. `into` takes them in place of a new array.
   * @throws InputError on a missing tensor, one of integers, or a file that changed; ShapeError if `into` has another length
   */
  read(name: string, into?: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>
  /** One row (entry of the first axis) as `read` gives it: for embedding tables, which are large and of which little is used. */
  readRow(name: string, row: number): Promise<Float32Array<ArrayBuffer>>
  /** The values as they are stored, little-endian. @throws InputError on a missing tensor or a file that changed */
  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>>
  /** Where the tensor lies in a file that was opened from disk; undefined if it lies there in several pieces. @throws InputError on a missing tensor */
  place(name: string): { path: string; offset: number } | undefined
  close(): Promise<void>
}

/** Where a tensor's bytes are, in order; most have one piece. */
export type Piece = { source: ByteSource; position: number; bytes: number }
export type PlacedTensor = TensorEntry & { pieces: readonly Piece[] }

/** A tensor file from an index of places that the format's reader has checked against the source's size. */
export function tensorFile(
  path: string,
  tensors: ReadonlyMap<string, PlacedTensor>,
  sources: readonly ByteSource[],
): TensorFile {
  const place = (name: string): PlacedTensor => {
    const tensor = tensors.get(name)
    if (!tensor) throw new InputError(path, `has no tensor "${name}"`, 'Check that the file is of this network')
    return tensor
  }
  const widen = (name: string, { dtype, pieces }: PlacedTensor, out: Float32Array<ArrayBuffer>) => {
    if (Object.hasOwn(WIDEN, dtype)) return WIDEN[dtype as keyof typeof WIDEN](pieces, out)
    const known = Object.keys(WIDEN).join(', ')
    throw new InputError(
      `${path}, tensor "${name}"`,
      `is ${dtype}, expected ${known}`,
      'Check that the file is of this network',
    )
  }
  return {
    path,
    tensors,
    async read(name, into) {
      const tensor = place(name)
      const length = elements(tensor.shape)
      if (into && into.length !== length)
        throw new ShapeError(`place for tensor "${name}"`, [into.length], tensor.shape)
      const out = into ?? new Float32Array(length)
      await widen(name, tensor, out)
      return out
    },
    async readRow(name, row) {
      const tensor = place(name)
      const [rows = 0, ...rest] = tensor.shape
      if (!Number.isInteger(row) || row < 0 || row >= rows)
        throw new InputError(`${path}, tensor "${name}"`, `has no row ${row}`, `It has ${rows}`)
      const out = new Float32Array(elements(rest))
      const bytes = tensor.bytes / rows
      await widen(name, { ...tensor, pieces: cut(tensor.pieces, row * bytes, bytes) }, out)
      return out
    },
    async readBytes(name) {
      const { bytes, pieces } = place(name)
      const out = new Uint8Array(bytes)
      await fillFrom(pieces, out)
      return out
    },
    place(name) {
      const { pieces } = place(name)
      return pieces.length === 1 ? { path: pieces[0]!.source.where, offset: pieces[0]!.position } : undefined
    },
    async close() {
      await Promise.all(sources.map((source) => source.close()))
    },
  }
}

/**
 * Refuses a file that lacks a tensor of `plan` (name to shape) or has it in another shape or not as floating point,
 * before anything is allocated. Returns the names that the plan does not know, for the caller to report or refuse.
 * @throws InputError, ShapeError
 */
export function requireTensors(file: TensorFile, plan: Readonly<Record<string, readonly number[]>>): string[] {
  for (const [name, shape] of Object.entries(plan)) {
    const entry = file.tensors.get(name)
    if (!entry) throw new InputError(file.path, `has no tensor "${name}"`, 'Check that the file is of this network')
    if (!Object.hasOwn(WIDEN, entry.dtype))
      throw new InputError(
        `${file.path}, tensor "${name}"`,
        `is ${entry.dtype}, expected ${Object.keys(WIDEN).join(', ')}`,
        'Integer and quantised weights are not supported: take the full-precision file',
      )
    if (entry.shape.join() !== shape.join())
      // quantised ones are packed: their shape says nothing
      throw new ShapeError(
        `${file.path}, tensor "${name}"`,
        entry.shape,
        shape,
        'the weights and the configuration belong to different networks',
      )
  }
  return [...file.tensors.keys()].filter((name) => !Object.hasOwn(plan, name))
}

export const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

/** The pieces that hold `bytes` bytes from byte `from` on. */
function cut(pieces: readonly Piece[], from: number, bytes: number): Piece[] {
  let start = 0
  return pieces.flatMap(({ source, position, bytes: length }) => {
    const [first, last] = [Math.max(from - start, 0), Math.min(from + bytes - start, length)]
    start += length
    return first < last ? [{ source, position: position + first, bytes: last - first }] : []
  })
}

async function fillFrom(pieces: readonly Piece[], target: Uint8Array): Promise<void> {
  let at = 0
  for (const { source, position, bytes } of pieces) {
    await source.fill(position, target.subarray(at, at + bytes))
    at += bytes
  }
}

const SCRATCH_BYTES = 1 << 20

/** Reads through a small scratch buffer and widens each part; `width` is bytes an element. */
const widening =
  (width: number, convert: (scratch: Uint8Array<ArrayBuffer>, out: Float32Array, at: number, count: number) => void) =>
  async (pieces: readonly Piece[], out: Float32Array): Promise<void> => {
    const scratch = new Uint8Array(Math.min(SCRATCH_BYTES, out.length * width))
    let at = 0
    for (const { source, position, bytes } of pieces)
      for (let done = 0; done < bytes; done += scratch.length) {
        const part = scratch.subarray(0, Math.min(scratch.length, bytes - done))
        await source.fill(position + done, part)
        convert(scratch, out, at, part.length / width)
        at += part.length / width
      }
  }

/** The dtypes that weights may have. */
const WIDEN = {
  F32: async (pieces: readonly Piece[], out: Float32Array) =>
    fillFrom(pieces, new Uint8Array(out.buffer, out.byteOffset, out.byteLength)),
  F16: widening(2, (scratch, out, at, count) => {
    decodeHalves(new Uint16Array(scratch.buffer), 0, out, at, count)
  }),
  BF16: widening(2, (scratch, out, at, count) => {
    decodeBfloat16(new Uint16Array(scratch.buffer), out, at, count)
  }),
  F64: widening(8, (scratch, out, at, count) => {
    out.set(new Float64Array(scratch.buffer, 0, count), at)
  }),
} satisfies Partial<Record<TensorDtype, (pieces: readonly Piece[], out: Float32Array<ArrayBuffer>) => Promise<void>>>
