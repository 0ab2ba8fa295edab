/**
 * @file Encoders that multiply in eight bits: how near they come to f32, how a product's way is chosen, what is kept and
 * when it is not believed, and that f32 takes over, with a word, where int8 cannot be had.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { add, input, matmul, stored } from '../../src/graph/index.ts'
import { RandomStream } from '../../src/random/stream.ts'
import type { EncoderInput } from '../../src/vla/encoder.ts'
import { chooseWays } from '../../src/vla/int8/choice.ts'
import { quantiseColumns } from '../../src/vla/int8/columns.ts'
import { Compiler } from '../../src/vla/int8/compiler.ts'
import type { Int8Index } from '../../src/vla/int8/file.ts'
import { processorLacks } from '../../src/vla/int8/means.ts'
import { cosine } from '../../src/vla/int8/measure.ts'
import { drawnPicture } from '../../src/vla/int8/pictures.ts'
import type { Ways } from '../../src/vla/int8/product.ts'
import { openEncoder } from '../../src/vla/open.ts'

const here = { lacks: undefined as string | undefined, memory: 2 ** 40 }
const machine = { processorLacks: () => here.lacks ?? processorLacks(), memoryLeft: () => here.memory }

const root = mkdtempSync(join(tmpdir(), 'duet-int8-'))
let caches = 0
let cache = ''
beforeEach(() => {
  cache = join(root, String(caches++))
  process.env.HF_ASSETS_CACHE = cache
  here.memory = 2 ** 40
  here.lacks = undefined
})
afterEach(() => void delete process.env.HF_ASSETS_CACHE)
afterAll(() => rmSync(root, { recursive: true }))

const filesHere = (ending: string) =>
  readdirSync(join(cache, 'duet/int8'))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(cache, 'duet/int8', name))
const indexHere = () => JSON.parse(readFileSync(filesHere('.json')[0]!, 'utf8')) as Int8Index

describe('quantised columns', () => {
  it('reach 127 steps either way, each by its own scale', () => {
    const { codes, scales } = quantiseColumns(Float32Array.of(1, -20, 0, -0.5, 5, 0), [2, 3])
    expect([...scales]).toEqual([1 / 127, 20 / 127, 1].map(Math.fround))
    expect([...codes]).toEqual([127, -127, 0, -64, 32, 0]) // -63.5 and 31.75
  })
})

describe('drawn pictures', () => {
  it('are the same each time, and others by another number', () => {
    expect(drawnPicture(32, 1)).toEqual(drawnPicture(32, 1))
    expect(drawnPicture(32, 1).data).not.toEqual(drawnPicture(32, 2).data)
  })

  it('have dark and light, and neighbours that mostly agree', () => {
    const { data } = drawnPicture(64, 3)
    const steps = data.slice(3).map((value, i) => Math.abs(value - data[i]!))
    expect(Math.max(...data) - Math.min(...data)).toBeGreaterThan(100)
    expect([...steps].sort((a, b) => a - b)[steps.length >> 1]!).toBeLessThan(12)
  })
})

describe('a processor', () => {
  const flags = (line: string) => () => `processor : 0\n${line}\nbugs :\n`
  it.each([
    ['x86 with VNNI', 'linux', 'x64', flags('flags\t\t: fpu avx512f avx512_vnni avx512_bitalg')],
    ['x86 with that of AVX', 'linux', 'x64', flags('flags\t\t: fpu avx2 avx_vnni')],
    ['ARM with dot products', 'linux', 'arm64', flags('Features\t: fp asimd asimddp')],
    ['Apple’s', 'darwin', 'arm64', flags('')],
  ])('that multiplies bytes lacks nothing: %s', (_, platform, architecture, info) =>
    expect(processorLacks(platform, architecture, info)).toBeUndefined(),
  )

  it.each([
    [
      'without VNNI',
      'linux',
      'x64',
      flags('flags\t\t: fpu avx2 avx512f'),
      'has none of avx512_vnni, avx_vnni, asimddp',
    ],
    ['of which nothing is known', 'linux', 'x64', () => expect.unreachable as never, '/proc/cpuinfo'],
    ['of another system', 'win32', 'x64', flags(''), 'cannot be read on win32'],
  ])('%s is told as such', (_, platform, architecture, info, word) => {
    const read =
      word === '/proc/cpuinfo'
        ? () => {
            throw new Error('ENOENT')
          }
        : info
    expect(processorLacks(platform, architecture, read)).toContain(word)
  })
})

const normal = (size: number, seed = 2) => new RandomStream(seed, 'test/int8').fillNormal(new Float32Array(size))

/** y = x [16, 32] times weights [32, 96] in a file, plus a bias. */
function aProduct(change: (weights: Float32Array) => void = () => undefined) {
  const weights = normal(32 * 96, 1)
  change(weights)
  const path = join(root, `weights-${caches}`)
  writeFileSync(path, new Uint8Array(weights.buffer))
  const file = { path, offset: 0, dtype: 'F32' } as const
  const y = add(matmul(input('x', [16, 32]), stored(file, [32, 96])), stored(file, [96]))
  return { weights, bias: weights.slice(0, 96), traced: { name: 'a product', outputs: { y }, threads: 1 } }
}

