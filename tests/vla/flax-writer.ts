/** @file Writes flax checkpoints as Octo's are (msgpack: maps of maps, arrays as extension values of type 1), from names and numbers. */
export type Leaves = Record<string, { shape: readonly number[]; data: Float32Array }>

/** Names are paths with '/' between modules. */
export function flaxBytes(leaves: Leaves): Buffer {
  const root = new Map<string, unknown>()
  for (const [name, leaf] of Object.entries(leaves)) {
    const path = name.split('/')
    let at = root
    for (const part of path.slice(0, -1)) {
      if (!at.has(part)) at.set(part, new Map())
      at = at.get(part) as Map<string, unknown>
    }
    at.set(path.at(-1)!, leaf)
  }
  return map(root)
}

const word = (value: number) => Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255])
const text = (value: string) => Buffer.concat([Buffer.from([0xdb]), word(Buffer.byteLength(value)), Buffer.from(value)])

function map(entries: Map<string, unknown>): Buffer {
  const parts = [...entries].flatMap(([key, value]) => [
    text(key),
    value instanceof Map ? map(value) : array(value as Leaves[string]),
  ])
  return Buffer.concat([Buffer.from([0xdf]), word(entries.size), ...parts])
}

function array({ shape, data }: Leaves[string]): Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const sizes = shape.map((size) => Buffer.concat([Buffer.from([0xce]), word(size)]))
  const payload = Buffer.concat([
    Buffer.from([0x93, 0x90 | shape.length]),
    ...sizes,
    text('float32'),
    Buffer.from([0xc6]),
    word(bytes.length),
    bytes,
  ])
  return Buffer.concat([Buffer.from([0xc9]), word(payload.length), Buffer.from([1]), payload])
}
