/** @file Flax checkpoints: bytes written out by hand after msgpack's specification, and hostile ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { type ByteSource, memorySource } from '../../src/formats/byte-source.ts'
import { indexFlax } from '../../src/formats/flax-msgpack.ts'

const text = (value: string) => [0xa0 + value.length, ...Buffer.from(value)]
const u32 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)

/** A map of fewer than 16 entries. */
const map = (entries: Record<string, readonly number[]>) => [
  0x80 + Object.keys(entries).length,
  ...Object.entries(entries).flatMap(([key, value]) => [...text(key), ...value]),
]

/** An array as flax writes it: extension 1 of [shape, dtype, bytes]. */
function array(shape: readonly number[], dtype: string, data: readonly number[], type = 1): number[] {
  const body = [0x93, 0x90 + shape.length, ...shape, ...text(dtype), 0xc4, data.length, ...data]
  return [0xc7, body.length, type, ...body]
}

const one = [0, 0, 128, 63]
const open = (bytes: readonly number[]) => indexFlax(memorySource(Uint8Array.from(bytes), 'bad'))

describe('reading', () => {
  it('joins the keys of nested maps and finds every array', async () => {
    const file = open(
      map({
        params: map({ dense: map({ kernel: array([1, 2], 'float32', [...one, 0, 0, 0, 192]) }) }),
        brain: array([1], 'bfloat16', [0x49, 0x40]),
        count: array([], 'int32', [7, 0, 0, 0], 3),
      }),
    )
    expect([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['params/dense/kernel', 'F32', [1, 2]],
      ['brain', 'BF16', [1]],
      ['count', 'I32', []],
    ])
    expect(await file.read('params/dense/kernel')).toEqual(Float32Array.of(1, -2))
    expect(await file.read('brain')).toEqual(Float32Array.of(3.140625))
    await expect(file.read('count')).rejects.toThrow('tensor "count": is I32')
  })

  it('takes every width in which lengths and numbers are written', async () => {
    const body = [0x93, 0x92, 0xcc, 1, 0xcd, 0, 1, 0xd9, 7, ...Buffer.from('float32'), 0xc5, 0, 4, ...one]
    const eight = [0x93, 0x91, 1, ...text('bool'), 0xc4, 1, 1] // 11 bytes
    const file = open([
      ...[0xdf, ...u32(9)],
      ...[0xda, 0, 1, 0x61, 0xc8, 0, body.length, 1, ...body],
      ...[0xdb, ...u32(1), 0x62, 0xc9, ...u32(body.length), 1, ...body],
      ...[...text('c'), 0xc7, eight.length, 1, ...eight],
      ...[...text('d'), 0xd3, 255, 255, 255, 255, 255, 255, 255, 254],
      ...[...text('e'), 0xcb, 0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18],
      ...[...text('f'), 0xe0],
      ...[...text('g'), 0xc0],
      ...[...text('h'), 0xc3],
      ...[...text('i'), ...text('words')],
    ])
    expect([...file.values]).toEqual([
      ['d', -2],
      ['e', Math.PI],
      ['f', -32],
      ['g', null],
      ['h', true],
      ['i', 'words'],
    ])
    expect([...file.tensors.keys()]).toEqual(['a', 'b', 'c'])
    expect(await file.read('b')).toEqual(Float32Array.of(1))
    expect(await file.readBytes('c')).toEqual(Uint8Array.of(1))
  })

  it('joins the flat chunks of a large array in their order', async () => {
    const chunked = map(
      {
        __msgpack_chunked_array__: [0xc3],
        shape: map({ 0: [3], 1: [1] }),
        chunks: map({ 1: array([1], 'float32', one), 0: array([2], 'float32', [0, 0, 0, 64, 0, 0, 64, 64]) }),
      }.valueOf() as never,
    )
    const long = [0xd9, 25, ...Buffer.from('__msgpack_chunked_array__')]
    const at = chunked.indexOf(0x5f) - 1 // the key is longer than map() can write
    const file = open(map({ big: [...chunked.slice(0, at), ...long, ...chunked.slice(at + 26)] }))
    expect(file.tensors.get('big')!.shape).toEqual([3, 1])
    expect(await file.read('big')).toEqual(Float32Array.of(2, 3, 1))
  })
})