async function compiled({ traced }: ReturnType<typeof aProduct>, x: Float32Array, hash = 'abc', frames?: 'the robot') {
  const compiler = new Compiler('int8', hash, { machine, frames })
  let asked = 0
  const program = await compiler.compile(traced, async () => {
    asked++
    return [{ x }]
  })
  program.set('x', x)
  await program.run()
  const y = program.outputs.y!.slice()
  await program.release()
  return { y, compiler, asked }
}

/** The same in double precision, and the error's share of the size, row by row. */
function errorsOf({ weights, bias }: ReturnType<typeof aProduct>, x: Float32Array, y: Float32Array): number[] {
  return Array.from({ length: 16 }, (_, row) => {
    let [missed, size] = [0, 0]
    for (let n = 0; n < 96; n++) {
      let sum = bias[n]!
      for (let k = 0; k < 32; k++) sum += x[32 * row + k]! * weights[96 * k + n]!
      missed += (y[96 * row + n]! - sum) ** 2
      size += sum ** 2
    }
    return Math.sqrt(missed / size)
  })
}

const needsBytes = processorLacks() !== undefined // then products of bytes saturate, and the numbers are others

describe.skipIf(needsBytes)('a product in int8', () => {
  it('is what whole numbers of eight bits give by hand', async () => {
    const product = aProduct()
    const { weights, bias } = product
    const x = normal(16 * 32)
    const { y, compiler } = await compiled(product, x)
    expect(indexHere().products.map(({ way }) => way)).toEqual(['tensor'])
    expect(compiler.notes).toEqual([
      expect.stringMatching(
        /^precision: a product has 1 of 1 products in int8, 0 of them by rows, 0 smoothed, least cosine with f32 0\.99/,
      ),
    ])
    const column = (n: number) => weights.filter((_, i) => i % 96 === n)
    const scales = Array.from({ length: 96 }, (_, n) => Math.max(...column(n).map(Math.abs)) / 127)
    const step = (Math.max(...x) - Math.min(...x)) / 255
    const zero = Math.round(-Math.min(...x) / step)
    const whole = Array.from(x, (value) => Math.max(0, Math.min(255, Math.round(value / step) + zero)) - zero)
    for (let row = 0; row < 16; row++)
      for (let n = 0; n < 96; n++) {
        let sum = 0
        for (let k = 0; k < 32; k++) sum += whole[32 * row + k]! * Math.round(weights[96 * k + n]! / scales[n]!)
        expect(y[96 * row + n]).toBeCloseTo(sum * step * scales[n]! + bias[n]!, 3)
      }
  })

  it('is scaled by rows where one is far larger than the others', async () => {
    const product = aProduct()
    const x = normal(16 * 32).map((value, i) => (i < 32 ? 300 * value : value))
    const { y } = await compiled(product, x)
    expect(indexHere().products.map(({ way }) => way)).toEqual(['rows'])
    expect(Math.max(...errorsOf(product, x, y))).toBeLessThan(0.025)
  })

  it('is smoothed where a column is far larger that meets small weights', async () => {
    const product = aProduct((weights) =>
      weights.subarray(7 * 96, 8 * 96).forEach((value, n, row) => void (row[n] = value / 1000)),
    )
    const x = normal(16 * 32).map((value, i) => (i % 32 === 7 ? 300 * value : value))
    const { y } = await compiled(product, x)
    expect(indexHere().products.map(({ way }) => way)).toEqual(['smooth'])
    expect(Math.max(...errorsOf(product, x, y))).toBeLessThan(0.025)
  })

  it('stays in f32 where every way errs too much', async () => {
    // what is left after two columns have taken each other away
    const product = aProduct((weights) => weights.copyWithin(8 * 96, 7 * 96, 8 * 96))
    const x = normal(16 * 32)
    for (let row = 0; row < 16; row++) x[32 * row + 8] = -(x[32 * row + 7] = 1000 + row)
    const { y, compiler } = await compiled(product, x)
    expect(indexHere().products.map(({ way }) => way)).toEqual(['f32'])
    expect(Math.max(...errorsOf(product, x, y))).toBeLessThan(1e-3)
    expect(compiler.int8).toBeUndefined()
    expect(compiler.notes).toEqual(['precision: a product loses too much in int8: f32 is used'])
  })
})

