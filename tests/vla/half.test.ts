/** @file Encoders whose products are in half precision: near to f32, told apart from it, and given up where halves do not reach. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { input, matmul, stored } from '../../src/graph/index.ts'
import type { EncoderInput } from '../../src/vla/encoder.ts'
import { Compiler } from '../../src/vla/int8/compiler.ts'
import { cosine } from '../../src/vla/int8/measure.ts'
import { drawnPicture } from '../../src/vla/int8/pictures.ts'
import { openEncoder } from '../../src/vla/open.ts'

const KINDS = { octo: ['primary', 'wrist'], smolvla: ['camera1', 'camera2'] } as const

describe('an encoder in f16', () => {
  it.each(['octo', 'smolvla'] as const)('is near to itself in f32, and says that it is not: %s', async (name) => {
    const cameras = KINDS[name]
    const folder = resolve(import.meta.dirname, '../fixtures', name)
    const frame: EncoderInput = {
      images: Object.fromEntries(cameras.map((camera, i) => [camera, drawnPicture(128, i)])),
      proprio: new Float32Array(6),
      instruction: 'pick up the bolt',
    }
    const plain = await openEncoder(name, { folder, cameras })
    const halves = await openEncoder(name, { folder, cameras, precision: 'f16' })
    const [[wanted], [got]] = [await plain.encode([frame]), await halves.encode([frame])]
    expect(cosine(got!.h, wanted!.h)).toBeGreaterThan(0.99999)
    expect(got!.h).not.toEqual(wanted!.h)
    expect([plain.description.half, halves.description.half]).toEqual([undefined, true])
    expect(halves.description.hash).toBe(plain.description.hash)
    expect(halves.description.notes).toContainEqual(expect.stringMatching(/^precision: f16 gains nothing on a CPU/))
    await Promise.all([plain.close(), halves.close()])
  })

  it('whose numbers leave the range of halves is in f32, with a word', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'duet-half-'))
    const path = join(folder, 'weights')
    writeFileSync(path, new Uint8Array(Float32Array.of(2, 7e4).buffer))
    const traced = {
      name: 'a product',
      outputs: { y: matmul(input('x', [1, 2]), stored({ path, offset: 0, dtype: 'F32' }, [2, 1])) },
      threads: 1,
    }
    const compiler = new Compiler('f16', 'abc', { device: 'cuda' })
    const program = await compiler.compile(traced, async () => [{ x: [1, 1] }])
    program.set('x', [1, 1])
    await program.run()
    expect([...program.outputs.y!]).toEqual([70_002])
    expect(compiler.half).toBeUndefined()
    expect(compiler.notes).toEqual(['precision: a product has numbers beyond the range of f16: f32 is used'])
    await program.release()
    rmSync(folder, { recursive: true })
  })
})
