/** @file The pieces of the log's records: numbers and texts to bytes, and a reader that checks each against what is left. */
import type { z } from 'zod'

/** A file that holds no such record, or one that does not fit its header. */
export class MalformedRecord extends Error {}

export function json(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text])
}

export function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

export function float32s(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => {
    bytes.writeFloatLE(value, 4 * i)
  })
  return bytes
}

/** Reads a payload from its front; every read is checked against what is left. */
export class RecordCursor {
  private at = 0
  constructor(private readonly payload: Buffer) {}

  bytes(length: number): Buffer {
    if (length > this.payload.length - this.at) throw new MalformedRecord('ends in the middle of a record')
    this.at += length
    return this.payload.subarray(this.at - length, this.at)
  }

  uint8(): number {
    return this.bytes(1)[0]!
  }

  uint32(): number {
    return this.bytes(4).readUInt32LE()
  }

  float64(): number {
    return this.bytes(8).readDoubleLE()
  }

  float32s(length: number): Float32Array {
    const bytes = this.bytes(4 * length)
    return Float32Array.from({ length }, (_, i) => bytes.readFloatLE(4 * i))
  }

  text(): string {
    return this.bytes(this.uint32()).toString()
  }

  json<T>(schema: z.ZodType<T>, what: string): T {
    const text = this.text()
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      throw new MalformedRecord(`holds a ${what} that is not JSON`)
    }
    const result = schema.safeParse(value)
    if (!result.success) {
      const [issue] = result.error.issues
      throw new MalformedRecord(
        `holds a ${what} of another format (${issue!.path.join('.') || 'whole'}: ${issue!.message})`,
      )
    }
    return result.data
  }

  /** All that is left. */
  rest(): Buffer {
    return this.bytes(this.payload.length - this.at)
  }

  /** `value`, once nothing is left. */
  end<T>(value: T): T {
    if (this.at !== this.payload.length) throw new MalformedRecord('holds a record that is longer than its content')
    return value
  }
}