describe('the choice of ways', () => {
  const place = { shape: [4, 4] as [number, number], codes: 0, scales: 0 }
  const product = (...errors: [number, number]): Ways => [
    { ...place, way: 'tensor', error: errors[0] },
    { ...place, way: 'rows', error: errors[1] },
  ]
  const ways = [product(0.02, 0.01), product(0.01, 0.02), product(0.024, 0.0099), product(0.3, 0.2)]
  const WORK = [1000, 1000, 10, 1000]

  /** What is tried one after the other until a choice has the cosine that is wanted. */
  const tried = async (cosineOf: (chosen: string) => number) => {
    const all: string[] = []
    const { products, cosine } = await chooseWays(ways, WORK, async (chosen) => {
      all.push(chosen.map(({ way }) => way).join(' '))
      return { cosine: cosineOf(all.at(-1)!), ofSpread: 0 }
    })
    return { all, taken: products.map(({ way }) => way).join(' '), cosine }
  }

  it('is of the fastest that are exact enough', async () =>
    expect(await tried(() => 0.9996)).toMatchObject({ all: ['tensor tensor tensor f32'], cosine: 0.9996 }))

  it('is of the most exact ones where the whole is not near enough', async () => {
    const { all, taken } = await tried((chosen) => (chosen.startsWith('rows') ? 0.9996 : 0.999))
    expect(all).toEqual(['tensor tensor tensor f32', 'rows tensor rows f32'])
    expect(taken).toBe(all[1])
  })

  it('gives up products with most error for their work, until it is', async () => {
    const { taken } = await tried((chosen) => (chosen === 'rows tensor f32 f32' ? 0.9996 : 0.9993))
    expect(taken).toBe('rows tensor f32 f32')
  })

  it('is of f32 alone where nothing helps', async () =>
    expect(await tried(() => 0.99)).toMatchObject({ taken: 'f32 f32 f32 f32', cosine: 1 }))
})

