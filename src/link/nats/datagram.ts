/**
 * @file What a session over the broker is made of: a head of sixteen bytes, then bytes of a message, or of what is said when
 * a session is opened. Reading trusts nothing.
 */

const KINDS = ['open', 'accept', 'refuse', 'data', 'got', 'bye'] as const
type Kind = (typeof KINDS)[number]

const VERSION = 1
const HEAD = 16 // bytes: version, kind, whether more follows, 0, number, session
const SESSION = /^[0-9a-f]{16}$/

export type Datagram = {
  kind: Kind
  session: string // 16 hexadecimal digits, drawn by whoever opens it
  number: number // of data, from 1 on; of "got", the last one up to which everything has arrived
  more: boolean // the message goes on in the next one
  payload: Uint8Array
}

export function encodeDatagram({ kind, session, number, more, payload }: Datagram): Uint8Array {
  const bytes = Buffer.alloc(HEAD + payload.length)
  bytes[0] = VERSION
  bytes[1] = KINDS.indexOf(kind)
  bytes[2] = more ? 1 : 0
  bytes.writeUInt32LE(number, 4)
  bytes.write(session, 8, 'hex')
  bytes.set(payload, HEAD)
  return bytes
}

/** Undefined for bytes that are none: a stranger's, or another version's. */
export function decodeDatagram(bytes: Uint8Array): Datagram | undefined {
  if (bytes.length < HEAD || bytes[0] !== VERSION || bytes[2]! > 1 || bytes[3] !== 0) return undefined
  const kind = KINDS[bytes[1]!]
  if (kind === undefined) return undefined
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, HEAD)
  const session = head.toString('hex', 8)
  if (!SESSION.test(session)) return undefined
  return { kind, session, number: head.readUInt32LE(4), more: bytes[2] === 1, payload: bytes.subarray(HEAD) }
}
