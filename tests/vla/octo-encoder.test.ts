/** @file Octo behind the encoder's interface: h from the golden folder, cameras, resizing, and files that are refused. */
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { compile, input } from '../../src/graph/index.ts'
import type { EncoderInput, Encoding } from '../../src/vla/encoder.ts'
import { parseOctoConfig } from '../../src/vla/octo/config.ts'
import { OctoEncoder } from '../../src/vla/octo/encoder.ts'
import { octo } from '../../src/vla/octo/model.ts'
import { octoPlan, pictureSize } from '../../src/vla/octo/plan.ts'
import { resizeLanczos } from '../../src/vla/octo/resize.ts'
import { ALL_PRESENT, presence, sequenceOf } from '../../src/vla/octo/sequence.ts'
import { openOcto } from '../../src/vla/octo/weights.ts'
import { T5_PUBLISHED } from '../../src/vla/t5/config.ts'
import { type Golden, readGolden, relativeError } from './golden/compare.ts'

const TOLERANCE = 5e-5
const folder = resolve(import.meta.dirname, '../fixtures/octo')
const golden = await readGolden(join(folder, 'expected.safetensors'))
const inputs = await readGolden(join(folder, 'inputs.safetensors'))
const readJson = async (...path: string[]) => JSON.parse(await readFile(join(folder, ...path), 'utf8'))
const { texts } = (await readJson('inputs.json')) as { texts: string[] }

/** The last frame of sample `index`, which is what the tensor `w1.h` was made from. */
function lastFrame(camera: string, index: number) {
  const { shape, bytes } = inputs[`image_${camera}`]!
  const [, window, height, width] = shape as [number, number, number, number]
  const frame = 3 * height * width
  const from = (index * window + window - 1) * frame
  return { height, width, data: bytes.slice(from, from + frame) }
}
const anInput = (index: number): EncoderInput => ({
  images: { primary: lastFrame('primary', index), wrist: lastFrame('wrist', index) },
  proprio: new Float32Array(17),
  instruction: texts[index]!,
})
const wanted = (index: number): Golden => {
  const { data, shape } = golden['w1.h']!
  return { ...golden['w1.h']!, data: data.slice(index * shape[1]!, (index + 1) * shape[1]!) }
}
const only = (encodings: Encoding[]) => encodings[0]!
const load = (changes: Partial<Parameters<typeof OctoEncoder.load>[0]> = {}) =>
  OctoEncoder.load({ folder, cameras: ['primary', 'wrist'], threads: 1, ...changes })

/** Our graph of sample 0 with every camera in the sequence, of which only some are marked as there. */
async function byHand(images: EncoderInput['images'], camera: (name: string) => boolean) {
  const { config, parameters, tokens, close } = await openOcto(folder)
  const sequence = sequenceOf(
    config,
    ['primary', 'wrist'].map((name) => ({ name, tokens: tokens[name]! })),
    1,
  )
  const size = (camera: string) => pictureSize(tokens[camera]!)
  const pictures = Object.fromEntries(
    ['primary', 'wrist'].map((camera) => [camera, input(camera, [1, 1, size(camera), size(camera), 3])]),
  )
  const language = input('language', [1, config.words, config.language.width])
  const present = input('present', [1, sequence.length])
  const model = octo(parameters, config, sequence, { pictures, language, present })
  const program = await compile({ name: 'by hand', outputs: { h: model.h, out: model.out }, threads: 1 })
  for (const camera of ['primary', 'wrist']) program.set(camera, images[camera]!.data)
  const said = golden['language.t5']!
  program.set('language', said.data.slice(0, said.data.length / 2))
  program.set('present', presence(sequence, { ...ALL_PRESENT, steps: [true], camera }))
  await program.run()
  const { h, out } = { h: program.outputs.h!.slice(), out: program.outputs.out!.slice() }
  await program.release()
  await close()
  return { h, out, sequence }
}