describe.skipIf(needsBytes)('what was quantised', () => {
  const x = normal(16 * 32)

  it('is made once, and found again', async () => {
    const product = aProduct()
    const first = await compiled(product, x)
    const again = await compiled(product, x)
    expect([first.asked, again.asked]).toEqual([1, 0])
    expect(again.y).toEqual(first.y)
    expect(again.compiler.int8).toBe(first.compiler.int8)
    expect(filesHere('')).toHaveLength(2)
  })

  it('is not taken for that of other weights, of another graph, or of other frames', async () => {
    const product = aProduct()
    await compiled(product, x)
    expect((await compiled(product, x, 'def')).asked).toBe(1)
    expect((await compiled(product, x, 'abc', 'the robot')).asked).toBe(1)
    const { traced } = product
    const other = { ...product, traced: { ...traced, outputs: { y: add(traced.outputs.y, 1) } } }
    expect((await compiled(other, x)).asked).toBe(1)
    expect(filesHere('.bin')).toHaveLength(4)
  })

  it.each([
    [
      'weights with a flipped bit',
      '.bin',
      (bytes: Buffer) => bytes.fill(bytes[100]! ^ 1, 100, 101),
      'is damaged: its checksum is of other content',
    ],
    [
      'weights that were cut short',
      '.bin',
      (bytes: Buffer) => bytes.subarray(0, -1),
      'is damaged: its checksum is of other content',
    ],
    ['an index that was cut short', '.json', (bytes: Buffer) => bytes.subarray(0, -1), 'is damaged'],
    [
      'the index of another encoder',
      '.json',
      (bytes: Buffer) => Buffer.from(String(bytes).replace(/"key":"..../, '"key":"beef')),
      'is of another encoder',
    ],
  ])('is made again, with a word, of %s', async (_, ending, damage, word) => {
    const product = aProduct()
    const before = await compiled(product, x)
    const [file] = filesHere(ending)
    writeFileSync(file!, damage(readFileSync(file!)))
    const { y, compiler, asked } = await compiled(product, x)
    expect(asked).toBe(1)
    expect(compiler.notes).toContain(`precision: ${file} ${word}; it is made again`)
    expect(y).toEqual(before.y)
    expect((await compiled(product, x)).asked).toBe(0)
  })

  it('is made again where its weights are missing', async () => {
    const product = aProduct()
    await compiled(product, x)
    rmSync(filesHere('.bin')[0]!)
    expect((await compiled(product, x)).compiler.notes[0]).toMatch(/\.bin is missing; it is made again$/)
  })
})

describe('f32 takes the place of int8', () => {
  const x = normal(16 * 32)
  const inF32 = async (word: RegExp) => {
    const product = aProduct()
    const { y, compiler, asked } = await compiled(product, x)
    expect(Math.max(...errorsOf(product, x, y))).toBeLessThan(1e-5)
    expect(compiler.int8).toBeUndefined()
    expect(compiler.notes).toEqual([expect.stringMatching(word)])
    return asked
  }

  it('on a processor that does not multiply bytes', async () => {
    here.lacks = 'this processor has none of them'
    expect(await inF32(/^precision: int8 cannot be used, f32 is: this processor has none of them$/)).toBe(0)
  })

  it.skipIf(needsBytes)('where memory is too small to quantise', async () => {
    here.memory = 2 ** 27
    expect(
      await inF32(/^precision: to quantise a product takes about 257 MiB of memory, 128 MiB are left: f32 is used$/),
    ).toBe(0)
  })

  it.skipIf(needsBytes)('where the disk does not keep it', async () => {
    writeFileSync(cache, '') // no folder can be made in it
    expect(await inF32(/^precision: what is quantised cannot be kept \(.*\): f32 is used$/)).toBe(0)
  })

  it('on a GPU', () => {
    expect(new Compiler('int8', 'abc', { device: 'cuda' }).notes).toEqual([
      'precision: int8 cannot be used, f32 is: it is made for the CPU, not for cuda',
    ])
  })

  it('which is told where memory is too small for it, too', async () => {
    here.memory = 2 ** 27
    const compiler = new Compiler('f32', 'abc', { machine })
    const program = await compiler.compile(aProduct().traced, async () => [])
    await program.release()
    expect(compiler.notes).toEqual([
      expect.stringMatching(/^memory: a product takes about 257 MiB, 128 MiB are left: /),
    ])
  })
})

describe('an encoder', () => {
  const anInput = (cameras: readonly string[], which: number): EncoderInput => ({
    images: Object.fromEntries(cameras.map((camera, i) => [camera, drawnPicture(128, 100 * (1 + which) + i)])),
    proprio: new Float32Array(6),
    instruction: 'pick up the bolt',
  })
  const KINDS = { octo: ['primary', 'wrist'], smolvla: ['camera1', 'camera2'] } as const

  it.skipIf(needsBytes).each(['octo', 'smolvla'] as const)(
    'in int8 is near to itself in f32, and says that it is not: %s',
    async (name) => {
      const cameras = KINDS[name]
      const folder = resolve(import.meta.dirname, '../fixtures', name)
      const [plain, bytes] = [
        await openEncoder(name, { folder, cameras, precision: 'f32' }),
        await openEncoder(name, { folder, cameras, precision: 'int8' }),
      ]
      const inputs = [0, 1, 2].map((which) => anInput(cameras, which))
      const [wanted, got] = [await plain.encode(inputs), await bytes.encode(inputs)]
      for (const [i, { h, features }] of got.entries()) {
        expect(cosine(h, wanted[i]!.h)).toBeGreaterThan(0.999)
        expect(cosine(features, wanted[i]!.features)).toBeGreaterThan(0.999)
        expect(h).not.toEqual(wanted[i]!.h)
      }
      expect([plain.description.int8, bytes.description.hash]).toEqual([undefined, plain.description.hash])
      expect(bytes.description.int8).toBeDefined()
      expect(bytes.description.notes!.filter((note) => /products in int8/.test(note))).toHaveLength(
        name === 'octo' ? 1 : 2,
      )
      await Promise.all([plain.close(), bytes.close()])
    },
  )

  it('without int8 refuses it', async () => {
    await expect(openEncoder('nano', { cameras: [], precision: 'int8' })).rejects.toThrow(
      'setting "precision": is of smolvla and octo, nano has none. Leave it out',
    )
    const nano = await openEncoder('nano', { cameras: ['front', 'wrist'], precision: 'f32' })
    await nano.close()
  })
})
