/** @file ResNet-10's published sizes, its place beside another encoder, and what is refused. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RESNET10, resnetPlan } from '../../src/nets/resnet10.ts'
import type { EncoderInput, VlaEncoder } from '../../src/vla/encoder.ts'
import { ResNetEncoder } from '../../src/vla/resnet10/encoder.ts'
import { loadResNet10 } from '../../src/vla/resnet10/weights.ts'
import { readGolden, relativeError } from './golden/compare.ts'

const golden = resolve(import.meta.dirname, '../fixtures/resnet10')
const pickle = join(golden, 'resnet10_params.pkl')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duet-resnet10-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Another encoder: h counts the inputs. */
const inner = (): VlaEncoder & { closed: boolean } => ({
  closed: false,
  description: {
    name: 'other',
    cameras: ['wrist', 'front'],
    imageSize: 64,
    embeddingWidth: 1,
    featureShape: [2, 1, 1, 1],
    licence: 'MIT',
    source: 'a test',
    hash: 'abc',
  },
  encode: async (inputs) => inputs.map((_, i) => ({ h: Float32Array.of(i), features: new Float32Array(2) })),
  async close() {
    this.closed = true
  },
})

describe('the published sizes', () => {
  it('have 4,905,792 parameters in 36 tensors', () => {
    const plan = Object.values(resnetPlan(RESNET10))
    expect(plan.length).toBe(36)
    expect(plan.reduce((total, shape) => total + shape.reduce((a, b) => a * b), 0)).toBe(4_905_792)
  })

  it('have the names and shapes of the file', () => {
    const plan = resnetPlan(RESNET10)
    expect(plan['conv_init/kernel']).toEqual([7, 7, 3, 64])
    expect(plan['ResNetBlock_0/Conv_0/kernel']).toEqual([3, 3, 64, 64])
    expect(plan['ResNetBlock_0/conv_proj/kernel']).toBeUndefined()
    expect(plan['ResNetBlock_3/Conv_0/kernel']).toEqual([3, 3, 256, 512])
    expect(plan['ResNetBlock_3/conv_proj/kernel']).toEqual([1, 1, 256, 512])
    expect(plan['ResNetBlock_3/norm_proj/bias']).toEqual([512])
  })
})

describe('beside another encoder', () => {
  it('keeps its h, and gives the maps of its cameras in their order', async () => {
    const encoder = await ResNetEncoder.load(inner(), { path: pickle, size: 64, threads: 1 })
    expect(encoder.description).toMatchObject({
      name: 'other + resnet10',
      embeddingWidth: 1,
      featureShape: [2, 2, 2, 64],
    })
    const { data, shape } = (await readGolden(join(golden, 'inputs.safetensors'))).image!
    const want = (await readGolden(join(golden, 'expected.safetensors'))).features!
    const [, height, width] = shape as [number, number, number]
    const image = (i: number) => ({
      ...{ width, height },
      data: Uint8Array.from(data.subarray(i * height * width * 3, (i + 1) * height * width * 3)),
    })
    const input = (front: number, wrist: number): EncoderInput => ({
      images: { front: image(front), wrist: image(wrist), other: image(0) },
      proprio: new Float32Array(0),
      instruction: '',
    })
    const [first, second] = await encoder.encode([input(0, 1), input(2, 0)])
    expect([first!.h[0], second!.h[0]]).toEqual([0, 1])
    const length = want.data.length / 3
    const map = (i: number) => ({ ...want, data: want.data.subarray(i * length, (i + 1) * length) })
    for (const [features, order] of [
      [first!.features, [1, 0]],
      [second!.features, [0, 2]],
    ] as const)
      for (const [camera, picture] of order.entries())
        expect(relativeError(features.subarray(camera * length, (camera + 1) * length), map(picture))).toBeLessThan(
          5e-5,
        )
    await expect(encoder.encode([{ ...input(0, 1), images: { front: image(0) } }])).rejects.toThrow(
      'images.wrist: is missing',
    )
    await encoder.close()
  })

  it('closes it too, also when its own file is refused', async () => {
    const other = inner()
    await (await ResNetEncoder.load(other, { path: pickle, size: 64, threads: 1 })).close()
    expect(other.closed).toBe(true)
    const another = inner()
    await expect(ResNetEncoder.load(another, { path: join(folder, 'absent.pkl') })).rejects.toThrow('cannot be read')
    expect(another.closed).toBe(true)
  })
})

describe('refusal', () => {
  it('names what is damaged or foreign', async () => {
    const bytes = await readFile(pickle)
    const path = join(folder, 'bad.pkl')
    await writeFile(path, bytes.subarray(0, bytes.length - 100))
    await expect(loadResNet10(path)).rejects.toThrow('It is cut short or damaged')
    const renamed = Buffer.from(bytes)
    renamed.write('norm_inot', bytes.indexOf('norm_init'))
    await writeFile(path, renamed)
    await expect(loadResNet10(path)).rejects.toThrow('has no tensor "norm_init/scale"')
    const foreign = Buffer.from(bytes)
    foreign.write('conv_extra1', bytes.indexOf('output_head'))
    await writeFile(path, foreign)
    await expect(loadResNet10(path)).rejects.toThrow('"conv_extra1/bias": is not part of a ResNet-10')
    foreign.write('action_head', bytes.indexOf('output_head')) // of a finetune: nobody reads it
    await writeFile(path, foreign)
    expect((await loadResNet10(path)).sizes.filters).toBe(8)
  })
})
