/** @file The safetensors reader against files built byte by byte, the writer against the reader, and both against damage. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import {
  floatTensor,
  parseSafetensors,
  readSafetensors,
  type SafeTensor,
  serialiseSafetensors,
  writeSafetensors,
} from '../../src/formats/safetensors.ts'

/** A file of a JSON header and data bytes, as the format's page describes it. */
function aFile(header: unknown, data: readonly number[] = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}

const u8 = (shape: number[], from: number, to: number) => ({ dtype: 'U8', shape, data_offsets: [from, to] })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duet-safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('reading', () => {
  it('takes every dtype little-endian and row-major, whatever the alignment', () => {
    const header = {
      __metadata__: { format: 'np' },
      odd: u8([3], 0, 3),
      single: { dtype: 'F32', shape: [2], data_offsets: [3, 11] },
      half: { dtype: 'F16', shape: [1, 1], data_offsets: [11, 13] },
      small: { dtype: 'I32', shape: [1], data_offsets: [13, 17] },
      large: { dtype: 'I64', shape: [], data_offsets: [17, 25] },
      none: { dtype: 'F32', shape: [0, 4], data_offsets: [25, 25] },
    }
    const data = [7, 8, 9, 0, 0, 128, 63, 0, 0, 32, 193, 0, 60, 254, 255, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0]
    const { tensors, metadata } = parseSafetensors(aFile(header, data), 'test')
    expect(metadata).toEqual({ format: 'np' })
    expect(tensors.odd).toEqual({ dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) })
    expect(tensors.single).toEqual({ dtype: 'F32', shape: [2], data: Float32Array.of(1, -10) })
    expect(tensors.half).toEqual({ dtype: 'F16', shape: [1, 1], data: Uint16Array.of(0x3c00) })
    expect(tensors.small).toEqual({ dtype: 'I32', shape: [1], data: Int32Array.of(-2) })
    expect(tensors.large).toEqual({ dtype: 'I64', shape: [], data: BigInt64Array.of(2n ** 32n) })
    expect(tensors.none).toEqual({ dtype: 'F32', shape: [0, 4], data: new Float32Array(0) })
  })

  it('owns its data: a pooled buffer behind it may be reused', () => {
    const pooled = Buffer.concat([Buffer.alloc(3), aFile({ a: u8([1], 0, 1) }, [5])]).subarray(3)
    const { tensors } = parseSafetensors(pooled, 'test')
    pooled.fill(0)
    expect(tensors.a!.data).toEqual(Uint8Array.of(5))
    expect(tensors.a!.data.buffer.byteLength).toBe(1)
  })

  const refused: [what: string, bytes: Uint8Array, message: string][] = [
    ['an empty file', new Uint8Array(0), 'bad.safetensors: has 0 bytes, a header needs 8'],
    ['a header longer than the file', aFile({ a: u8([0], 0, 0) }).subarray(0, 20), 'header length: is '],
    ['a header length beyond 2^53', new Uint8Array(16).fill(255), 'header length: is 18446744073709551615'],
    ['a header that is not JSON', aFile('{"a":'), 'bad.safetensors, header: is not JSON'],
    ['a header that is a list', aFile([]), 'header: is not a JSON object'],
    ['a tensor that is no object', aFile({ a: 3 }), 'tensor "a": is not an object'],
    ['metadata that are no strings', aFile({ __metadata__: { a: 1 } }), '__metadata__: is not an object of strings'],
    [
      'an unknown dtype',
      aFile({ a: { ...u8([1], 0, 1), dtype: 'C64' } }, [0]),
      'tensor "a", dtype: is "C64", known are F32',
    ],
    ['an inherited name as dtype', aFile({ a: { ...u8([1], 0, 1), dtype: 'toString' } }, [0]), 'dtype: is "toString"'],
    ['a negative size', aFile({ a: u8([-1], 0, 1) }, [0]), 'tensor "a", shape: is [-1]'],
    ['a fractional size', aFile({ a: u8([0.5], 0, 1) }, [0]), 'tensor "a", shape: is [0.5]'],
    ['offsets in the wrong order', aFile({ a: u8([1], 2, 1) }, [0, 0]), 'tensor "a", data_offsets: is [2,1]'],
    ['three offsets', aFile({ a: { ...u8([1], 0, 1), data_offsets: [0, 1, 2] } }, [0]), 'data_offsets: is [0,1,2]'],
    ['offsets that do not fit the shape', aFile({ a: u8([3], 0, 2) }, [0, 0]), 'spans 2 bytes, U8 [3] needs 3'],
    ['data past the end', aFile({ a: u8([4], 0, 4) }, [0, 0]), 'ends at byte 4, the file has 2 bytes of data'],
    [
      'overlapping tensors',
      aFile({ a: u8([2], 0, 2), b: u8([2], 1, 3) }, [0, 0, 0]),
      'tensor "b", data_offsets: starts at byte 1 and overlaps tensor "a"',
    ],
    [
      'a gap between tensors',
      aFile({ a: u8([1], 0, 1), b: u8([1], 2, 3) }, [0, 0, 0]),
      'leaves a gap of 1 bytes after tensor "a"',
    ],
    [
      'a tensor described twice',
      aFile(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        [0],
      ),
      'tensor "a": is described twice',
    ],
    ['a shape whose product overflows', aFile({ a: u8([2 ** 52, 2 ** 52], 0, 1) }, [0]), 'spans 1 bytes, U8 '],
    ['bytes of no tensor', aFile({ a: u8([1], 0, 1) }, [0, 0]), 'has 1 bytes that belong to no tensor'],
  ]

  it.each(refused)('refuses %s and names the place', (_, bytes, message) => {
    const read = () => parseSafetensors(bytes, 'bad.safetensors')
    expect(read).toThrow(InputError)
    expect(read).toThrow(message)
  })

  it('says which file is missing', async () => {
    await expect(readSafetensors(join(folder, 'absent'))).rejects.toThrow(/absent: cannot be read/)
  })

  it('never fails in another way, however the file is damaged', () => {
    const whole = serialiseSafetensors(
      { a: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } },
      { k: 'v' },
    )
    const damage = fc.oneof(
      fc.nat(whole.length - 1).map((length) => whole.slice(0, length)),
      fc.tuple(fc.nat(whole.length - 17), fc.nat(255)).map(([at, value]) => whole.slice().fill(value, at, at + 1)),
      fc.uint8Array({ maxLength: 64 }),
    )
    const outcome = (bytes: Uint8Array) => {
      try {
        parseSafetensors(bytes, 'damaged')
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }
    fc.assert(fc.property(damage, outcome), { numRuns: 500, seed: 1 })
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseSafetensors(whole.subarray(0, length), 'cut')).toThrow(InputError)
    }
  })
})

