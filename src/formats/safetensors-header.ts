/** @file The header of a safetensors file, with every field and every bound checked before any data are read. */
import { InputError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import { DTYPE_BYTES, elements, type TensorDtype } from './tensor-file.ts'

const REMEDY = 'The file is damaged or of another format: copy or download it again'

/** That of the format's reference reader. */
const LARGEST_HEADER = 100_000_000

/** A tensor's place: bytes from..to of the data. */
export type SafetensorsEntry = { name: string; dtype: TensorDtype; shape: number[]; from: number; to: number }

export type SafetensorsHeader = {
  entries: SafetensorsEntry[]
  metadata: Record<string, string>
  dataStart: number // bytes from the start of the file
}

/** @throws InputError that names the file and the field, if the header is damaged or does not fit the file's size */
export function readTensorHeader(source: ByteSource): SafetensorsHeader {
  const { where, size } = source
  if (size < 8) throw new InputError(where, `has ${size} bytes, a header needs 8`, REMEDY)
  const prefix = new Uint8Array(8)
  source.peek(0, prefix)
  const length = new DataView(prefix.buffer).getBigUint64(0, true)
  if (length > BigInt(size - 8))
    throw new InputError(`${where}, header length`, `is ${length}, the file has ${size - 8} bytes after it`, REMEDY)
  if (length > LARGEST_HEADER)
    throw new InputError(`${where}, header length`, `is ${length}, the format allows ${LARGEST_HEADER}`, REMEDY)
  const json = new Uint8Array(Number(length))
  source.peek(8, json)
  const dataStart = 8 + json.length
  const header = parseHeader(json, where)
  requireFullCover(header.entries, size - dataStart, where)
  return { ...header, dataStart }
}

function parseHeader(json: Uint8Array, where: string): Omit<SafetensorsHeader, 'dataStart'> {
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json)
    header = JSON.parse(text)
  } catch (cause) {
    throw new InputError(`${where}, header`, `is not JSON (${(cause as Error).message})`, REMEDY, { cause })
  }
  if (!isRecord(header)) throw new InputError(`${where}, header`, 'is not a JSON object', REMEDY)
  const twice = repeatedKey(text)
  if (twice !== undefined) throw new InputError(`${where}, tensor ${twice}`, 'is described twice', REMEDY)
  const { __metadata__: metadata = {}, ...fields } = header
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw new InputError(`${where}, __metadata__`, 'is not an object of strings', REMEDY)
  }
  const entries = Object.entries(fields).map(([name, field]) => parseEntry(name, field, `${where}, tensor "${name}"`))
  return { entries, metadata: metadata as Record<string, string> }
}

/** The first key, quoted, that the outermost object of a valid JSON text has twice: parsing alone keeps the last one. */
function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>()
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (depth === 1 && token.endsWith(':')) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1))
      if (seen.has(key)) return JSON.stringify(key)
      seen.add(key)
    }
  }
  return undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseEntry(name: string, field: unknown, where: string): SafetensorsEntry {
  if (!isRecord(field)) throw new InputError(where, 'is not an object', REMEDY)
  const { dtype, shape, data_offsets: offsets } = field
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(', ')
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
  const needed = elements(shape) * DTYPE_BYTES[dtype as TensorDtype]
  if (to - from !== needed) {
    const what = `spans ${to - from} bytes, ${dtype} [${shape}] needs ${needed}`
    throw new InputError(`${where}, data_offsets`, what, REMEDY)
  }
  return { name, dtype: dtype as TensorDtype, shape, from, to }
}

/** The tensors must cover the data from its first to its last byte, each byte once. */
function requireFullCover(entries: readonly SafetensorsEntry[], size: number, where: string): void {
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
