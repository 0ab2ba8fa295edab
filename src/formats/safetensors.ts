/** @file The safetensors format: named arrays in one file, read with every bound checked, written in one atomic step. */
import { randomBytes } from 'node:crypto'
import { open, readFile, rm } from 'node:fs/promises'
import { moveInPlace, syncHandle } from '../durable.ts'
import { InputError, ShapeError } from '../errors.ts'
import { decodeBfloat16, decodeHalves } from '../float16.ts'
import { memorySource } from './byte-source.ts'
import { refusePage, refusePointer } from './lfs-pointer.ts'
import { readTensorHeader } from './safetensors-header.ts'
import { elements, type TensorDtype } from './tensor-file.ts'

const ARRAYS = {
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<TensorDtype, unknown>

type Arrays = {
  F32: Float32Array
  F16: Uint16Array
  BF16: Uint16Array
  F64: Float64Array
  I64: BigInt64Array
  U64: BigUint64Array
  I32: Int32Array
  U32: Uint32Array
  I16: Int16Array
  U16: Uint16Array
  I8: Int8Array
  U8: Uint8Array
  BOOL: Uint8Array
}

/** Data is row-major. F16 and BF16 hold their raw bits (`floatTensor` widens them). */
export type SafeTensor = {
  [D in TensorDtype]: { dtype: D; shape: readonly number[]; data: Arrays[D] }
}[TensorDtype]

export type SafetensorsFile = { tensors: Record<string, SafeTensor>; metadata: Record<string, string> }

/** @throws InputError that names the file and the field, if the file is missing, truncated or inconsistent */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new InputError(path, `cannot be read (${(cause as Error).message})`, 'Check the path', { cause })
  }
  refusePointer(path, bytes)
  refusePage(path, bytes)
  return parseSafetensors(bytes, path)
}

/** `where` names the source in errors. The tensors are copies. @throws InputError as `readSafetensors` */
export function parseSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const { entries, metadata, dataStart } = readTensorHeader(memorySource(bytes, where))
  const tensors = entries.map(({ name, dtype, shape, from, to }): [string, SafeTensor] => {
    const { buffer } = new Uint8Array(bytes.subarray(dataStart + from, dataStart + to)) // a copy: aligned and owned
    return [name, { dtype, shape, data: new ARRAYS[dtype](buffer) } as SafeTensor]
  })
  return { tensors: Object.fromEntries(tensors), metadata }
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
      await syncHandle(file, path)
    } finally {
      await file.close()
    }
    moveInPlace(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new InputError(path, `cannot be written (${(cause as Error).message})`, 'Check the folder and free space', {
      cause,
    })
  }
}

/** A float tensor of the file in single precision; F16 and BF16 are widened exactly. @throws InputError on a missing or integer tensor */
export function floatTensor(file: SafetensorsFile, name: string, where: string): Float32Array {
  const tensor = Object.hasOwn(file.tensors, name) ? file.tensors[name] : undefined
  if (!tensor) throw new InputError(where, `has no tensor "${name}"`, 'Check that the file is of this network')
  if (tensor.dtype === 'F32') return tensor.data
  const { length } = tensor.data
  const out = new Float32Array(length)
  if (tensor.dtype === 'F16') decodeHalves(tensor.data, 0, out, 0, length)
  else if (tensor.dtype === 'BF16') decodeBfloat16(tensor.data, out, 0, length)
  else
    throw new InputError(
      `${where}, tensor "${name}"`,
      `is ${tensor.dtype}, expected F32, F16 or BF16`,
      'Convert the file',
    )
  return out
}