describe('OctoEncoder', () => {
  let encoder: OctoEncoder
  beforeAll(async () => {
    encoder = await load()
  })
  afterAll(() => encoder.close())

  it('gives the reference h of one frame, for each instruction, and describes it', async () => {
    const encodings = await encoder.encode([anInput(0), anInput(1)])
    for (const [index, { h }] of encodings.entries()) expect(relativeError(h, wanted(index))).toBeLessThan(TOLERANCE)
    expect(encoder.description.embeddingWidth).toBe(48)
    expect(encoder.description.featureShape).toEqual([2, 2, 2, 48])
  })

  it('gives the means of square blocks of picture tokens as features, camera by camera', async () => {
    const { features } = only(await encoder.encode([anInput(0)]))
    const { out, sequence } = await byHand(anInput(0).images, () => true)
    const wanted = ['primary', 'wrist'].flatMap((camera) => {
      const { from, count } = sequence.spans.find(({ group }) => typeof group === 'object' && group.camera === camera)!
      const side = Math.sqrt(count)
      const means = new Array<number>(2 * 2 * 48).fill(0)
      for (let token = 0; token < count; token++) {
        const cell = 2 * Math.floor((2 * Math.floor(token / side)) / side) + Math.floor((2 * (token % side)) / side)
        for (let i = 0; i < 48; i++) means[48 * cell + i]! += out[48 * (from + token) + i]! / (count / 4)
      }
      return means
    })
    expect(relativeError(features, { ...golden.h!, data: Float32Array.from(wanted) })).toBeLessThan(TOLERANCE)
  })

  it('leaves a camera that the robot lacks out, which is the same as masking it', async () => {
    const oneEyed = await load({ cameras: ['front'] })
    expect(oneEyed.description.cameras).toEqual(['front'])
    const { images, ...rest } = anInput(0)
    const { h } = only(await oneEyed.encode([{ ...rest, images: { front: images.primary! } }]))
    await oneEyed.close()

    const masked = await byHand(images, (name) => name === 'primary')
    expect(relativeError(h, { ...wanted(0), data: masked.h })).toBeLessThan(TOLERANCE)
    expect(relativeError(h, wanted(0))).toBeGreaterThan(10 * TOLERANCE)
  })

  it('computes once what depends on the instruction alone', async () => {
    const compiled = vi.spyOn(ort.InferenceSession, 'create')
    const said = (instruction: string) => encoder.encode([{ ...anInput(0), instruction }])
    const [first] = await said('something new')
    expect(compiled).toHaveBeenCalledTimes(2) // T5, and the tokens that nothing of a frame changes
    const [again] = await said('something new')
    expect(compiled).toHaveBeenCalledTimes(2)
    expect(again).toEqual(first)
    compiled.mockRestore()
  })

  it('takes pictures of any size', async () => {
    const { images, ...rest } = anInput(0)
    const large = { width: 80, height: 60, data: new Uint8Array(3 * 80 * 60).fill(90) }
    const { h } = only(await encoder.encode([{ ...rest, images: { ...images, primary: large } }]))
    expect(h.every(Number.isFinite)).toBe(true)
  })
})

/** From a matrix form of the resampling (as jax.image has it) in numpy: this 7 x 5 picture at 4 x 4 and, in part, at 9 x 9. */
const RESIZED_TO_4 = [
  ...[57, 105, 159, 131, 147, 116, 109, 161, 150, 133, 174, 96, 97, 155, 165, 116, 123, 134, 128, 155, 138, 121, 91],
  ...[98, 136, 135, 140, 71, 102, 182, 149, 105, 147, 81, 173, 25, 181, 137, 211, 139, 103, 110, 76, 155, 194, 133],
  ...[148, 165],
]
const RESIZED_TO_9 = [0, 47, 95, 42, 90, 174, 156, 230, 119, 142, 231, 15, 14, 65, 106, 67, 101, 240, 187, 255, 117]

describe('resizeLanczos', () => {
  const picture = { width: 7, height: 5, data: new Uint8Array(3 * 7 * 5) }
  for (let y = 0; y < 5; y++)
    for (let x = 0; x < 7; x++)
      for (let c = 0; c < 3; c++)
        picture.data[3 * (7 * y + x) + c] = (37 * y + 91 * x + 53 * c + ((y * x * c) % 17) * 9) % 256

  it('shrinks with antialiasing and grows with clipping, as the reference', () => {
    expect([...resizeLanczos(picture, 4)]).toEqual(RESIZED_TO_4)
    expect([...resizeLanczos(picture, 9)].slice(0, RESIZED_TO_9.length)).toEqual(RESIZED_TO_9)
  })

  it('leaves a picture of the right size as it is', () => {
    const square = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) }
    expect(resizeLanczos(square, 2)).toEqual(square.data)
  })
})

