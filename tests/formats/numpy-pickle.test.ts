/** @file Pickled arrays: pickles that Python wrote, hostile ones that Python would have obeyed, and damaged ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import { memorySource } from '../../src/formats/byte-source.ts'
import { indexNumpyPickle } from '../../src/formats/numpy-pickle.ts'

/** {block: {kernel: f4 [[-2.5, -1.5, -0.5], [0.5, 1.5, 2.5]], shared: f4 [1, 2]}, half: f2 [1.5]}, numpy 2, protocol 4. */
const WRITTEN =
  'gASVNAEAAAAAAAB9lCiMBWJsb2NrlH2UKIwGa2VybmVslIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmU' +
  'jAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwJLA4aUaAeMBWR0eXBllJOUjAJmNJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMY' +
  'AAAgwAAAwL8AAAC/AAAAPwAAwD8AACBAlHSUYowGc2hhcmVklGgGaAlLAIWUaAuHlFKUKEsBSwKFlGgTiUMIAACAPwAAAECUdJRidYwEaGFsZpRo' +
  'BmgJSwCFlGgLh5RSlChLAUsBhZRoEIwCZjKUiYiHlFKUKEsDaBROTk5K/////0r/////SwB0lGKJQwIAPpR0lGJ1Lg=='

/** {a: os.system('echo hi')} on opening. */
const CALLS_A_SHELL = 'gASVKQAAAAAAAAB9lIwBYZSMBXBvc2l4lIwGc3lzdGVtlJOUjAdlY2hvIGhplIWUUpRzLg=='

const FORTRAN =
  'gASVogAAAAAAAAB9lIwBYZSMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRD' +
  'AWKUh5RSlChLAUsCSwKGlGgFjAVkdHlwZZSTlIwCZjSUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYohDEAAAgD8AAIA/AACAPwAAgD+U' +
  'dJRicy4='

const OBJECTS =
  'gASVkgAAAAAAAAB9lIwBYZSMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRD' +
  'AWKUh5RSlChLAUsBhZRoBYwFZHR5cGWUk5SMAk84lImIh5RSlChLA4wBfJROTk5K/////0r/////Sz90lGKJXZR9lGF0lGJzLg=='

const BIG_ENDIAN =
  'gASVlAAAAAAAAAB9lIwBYZSMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRD' +
  'AWKUh5RSlChLAUsBhZRoBYwFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPpROTk5K/////0r/////SwB0lGKJQwQ/gAAAlHSUYnMu'

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const open = (bytes: Uint8Array) => indexNumpyPickle(memorySource(bytes, 'bad.pkl'))

const text = (value: string) => [0x8c, value.length, ...Buffer.from(value)]
const stream = (...bytes: number[]) => Uint8Array.from([0x80, 4, ...bytes, 0x2e])
const repeated = (start: number[], byte: number, count: number) =>
  Uint8Array.from([0x80, 4, ...start, ...Buffer.alloc(count, byte)])
const global = (module: string, name: string) => [...text(module), ...text(name), 0x93]

/** numpy.dtype('f4', False, True) with byte order '<'. */
const single = [
  ...[...global('numpy', 'dtype'), ...text('f4'), 0x89, 0x88, 0x87, 0x52],
  ...[
    0x28,
    0x4b,
    3,
    ...text('<'),
    0x4e,
    0x4e,
    0x4e,
    0x4a,
    255,
    255,
    255,
    255,
    0x4a,
    255,
    255,
    255,
    255,
    0x4b,
    0,
    0x74,
    0x62,
  ],
]
const state = (shape: number[], data: number[]) => [
  ...[0x28, 0x4b, 1, ...shape, ...single, 0x89, 0x42, data.length, 0, 0, 0, ...data, 0x74],
]
/** What jax writes: _reconstruct_array(_reconstruct, (ndarray, (0,), b'b'), state, {'weak_type': False}). */
const jaxArray = (shape: number[], data: number[], inner = global('numpy.core.multiarray', '_reconstruct')) => [
  ...[...global('jax._src.array', '_reconstruct_array'), 0x28, ...inner],
  ...[...global('numpy', 'ndarray'), 0x4b, 0, 0x85, 0x43, 1, 0x62, 0x87],
  ...[...state(shape, data), 0x7d, ...text('weak_type'), 0x89, 0x73, 0x74, 0x52],
]

describe('reading', () => {
  it('finds the arrays that numpy pickled, whatever the memo shares', async () => {
    const file = open(bytesOf(WRITTEN))
    expect([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['block/kernel', 'F32', [2, 3]],
      ['block/shared', 'F32', [2]],
      ['half', 'F16', [1]],
    ])
    expect(await file.read('block/kernel')).toEqual(Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5))
    expect(await file.read('block/shared')).toEqual(Float32Array.of(1, 2))
    expect(await file.read('half')).toEqual(Float32Array.of(1.5))
  })

  it('finds the arrays of a jax tree', async () => {
    const file = open(stream(0x7d, ...text('bias'), ...jaxArray([0x4b, 1, 0x85], [0, 0, 128, 63]), 0x73))
    expect(file.tensors.get('bias')).toMatchObject({ dtype: 'F32', shape: [1] })
    expect(await file.read('bias')).toEqual(Float32Array.of(1))
  })
})

