/** @file Tensors read one at a time from files of published weights: single files, shards, damage. */
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError, ShapeError } from '../../src/errors.ts'
import { type SafeTensor, serialiseSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts'
import { openSafetensors } from '../../src/formats/safetensors-file.ts'
import { requireTensors } from '../../src/formats/tensor-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duet-tensor-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

const single = (...values: number[]): SafeTensor => ({
  dtype: 'F32',
  shape: [values.length],
  data: Float32Array.from(values),
})

/** More than one scratch buffer (1 MiB) of halves, each with another value. */
const manyHalves = Uint16Array.from({ length: 600_001 }, (_, i) => i % 0x7c00)

describe('a single file', () => {
  const tensors: Record<string, SafeTensor> = {
    weight: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2.5, 1e-30, 4) },
    half: { dtype: 'F16', shape: [600_001], data: manyHalves },
    brain: { dtype: 'BF16', shape: [600_001], data: manyHalves },
    double: { dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -7) },
    index: { dtype: 'I64', shape: [2], data: BigInt64Array.of(3n, -1n) },
    none: { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) },
  }
  const open = async () => {
    const path = join(folder, 'model.safetensors')
    await writeSafetensors(path, tensors)
    return openSafetensors(path)
  }

  it('tells names, shapes, dtypes and bytes', async () => {
    const file = await open()
    const described = [...file.tensors].map(([name, { dtype, shape, bytes }]) => [name, dtype, shape, bytes])
    expect(described.sort()).toEqual([
      ['brain', 'BF16', [600_001], 1_200_002],
      ['double', 'F64', [2], 16],
      ['half', 'F16', [600_001], 1_200_002],
      ['index', 'I64', [2], 16],
      ['none', 'F32', [0, 3], 0],
      ['weight', 'F32', [2, 2], 16],
    ])
    await file.close()
  })

  it('widens every floating-point dtype to f32', async () => {
    const file = await open()
    expect(await file.read('weight')).toEqual(Float32Array.of(1, -2.5, Math.fround(1e-30), 4))
    expect(await file.read('double')).toEqual(Float32Array.of(Math.fround(0.1), -7))
    expect(await file.read('none')).toEqual(new Float32Array(0))
    const [half, brain] = [await file.read('half'), await file.read('brain')]
    // by the definitions of the two formats: sign 0, exponent and fraction of 5 + 10 and of 8 + 7 bits
    for (const at of [0, 1, 1024, 31_743, 500_000, 524_287, 524_288, 600_000]) {
      const bits = at % 0x7c00
      const exponent = bits >> 10
      expect(half[at]).toBe(exponent ? (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15) : (bits & 1023) * 2 ** -24)
      const wide = bits >> 7
      const fraction = (bits & 127) / 128
      expect(brain[at]).toBe(Math.fround(wide ? (1 + fraction) * 2 ** (wide - 127) : fraction * 2 ** -126))
    }
    await file.close()
  })

  it('reads into a given place and nothing beside it', async () => {
    const file = await open()
    const memory = new WebAssembly.Memory({ initial: 100, maximum: 100 })
    const all = new Float32Array(memory.buffer as ArrayBuffer, 64, 700_000).fill(9)
    const place = all.subarray(10, 14)
    expect(await file.read('weight', place)).toBe(place)
    expect(Array.from(all.subarray(9, 15))).toEqual([9, 1, -2.5, Math.fround(1e-30), 4, 9])
    await file.read('brain', all.subarray(20, 600_021))
    expect([all[19], all[20], all[600_021]]).toEqual([9, 0, 9])
    await expect(file.read('weight', all.subarray(0, 3))).rejects.toThrow(ShapeError)
    await file.close()
  })

  it('reads one row of a matrix, and says where a tensor lies', async () => {
    const file = await open()
    const rows = file.tensors.get('weight')!.shape[0]!
    const all = Array.from(await file.read('weight'))
    const width = all.length / rows
    for (let row = 0; row < rows; row++)
      expect(Array.from(await file.readRow('weight', row))).toEqual(all.slice(row * width, (row + 1) * width))
    await expect(file.readRow('weight', rows)).rejects.toThrow(`has no row ${rows}`)
    const { path, offset } = file.place('weight')!
    const bytes = (await readFile(path)).subarray(offset, offset + 4 * all.length)
    expect(Array.from(new Float32Array(new Uint8Array(bytes).buffer))).toEqual(all)
    await file.close()
  })

  it('gives integers as bytes, refuses them as weights, and names what is missing', async () => {
    const file = await open()
    expect(new BigInt64Array((await file.readBytes('index')).buffer)).toEqual(BigInt64Array.of(3n, -1n))
    await expect(file.read('index')).rejects.toThrow('tensor "index": is I64, expected F32')
    await expect(file.read('toString')).rejects.toThrow('has no tensor "toString"')
    await file.close()
  })

  it('holds a plan against the header', async () => {
    const file = await open()
    expect(requireTensors(file, { weight: [2, 2], double: [2] }).sort()).toEqual(['brain', 'half', 'index', 'none'])
    expect(() => requireTensors(file, { bias: [2] })).toThrow('has no tensor "bias"')
    expect(() => requireTensors(file, { weight: [4] })).toThrow('tensor "weight" is [2,2], expected [4]')
    expect(() => requireTensors(file, { index: [2] })).toThrow('tensor "index": is I64')
    await file.close()
  })

  it('says so when the file is cut while it is open', async () => {
    const file = await open()
    await truncate(file.path, 1000)
    await expect(file.read('brain')).rejects.toThrow(/model.safetensors: has no byte \d+, it had 2400/)
    await file.close()
  })

  it('refuses a large file whose header is hostile, by its first bytes', async () => {
    const path = join(folder, 'sparse.safetensors')
    const header = (text: string) => {
      const bytes = new Uint8Array(8 + text.length)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
      bytes.set(new TextEncoder().encode(text), 8)
      return bytes
    }
    const claims = { a: { dtype: 'F32', shape: [2 ** 40], data_offsets: [0, 2 ** 42] } }
    await writeFile(path, header(JSON.stringify(claims)))
    await truncate(path, 2 ** 33) // 8 GB of nothing
    await expect(openSafetensors(path)).rejects.toThrow('ends at byte 4398046511104')
    const long = new Uint8Array(8)
    new DataView(long.buffer).setBigUint64(0, 2n ** 32n, true)
    await writeFile(path, long)
    await truncate(path, 2 ** 33)
    await expect(openSafetensors(path)).rejects.toThrow('header length: is 4294967296, the format allows 100000000')
  })
})

