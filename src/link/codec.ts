/**
 * @file Messages of the link as bytes, so that they may leave the process: version, length of the head, the head as JSON,
 * then the arrays of the message as 32-bit floats. Arrays are read in place: what arrives is copied by nobody but its user.
 */
import { InputError } from '../errors.ts'

export const LINK_VERSION = 1

/** `head` is JSON-safe; numbers that may be NaN belong into an array. */
export type Message<Head> = { head: Head; arrays: readonly Float32Array[] }

const FRONT = 8 // bytes before the head

export function encodeMessage<Head>({ head, arrays }: Message<Head>): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify({ head, lengths: arrays.map(({ length }) => length) }))
  const floatsAt = FRONT + 4 * Math.ceil(text.length / 4)
  const floats = arrays.reduce((sum, { length }) => sum + length, 0)
  const bytes = new ArrayBuffer(floatsAt + 4 * floats)
  const front = new DataView(bytes)
  front.setUint32(0, LINK_VERSION, true)
  front.setUint32(4, text.length, true)
  new Uint8Array(bytes).set(text, FRONT)
  let at = floatsAt
  for (const array of arrays) {
    new Float32Array(bytes, at, array.length).set(array)
    at += array.byteLength
  }
  return bytes
}

/** @throws InputError if these are not the bytes of a message of this version */
export function decodeMessage<Head>(bytes: ArrayBuffer): Message<Head> {
  const malformed = (what: string) => new InputError('link message', what, 'Run the same version of Duet at both ends')
  if (bytes.byteLength < FRONT) throw malformed(`has ${bytes.byteLength} bytes`)
  const front = new DataView(bytes)
  const version = front.getUint32(0, true)
  if (version !== LINK_VERSION) throw malformed(`is of version ${version}, this is version ${LINK_VERSION}`)
  const length = front.getUint32(4, true)
  if (length > bytes.byteLength - FRONT) throw malformed('ends in the middle of its head')
  const { head, lengths } = parse(new Uint8Array(bytes, FRONT, length), malformed)
  let at = FRONT + 4 * Math.ceil(length / 4)
  const floats = lengths.reduce((sum, own) => sum + own, 0)
  if (at + 4 * floats !== bytes.byteLength)
    throw malformed(`has ${bytes.byteLength} bytes, its head tells of ${at + 4 * floats}`)
  const arrays = lengths.map((own) => {
    const array = new Float32Array(bytes, at, own)
    at += array.byteLength
    return array
  })
  return { head: head as Head, arrays }
}

function parse(text: Uint8Array, malformed: (what: string) => InputError): { head: unknown; lengths: number[] } {
  let value: { head?: unknown; lengths?: unknown } | null
  try {
    value = JSON.parse(new TextDecoder().decode(text))
  } catch {
    throw malformed('has a head that is not JSON')
  }
  const { head, lengths } = value ?? {}
  if (!Array.isArray(lengths) || !lengths.every((length) => Number.isInteger(length) && length >= 0))
    throw malformed('does not tell the lengths of its arrays')
  return { head, lengths }
}