describe('refusal', () => {
  const one = [0, 0, 128, 63]
  const entry = (...value: number[]) => stream(0x7d, ...text('a'), ...value, 0x73)
  /** The dict, stored as 0, put into itself. */
  const cycle = stream(0x7d, 0x94, ...text('a'), 0x68, 0, 0x73)
  /** {d0: {}, d1: {a: d0, b: d0}, d2: {a: d1, b: d1}, ...}: 2^30 paths in a kilobyte. */
  const doubling = stream(
    ...[0x7d, ...text('d0'), 0x7d, 0x94, 0x73],
    ...Array.from({ length: 30 }, (_, i) => [
      ...[...text(`d${i + 1}`), 0x7d, 0x94, ...text('a'), 0x68, i, 0x73, ...text('b'), 0x68, i, 0x73, 0x73],
    ]).flat(),
  )
  const cases: [what: string, bytes: Uint8Array, message: string | RegExp][] = [
    ['nothing', new Uint8Array(0), 'the next value takes 1 bytes, the file has 0 more'],
    ['an older protocol', Uint8Array.from([0x28, 0x64, 0x2e]), 'does not begin as a pickle of protocol 2'],
    ['a shell command', bytesOf(CALLS_A_SHELL), 'refers to posix.system, which arrays do not need. It may be hostile'],
    ['eval', entry(...global('builtins', 'eval'), ...text('1'), 0x85, 0x52), 'refers to builtins.eval'],
    ['a name that objects inherit', entry(...global('', 'constructor')), 'refers to .constructor'],
    ['a name in dots', entry(...global('numpy', 'core.multiarray._reconstruct.x')), 'refers to numpy.core.multi'],
    ['the old opcode for names', stream(0x63, ...Buffer.from('os\nsystem\n')), 'holds opcode 0x63'],
    ['an instance', entry(...global('numpy', 'ndarray'), 0x29, 0x81), 'holds opcode 0x81'],
    ['a call of ndarray itself', entry(...global('numpy', 'ndarray'), 0x29, 0x52), 'calls numpy.ndarray'],
    ['a call of a string', entry(...text('f'), 0x29, 0x52), 'calls something that is no function'],
    [
      'a jax array that another function builds',
      entry(...jaxArray([0x4b, 1, 0x85], one, global('numpy', 'dtype'))),
      'from something that is no numpy array',
    ],
    ['an array of objects', bytesOf(OBJECTS), 'holds opcode 0x5d'],
    ['an array in Fortran order', bytesOf(FORTRAN), 'in Fortran order'],
    ['big-endian numbers', bytesOf(BIG_ENDIAN), 'dtype ">f4", expected little-endian'],
    [
      'a shape that its bytes do not fill',
      entry(...jaxArray([0x4b, 2, 0x85], one)),
      'has an array of 4 bytes, F32 [2] needs 8',
    ],
    ['a negative size', entry(...jaxArray([0x4a, 255, 255, 255, 255, 0x85], one)), 'shape is no tuple of sizes'],
    ['bytes that the file has not', entry(0x42, 255, 255, 255, 255), 'a byte string takes 4294967295 bytes'],
    ['a frame longer than the file', stream(0x95, 0, 0, 0, 0, 1, 0, 0, 0), 'a frame takes 4294967296 bytes'],
    ['a string longer than a name', repeated([0x58, 0, 0, 2, 0], 97, 1 << 17), 'at most 65536'],
    ['a key that is no string', stream(0x7d, 0x4b, 1, 0x4b, 2, 0x73), 'key that is no string'],
    ['a key twice', stream(0x7d, 0x28, ...text('a'), 0x4e, ...text('a'), 0x4e, 0x75), 'has the key "a" twice'],
    ['a leaf that is no array', entry(0x4b, 1), '"a": is not an array'],
    [
      'an array without its state',
      entry(...global('numpy.core.multiarray', '_reconstruct'), ...global('numpy', 'ndarray'), 0x85, 0x52),
      '"a": is not an array',
    ],
    ['a dict in itself', cycle, 'nested deeper than 32 levels'],
    ['dicts that double', doubling, 'comes after 100000 others'],
    ['a memory of nothing', stream(0x68, 7), 'refers to object 7'],
    ['an empty stack', stream(), 'takes from an empty stack'],
    ['a close without an open', stream(0x74), 'closes what it never opened'],
    ['more after the end', Uint8Array.from([...stream(0x7d), 1]), 'goes on after its end'],
    ['two results', stream(0x7d, 0x7d), 'goes on after its end'],
    ['a list of marks', repeated([], 0x28, 200_000), 'more than 100000 objects'],
  ]

  it.each(cases)('of %s names the place', (_, bytes, message) => {
    expect(() => open(bytes)).toThrow(InputError)
    expect(() => open(bytes)).toThrow(message)
  })

  it('is the only failure, however a file is damaged', () => {
    const whole = bytesOf(WRITTEN)
    const damage = fc.oneof(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }).map((edits) => {
        const copy = whole.slice()
        for (const [at, value] of edits) copy[at] = value
        return copy
      }),
      fc.uint8Array({ maxLength: 64 }).map((tail) => stream(...tail)),
    )
    const outcome = (bytes: Uint8Array) => {
      try {
        for (const { bytes: size } of open(bytes).tensors.values()) expect(size).toBeLessThan(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(InputError)
      }
    }
    fc.assert(fc.property(damage, outcome), { numRuns: 2000, seed: 1 })
    for (let length = 0; length < whole.length; length++)
      expect(() => open(whole.subarray(0, length))).toThrow(InputError)
  })
})