describe('Octo files', () => {
  let copy = ''
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'duet-octo-'))
  })
  afterAll(() => rm(copy, { recursive: true, force: true }))

  it('plans the 136,670,604 parameters of the published octo-small 1.5', async () => {
    const config = await readJson('config.json')
    const { model } = config
    for (const tokenizer of Object.values(model.observation_tokenizers) as { kwargs: { encoder: object } }[])
      Object.assign(tokenizer.kwargs.encoder, { kwargs: {} })
    Object.assign(model, { token_embedding_size: 384, max_horizon: 10 })
    Object.assign(model.transformer_kwargs, { num_layers: 12, mlp_dim: 1536, num_attention_heads: 6 })
    for (const key of ['time_dim', 'num_blocks', 'hidden_dim']) delete model.heads.action.kwargs[key]
    const t5 = {
      model_type: 't5',
      d_model: 768,
      d_kv: 64,
      d_ff: 3072,
      num_layers: 12,
      num_heads: 12,
      vocab_size: 32128,
    }
    const sizes = parseOctoConfig(config, t5, 'octo-small')
    expect(sizes.language).toEqual(T5_PUBLISHED['t5-base'])
    const plan = octoPlan(sizes, { primary: 256, wrist: 64 })
    const count = (keep: (name: string) => boolean) =>
      Object.entries(plan).reduce((sum, [name, shape]) => sum + (keep(name) ? shape.reduce((a, b) => a * b, 1) : 0), 0)
    expect(count(() => true)).toBe(136_670_604)
    expect(count((name) => name.includes('hf_model'))).toBe(109_628_544)
    expect(count((name) => name.startsWith('heads_'))).toBe(1_703_564)
  })

  const cases: [string, (target: string) => Promise<void>, RegExp][] = [
    ['another model', changed({ text_processor: undefined }), /config\.json: text_processor/],
    ['the shifted attention of 2023', changedModel({ use_correct_attention: false }), /before Octo 1\.5/],
    ['fewer layers than the file has', changedTransformer({ num_layers: 2 }), /encoderblock_2.*is not part of/],
    ['more layers than the file has', changedTransformer({ num_layers: 4 }), /has no tensor ".*encoderblock_3/],
    ['another width', changedTransformer({ mlp_dim: 97 }), /is \[48,96\], expected \[48,97\]/],
    [
      'the folders of newer orbax',
      async (target) => {
        await rm(join(target, '300000/default/checkpoint'))
        await mkdir(join(target, '300000/default/octo_transformer.kernel'))
      },
      /newer versions of orbax/,
    ],
    ['a checkpoint cut short', cutShort, /checkpoint/],
    ['a folder without steps', (target) => rename(join(target, '300000'), join(target, 'last')), /training step/],
  ]
  it.each(cases)('refuses %s', async (name, edit, message) => {
    const target = join(copy, name.replaceAll(' ', '-'))
    await cp(folder, target, { recursive: true })
    await edit(target)
    await expect(load({ folder: target })).rejects.toThrow(message)
  })

  function changed(edit: object | ((config: { model: { transformer_kwargs: object } }) => void)) {
    return async (target: string) => {
      const config = await readJson('config.json')
      if (typeof edit === 'function') edit(config)
      else Object.assign(config, edit)
      await writeFile(join(target, 'config.json'), JSON.stringify(config))
    }
  }
  function changedModel(edit: object) {
    return changed(({ model }) => Object.assign(model, edit))
  }
  function changedTransformer(edit: object) {
    return changed(({ model }) => Object.assign(model.transformer_kwargs, edit))
  }
  async function cutShort(target: string) {
    const path = join(target, '300000/default/checkpoint')
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, bytes.length - 1000))
  }
})
