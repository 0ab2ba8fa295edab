/** @file The safetensors format: named arrays in one file, read with every bound checked, written in one atomic step. */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { InputError, ShapeError } from '../errors.ts'
import { FROM_HALF } from './float16.ts'

/** Data is row-major. F16 holds its raw bits (`toFloat32` widens it). */
export type SafeTensor =
  | { dtype: 'F32'; shape: readonly number[]; data: Float32Array }
  | { dtype: 'F16'; shape: readonly number[]; data: Uint16Array }
  | { dtype: 'I32'; shape: readonly number[]; data: Int32Array }
  | { dtype: 'I64'; shape: readonly number[]; data: BigInt64Array }
  | { dtype: 'U8'; shape: readonly number[]; data: Uint8Array }

export type SafetensorsFile = { tensors: Record<string, SafeTensor>; metadata: Record<string, string> }

const ARRAYS = { F32: Float32Array, F16: Uint16Array, I32: Int32Array, I64: BigInt64Array, U8: Uint8Array } as const
type Dtype = keyof typeof ARRAYS

const REMEDY = 'The file is damaged or of another format: copy or download it again'

/** @throws InputError that names the file and the field, if the file is missing, truncated or inconsistent */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, 'Check the path', { cause })
  }
  return parseSafetensors(bytes, path)
}

/** `where` names the source in errors. The tensors are copies. @throws InputError as `readSafetensors` */
export function parseSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const { entries, metadata, dataStart } = parseHeader(bytes, where)
  requireFullCover(entries, bytes.length - dataStart, where)
  const tensors = entries.map(({ name, dtype, shape, from, to }): [string, SafeTensor] => {
    const { buffer } = new Uint8Array(bytes.subarray(dataStart + from, dataStart + to)) // a copy: aligned and owned
    return [name, { dtype, shape, data: new ARRAYS[dtype](buffer) } as SafeTensor]
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

type Entry = { name: string; dtype: Dtype; shape: number[]; from: number; to: number }

function parseHeader(bytes: Uint8Array, where: string) {
  if (bytes.length < 8) throw new InputError(where, `has ${bytes.length} bytes, a header needs 8`, REMEDY)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(bytes.length - 8)) {
    throw new InputError(
      `${where}, header length`,
      `is ${length}, the file has ${bytes.length - 8} bytes after it`,
      REMEDY,
    )
  }
  const dataStart = 8 + Number(length)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)))
  } catch (cause) {
    throw new InputError(`${where}, header`, `is not JSON (${(cause as Error).message})`, REMEDY, { cause })
  }
  if (!isRecord(header)) throw new InputError(`${where}, header`, 'is not a JSON object', REMEDY)
  const { __metadata__: metadata = {}, ...fields } = header
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw new InputError(`${where}, __metadata__`, 'is not an object of strings', REMEDY)
  }
  const entries = Object.entries(fields).map(([name, field]) => parseEntry(name, field, `${where}, tensor "${name}"`))
  return { entries, metadata: metadata as Record<string, string>, dataStart }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseEntry(name: string, field: unknown, where: string): Entry {
  if (!isRecord(field)) throw new InputError(where, 'is not an object', REMEDY)
  const { dtype, shape, data_offsets: offsets } = field
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAYS, dtype)) {
    const known = Object.keys(ARRAYS).join(', ')
    throw new InputError(
      `${where}, dtype`,
      `is ${JSON.stringify(dtype)}, known are ${known}`,
      'Convert the file to one of these',
    )
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new InputError(`${where}, shape`, `is ${JSON.stringify(shape)}, not a list of sizes`, REMEDY)
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[0]! > offsets[1]!) {
    throw new InputError(`${where}, data_offsets`, `is ${JSON.stringify(offsets)}, not [from, to]`, REMEDY)
  }
  const [from, to] = offsets as [number, number]
  const needed = elements(shape) * ARRAYS[dtype as Dtype].BYTES_PER_ELEMENT
  if (to - from !== needed) {
    const what = `spans ${to - from} bytes, ${dtype} [${shape}] needs ${needed}`
    throw new InputError(`${where}, data_offsets`, what, REMEDY)
  }
  return { name, dtype: dtype as Dtype, shape, from, to }
}

/** The tensors must cover the data from its first to its last byte, each byte once. */
function requireFullCover(entries: readonly Entry[], size: number, where: string): void {
  let end = 0
  let before = 'the header'
  for (const { name, from, to } of entries.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const at = `${where}, tensor "${name}", data_offsets`
    if (to > size) throw new InputError(at, `ends at byte ${to}, the file has ${size} bytes of data`, REMEDY)
    if (from < end)
      throw new InputError(at, `starts at byte ${from} and overlaps ${before}, which ends at ${end}`, REMEDY)
    if (from > end) throw new InputError(at, `leaves a gap of ${from - end} bytes after ${before}`, REMEDY)
    end = to
    before = `tensor "${name}"`
  }
  if (end < size) throw new InputError(where, `has ${size - end} bytes that belong to no tensor`, REMEDY)
}

/** @throws ShapeError if a tensor's data does not fit its shape, InputError on the reserved name */
export function serialiseSafetensors(
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  // widest elements first: every tensor then starts at a multiple of its element size
  const ordered = Object.entries(tensors).sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  let offset = 0
  const fields = ordered.map(([name, { dtype, shape, data }]): [string, unknown] => {
    if (name === '__metadata__') throw new InputError(name, 'is not a tensor name', 'Use another name')
    if (data.length !== elements(shape)) throw new ShapeError(`tensor "${name}" data`, [data.length], shape)
    return [name, { dtype, shape, data_offsets: [offset, (offset += data.byteLength)] }]
  })
  const described = Object.keys(metadata).length ? [['__metadata__', metadata] as const, ...fields] : fields
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(described)))
  const headerLength = Math.ceil(json.length / 8) * 8 // the data starts aligned, after spaces
  const bytes = new Uint8Array(8 + headerLength + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true)
  bytes.fill(0x20, 8, 8 + headerLength)
  bytes.set(json, 8)
  let at = 8 + headerLength
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

/** Writes a temporary file beside `path`, flushes it and renames it: readers see the old file or the new one, whole. */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const bytes = serialiseSafetensors(tensors, metadata)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new InputError(path, `cannot be written (${(cause as Error).message})`, 'Check the folder and free space', {
      cause,
    })
  }
}

/** A float tensor of the file in single precision; F16 is widened exactly. @throws InputError on a missing or integer tensor */
export function floatTensor(file: SafetensorsFile, name: string, where: string): Float32Array {
  const tensor = Object.hasOwn(file.tensors, name) ? file.tensors[name] : undefined
  if (!tensor) throw new InputError(where, `has no tensor "${name}"`, 'Check that the file is of this network')
  if (tensor.dtype === 'F32') return tensor.data
  if (tensor.dtype === 'F16') return Float32Array.from(tensor.data, (half) => FROM_HALF[half]!)
  throw new InputError(`${where}, tensor "${name}"`, `is ${tensor.dtype}, expected F32 or F16`, 'Convert the file')
}

const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