describe('writing', () => {
  const tensors: Record<string, SafeTensor> = {
    flags: { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 0, 255) },
    'trunk.0.kernel': {
      dtype: 'F32',
      shape: [2, 2],
      data: Float32Array.of(1, -2.5, Number.NaN, Number.POSITIVE_INFINITY),
    },
    half: { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xfbff) },
    step: { dtype: 'I64', shape: [1], data: BigInt64Array.of(-5n) },
    index: { dtype: 'I32', shape: [], data: Int32Array.of(7) },
    empty: { dtype: 'F32', shape: [0], data: new Float32Array(0) },
    ['__proto__']: { dtype: 'U8', shape: [1], data: Uint8Array.of(3) },
  }

  it('is read back as it was, names, shapes, metadata and all', async () => {
    const path = join(folder, 'all.safetensors')
    await writeSafetensors(path, tensors, { note: 'a "quoted" ü' })
    const file = await readSafetensors(path)
    expect(Object.fromEntries(Object.entries(file.tensors))).toEqual(tensors)
    expect(file.metadata).toEqual({ note: 'a "quoted" ü' })
  })

  it('starts the data and every tensor at a multiple of its element size', () => {
    const bytes = serialiseSafetensors(tensors)
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(length % 8).toBe(0)
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
    for (const [name, { data }] of Object.entries(tensors)) {
      expect(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT).toBe(0)
    }
  })

  it('writes a view into a larger array by its own elements only', () => {
    const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3)
    const bytes = serialiseSafetensors({ view: { dtype: 'F32', shape: [2], data: view } })
    expect(floatTensor(parseSafetensors(bytes, 'test'), 'view', 'test')).toEqual(Float32Array.of(2, 3))
  })

  it('refuses data that do not fit their shape', () => {
    const wrong: SafeTensor = { dtype: 'F32', shape: [3], data: new Float32Array(2) }
    expect(() => serialiseSafetensors({ wrong })).toThrow('tensor "wrong" data is [2], expected [3]')
  })

  it('leaves the old file and no temporary one when it fails', async () => {
    const own = join(folder, 'failing')
    await mkdir(join(own, 'taken'), { recursive: true })
    await writeFile(join(own, 'taken', 'inside'), '') // a folder that is not empty cannot be replaced by a file
    await expect(writeSafetensors(join(own, 'taken'), tensors)).rejects.toThrow(/taken: cannot be written/)
    expect(await readdir(own)).toEqual(['taken'])
  })

  it('replaces a file without a trace', async () => {
    const own = join(folder, 'replacing')
    await mkdir(own)
    const path = join(own, 'a.safetensors')
    for (const value of [1, 2])
      await writeSafetensors(path, { a: { dtype: 'I32', shape: [1], data: Int32Array.of(value) } })
    expect((await readSafetensors(path)).tensors.a!.data).toEqual(Int32Array.of(2))
    expect(await readdir(own)).toEqual(['a.safetensors'])
  })
})

describe('a half-precision tensor', () => {
  it('is widened where floats are asked for; integers are refused', () => {
    const half: SafeTensor = { dtype: 'F16', shape: [1], data: Uint16Array.of(0x3555) }
    const count: SafeTensor = { dtype: 'I32', shape: [1], data: Int32Array.of(1) }
    const brain: SafeTensor = { dtype: 'BF16', shape: [2], data: Uint16Array.of(0x4049, 0xff80) }
    const file = { tensors: { half, brain, count }, metadata: {} }
    expect(floatTensor(file, 'brain', 'a file')).toEqual(Float32Array.of(3.140625, Number.NEGATIVE_INFINITY))
    expect(floatTensor(file, 'half', 'a file')).toEqual(Float32Array.of(0.333251953125))
    expect(() => floatTensor(file, 'count', 'a file')).toThrow(
      'a file, tensor "count": is I32, expected F32, F16 or BF16',
    )
    expect(() => floatTensor(file, 'toString', 'a file')).toThrow('a file: has no tensor "toString"')
  })
})