describe('refusal', () => {
  const placeholder = 'PLACEHOLDER://a.b'
  const cases: [what: string, bytes: readonly number[], message: string | RegExp][] = [
    ['nothing', [], 'the next value takes 1 bytes, the file has 0 more'],
    ['a number', [7], 'bad: is not a map of parameters'],
    ['bytes after the end', [...map({}), 0], 'has 1 bytes after its end'],
    ['a map that claims four thousand million entries', [0xdf, 255, 255, 255, 255], 'the map of 4294967295 entries'],
    ['an array that claims 4 GB', map({ a: [0xc9, ...u32(2 ** 32 - 1), 1] }), 'the array "a" takes 4294967295 bytes'],
    [
      'a shape that its bytes do not fill',
      map({ a: array([127, 127], 'float32', one) }),
      'float32 [127,127] needs 64516',
    ],
    ['a shape whose product overflows', map({ a: array([0xff], 'float32', one) }), 'shape that is no list of sizes'],
    [
      'data longer than their frame',
      map({ a: array([1], 'float32', one).with(1, 14) }),
      /ends at byte \d+, its frame at/,
    ],
    ['an unknown dtype', map({ a: array([1], 'complex64', one) }), '"a": has dtype "complex64", known are float64'],
    ['an inherited name as dtype', map({ a: array([1], 'valueOf', one) }), 'has dtype "valueOf"'],
    ['another extension', map({ a: array([1], 'float32', one, 2) }), 'is of extension type 2, expected 1'],
    ['a list', map({ a: [0x91, 1] }), 'is of msgpack type 0x91, which flax does not write'],
    ['a key that is no string', [0x81, 1, 1], 'has a key of msgpack type 0x1'],
    ['a key twice', [0x82, ...text('a'), 1, ...text('a'), 1], '"a": is there twice'],
    ['a name twice by a slash in a key', map({ a: map({ b: [1] }), 'a/b': [1] }), '"a/b": is there twice'],
    ['an array in another file', map({ a: text(placeholder) }), 'is stored in another file (zarr or OCDBT'],
    ['text that is not UTF-8', map({ a: [0xa1, 255] }), 'the string "a" is not UTF-8'],
    [
      'a thousand levels',
      Array.from({ length: 1000 }, () => [0x81, 0xa1, 0x61]).flat(),
      'nested deeper than 64 levels',
    ],
    ['an integer beyond 2^53', map({ a: [0xcf, ...new Array<number>(8).fill(255)] }), 'which is too large'],
  ]

  it.each(cases)('of %s names the place', (_, bytes, message) => {
    expect(() => open(bytes)).toThrow(InputError)
    expect(() => open(bytes)).toThrow(message)
  })

  it('reads nothing but headers: an array of 4 GB is found where it is, and missed where one byte lacks', () => {
    const size = 2 ** 32 - 1
    const body = [0x93, 0x91, 0xce, ...u32(size - 30), ...text('uint8'), 0xc6, ...u32(size - 30)]
    const head = Uint8Array.from([0x81, ...text('a'), 0xc9, ...u32(body.length + size - 30), 1, ...body])
    const source: ByteSource = {
      ...memorySource(head, 'large'),
      size: head.length + size - 30,
      peek: (position, target) => target.set(head.subarray(position, position + target.length)),
    }
    expect(indexFlax(source).tensors.get('a')).toMatchObject({ dtype: 'U8', shape: [size - 30], bytes: size - 30 })
    expect(() => indexFlax({ ...source, size: source.size - 1 })).toThrow('the array "a" takes')
  })

  it('is the only failure, however a file is damaged', () => {
    const whole = Uint8Array.from(
      map({ p: map({ kernel: array([2], 'float32', [...one, ...one]), n: [0xcd, 1, 0] }), s: text('words') }),
    )
    const damage = fc.oneof(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }).map((edits) => {
        const copy = whole.slice()
        for (const [at, value] of edits) copy[at] = value
        return copy
      }),
      fc.uint8Array({ maxLength: 64 }),
    )
    const outcome = (bytes: Uint8Array) => {
      try {
        const file = indexFlax(memorySource(bytes, 'damaged'))
        for (const { shape, bytes: size } of file.tensors.values())
          expect(size).toBeLessThanOrEqual(shape.reduce((a, b) => a * b, 8))
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }
    fc.assert(fc.property(damage, outcome), { numRuns: 2000, seed: 1 })
    for (let length = 0; length < whole.length; length++)
      expect(() => indexFlax(memorySource(whole.subarray(0, length), 'cut'))).toThrow(InputError)
  })
})
