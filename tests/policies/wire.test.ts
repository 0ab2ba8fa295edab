/** @file msgpack with numpy arrays: the bytes that Python's msgpack 1.2 with openpi's msgpack_numpy made of the same values. */
import { describe, expect, it } from 'vitest'
import { NumpyArray, numbersOf, pack, Real, unpack } from '../../src/formats/msgpack.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => Buffer.from(text, 'hex')

const CASES: [string, Parameters<typeof pack>[0], string][] = [
  ['an empty map', {}, '80'],
  [
    'an observation',
    {
      'observation/image': NumpyArray.bytes(
        Uint8Array.from({ length: 12 }, (_, i) => i),
        [2, 2, 3],
      ),
      'observation/state': NumpyArray.floats(Float32Array.of(0.5, -1.25)),
      prompt: 'pick up the bolt',
    },
    '83b16f62736572766174696f6e2f696d61676584c40b5f5f6e6461727261795f5fc3c40464617461c40c000102030405060708090a0bc4056474797065a37c7531c405736861706593020203b16f62736572766174696f6e2f737461746584c40b5f5f6e6461727261795f5fc3c40464617461c4080000003f0000a0bfc4056474797065a33c6634c40573686170659102a670726f6d7074b07069636b2075702074686520626f6c74',
  ],
  [
    'an answer',
    {
      actions: NumpyArray.floats(new Float32Array(7), [1, 7]),
      policy_timing: { infer_ms: new Real(12) },
      server_timing: { infer_ms: 12.5, prev_total_ms: new Real(3) },
    },
    '83a7616374696f6e7384c40b5f5f6e6461727261795f5fc3c40464617461c41c00000000000000000000000000000000000000000000000000000000c4056474797065a33c6634c4057368617065920107ad706f6c6963795f74696d696e6781a8696e6665725f6d73cb4028000000000000ad7365727665725f74696d696e6782a8696e6665725f6d73cb4029000000000000ad707265765f746f74616c5f6d73cb4008000000000000',
  ],
  [
    'integers of every width',
    [
      0,
      127,
      128,
      255,
      256,
      65535,
      65536,
      2 ** 32 - 1,
      2 ** 32,
      -1,
      -32,
      -33,
      -128,
      -129,
      -32768,
      -32769,
      -(2 ** 31),
      -(2 ** 31) - 1,
    ],
    'dc0012007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000ffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffff',
  ],
  ['constants', [null, true, false, 0.1], '94c0c3c2cb3fb999999999999a'],
  [
    'a text of 40 bytes',
    'é'.repeat(20),
    'd928c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9',
  ],
]

describe('packing', () => {
  it.each(CASES)('%s gives the bytes of Python', (_, value, golden) => expect(hex(pack(value))).toBe(golden))

  it.each(CASES)('%s comes back', (_, value, golden) => {
    expect(hex(pack(packable(unpack(bytes(golden), 'test'), value)))).toBe(golden)
  })
})

/** What was read as something to write; a float that is whole has to be told from an integer by what was meant. */
function packable(read: ReturnType<typeof unpack>, meant: Parameters<typeof pack>[0]): Parameters<typeof pack>[0] {
  if (meant instanceof Real) return new Real(read as number)
  if (read instanceof Map)
    return Object.fromEntries(
      [...read].map(([name, value]) => [name, packable(value, (meant as Record<string, never>)[name]!)]),
    )
  if (Array.isArray(read)) return read.map((value, i) => packable(value, (meant as never[])[i]!))
  return read as Parameters<typeof pack>[0]
}

/** By the tables of msgpack's specification: type, then the length from its highest byte on. */
it.each<[string, Parameters<typeof pack>[0], string]>([
  ['bytes of 255', new Uint8Array(255), 'c4ff'],
  ['bytes of 256', new Uint8Array(256), 'c50100'],
  ['a picture of 224 × 224', new Uint8Array(224 * 224 * 3), 'c600024c00'],
  ['a text of 256', 'a'.repeat(256), 'da0100'],
  ['a text of 70,000', 'a'.repeat(70_000), 'db00011170'],
  ['a list of 16', Array(16).fill(null), 'dc0010'],
  ['a map of 16', Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`key ${i}`, i])), 'de0010'],
])('%s has its length in as many bytes as the specification says, and comes back', (_, value, head) => {
  const packed = pack(value)
  expect(hex(packed.subarray(0, head.length / 2))).toBe(head)
  expect(hex(pack(packable(unpack(packed, 'test'), value)))).toBe(hex(packed))
})

describe('reading', () => {
  it('takes a numpy scalar as its value, and numbers of every width', () => {
    expect(
      unpack(
        bytes('81a17883c40d5f5f6e7067656e657269635f5fc3c40464617461cb3ff8000000000000c4056474797065a33c6634'),
        'test',
      ),
    ).toEqual(new Map([['x', 1.5]]))
    expect([
      ...numbersOf(new NumpyArray('<f8', [2], new Uint8Array(new Float64Array([0.25, -3]).buffer)), 'x'),
    ]).toEqual([0.25, -3])
    expect([...numbersOf(new NumpyArray('<i8', [1], new Uint8Array(new BigInt64Array([-7n]).buffer)), 'x')]).toEqual([
      -7,
    ])
    expect([...numbersOf(NumpyArray.bytes(Uint8Array.of(0, 255), [2]), 'x')]).toEqual([0, 255])
    for (const [dtype, written, wanted] of [
      ['|i1', 'fd7f', [-3, 127]],
      ['|b1', '0001', [0, 1]],
      ['<i2', 'feff0201', [-2, 258]],
      ['<i4', '90eefeff', [-70_000]],
    ] as const)
      expect([...numbersOf(new NumpyArray(dtype, [wanted.length], bytes(written)), 'x')]).toEqual(wanted)
    expect(unpack(bytes('ca3fc00000'), 'test')).toBe(1.5) // a float of four bytes
  })

  it.each([
    ['a message that was cut', '81a16193', 'ends where 3 more bytes were due'],
    ['bytes after the end', '81a1610102', 'has 1 bytes after its end'],
    ['a name twice', '82a16101a16102', 'has "a" twice'],
    [
      'an array of fewer bytes than its shape',
      hex(pack(new NumpyArray('<f4', [3], new Uint8Array(8)))),
      'holds an array <f4 [3] of 8 bytes',
    ],
    ['a shape of a million axes', 'dd000f4240', 'more bytes were due'],
    ['an extension', 'd40100', 'msgpack type 0xd4'],
    ['a nest without end', '91'.repeat(40), 'nested deeper'],
  ])('refuses %s', (_, text, why) => expect(() => unpack(bytes(text), 'test')).toThrow(why))

  it('refuses numbers of a kind that it does not know', () =>
    expect(() => numbersOf(new NumpyArray('>f4', [1], new Uint8Array(4)), 'state')).toThrow('state: has dtype >f4'))
})
