/** @file Weights that stay in their file: read at their offset, widened exactly, from any folders of a disk. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { add, compile, input, matmul, type Storage, stored, swapLast } from '../../src/graph/index.ts'

describe('stored', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'duet-stored-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const write = async (name: string, offset: number, data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), Buffer.concat([Buffer.alloc(offset, 0xff), bytes, Buffer.alloc(7, 0xff)]))
    return join(folder, name)
  }

  // bit patterns by hand: 1, -2, 0.5, 3 as halves, and 1, -2, 0.5, 3.140625 as bfloat16
  const cases: [Storage['dtype'], ArrayBufferView, number[]][] = [
    ['F32', Float32Array.of(1, -2, 0.5, 1e-30), [1, -2, 0.5, Math.fround(1e-30)]],
    ['F16', Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4200), [1, -2, 0.5, 3]],
    ['BF16', Uint16Array.of(0x3f80, 0xc000, 0x3f00, 0x4049), [1, -2, 0.5, 3.140625]],
  ]
  for (const [dtype, data, expected] of cases)
    it(`reads ${dtype} at any offset, as often as a graph asks`, async () => {
      const path = await write(`weights.${dtype}`, 13, data)
      const weight = stored({ path, offset: 13, dtype }, [2, 2])
      const x = input('x', [1, 2])
      const program = await compile({
        name: 'stored',
        outputs: { plain: add(weight, 0), product: matmul(x, swapLast(weight)) },
        threads: 1,
      })
      program.set('x', [2, 4])
      await program.run()
      const [a, b, c, d] = expected as [number, number, number, number]
      expect([...program.outputs.plain!]).toEqual(expected)
      expect([...program.outputs.product!]).toEqual([2 * a + 4 * b, 2 * c + 4 * d].map(Math.fround))
      await program.release()
    })

  it('adds up weights of several folders, beside and below each other', async () => {
    const leaf = async (name: string, ...values: number[]) =>
      stored({ path: await write(name, 0, Float32Array.from(values)), offset: 0, dtype: 'F32' }, [2])
    const [a, b, c] = await Promise.all([
      leaf('base/weights', 1, 2),
      leaf('fine tune #1/weights', 10, 20),
      leaf('fine tune #1/deep/w', 100, 200),
    ])
    const program = await compile({ name: 'several', outputs: { y: add(add(a, b), c) }, threads: 1 })
    await program.run()
    expect([...program.outputs.y!]).toEqual([111, 222])
    await program.release()
  })

  it('refuses a range beyond the file', async () => {
    const path = await write('short', 0, Float32Array.of(1, 2))
    const beyond = stored({ path, offset: 12, dtype: 'F32' }, [2])
    await expect(compile({ name: 'beyond', outputs: { y: add(beyond, 0) } })).rejects.toThrow()
  })
})