describe('shards', () => {
  const shards = async (name: string, map: unknown, files: Record<string, Record<string, SafeTensor>>) => {
    const at = join(folder, name)
    await mkdir(at)
    for (const [file, tensors] of Object.entries(files)) await writeFile(join(at, file), serialiseSafetensors(tensors))
    await writeFile(join(at, 'model.safetensors.index.json'), JSON.stringify(map))
    return at
  }
  const first = 'model-00001-of-00002.safetensors'
  const second = 'model-00002-of-00002.safetensors'

  it('are one file to the reader', async () => {
    const map = { metadata: { total_size: 12 }, weight_map: { a: first, b: second } }
    const at = await shards('good', map, { [first]: { a: single(1) }, [second]: { b: single(2, 3) } })
    const file = await openSafetensors(at)
    expect([...file.tensors.keys()]).toEqual(['a', 'b'])
    expect(await file.read('b')).toEqual(Float32Array.of(2, 3))
    await file.close()
  })

  it('must agree with their index and with each other', async () => {
    const open = async (...of: Parameters<typeof shards>) => openSafetensors(await shards(...of))
    const both = { [first]: { a: single(1) }, [second]: { a: single(2) } }
    await expect(open('twice', { weight_map: { a: first, b: second } }, both)).rejects.toThrow(
      'is in another shard too',
    )
    await expect(open('lost', { weight_map: { a: first, c: first } }, both)).rejects.toThrow('names "c"')
    await expect(open('absent', { weight_map: { a: 'x.safetensors' } }, {})).rejects.toThrow('x.safetensors: cannot be')
    const upward = { weight_map: { a: '../good/model-00001-of-00002.safetensors' } }
    await expect(open('upward', upward, {})).rejects.toThrow('not the name of a .safetensors file beside it')
    await expect(open('nothing', {}, {})).rejects.toThrow('weight_map: is not an object')
  })

  it('or a folder without any', async () => {
    const at = join(folder, 'empty')
    await mkdir(at)
    await expect(openSafetensors(at)).rejects.toThrow(InputError)
    await expect(openSafetensors(at)).rejects.toThrow('has no model.safetensors and no model.safetensors.index.json')
  })
})
