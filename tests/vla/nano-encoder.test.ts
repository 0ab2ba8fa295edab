/** @file The nano encoder's promises, on small random weights: shapes, batches, language, errors, files. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initialise } from '../../src/nets/parameters.ts'
import { RandomStream } from '../../src/random/stream.ts'
import type { Channel, Role } from '../../src/robot/channels.ts'
import { DEFAULT_OPTIONS } from '../../src/robots/workcell/options.ts'
import { specOf } from '../../src/robots/workcell/spec.ts'
import type { EncoderInput, Encoding } from '../../src/vla/encoder.ts'
import { pairChannels } from '../../src/vla/nano/channels.ts'
import { NANO_SIZES, type NanoConfig } from '../../src/vla/nano/config.ts'
import { NanoEncoder } from '../../src/vla/nano/encoder.ts'
import { nanoLayout } from '../../src/vla/nano/model.ts'
import { loadNano, NANO_FOLDER, saveNano } from '../../src/vla/nano/weights.ts'

const config: NanoConfig = {
  ...NANO_SIZES,
  imageSize: 64,
  width: 32,
  layers: 2,
  heads: 2,
  mlpWidth: 64,
  stemWidths: [8, 8, 16],
  vocabulary: ['lift', 'the', 'bolt'],
  buckets: 4,
  proprio: { mean: [0.5, 0, 0], deviation: [0.1, 1, 2] },
}

function randomWeights(seed = 1) {
  const values: Record<string, Float32Array> = {}
  const layout = nanoLayout(config)
  for (const [name, { shape }] of Object.entries(layout))
    values[name] = new Float32Array(shape.reduce((a, b) => a * b, 1))
  initialise(layout, (name) => values[name]!, new RandomStream(seed, 'initialisation'))
  return values
}

const random = new RandomStream(3, 'test')
const anImage = (size = 64) => ({
  width: size,
  height: size,
  data: Uint8Array.from({ length: 3 * size * size }, () => random.integer(256)),
})
const anInput = (change: Partial<EncoderInput> = {}): EncoderInput => ({
  images: { front: anImage(), wrist: anImage() },
  proprio: Float32Array.of(0.4, 0.3, -1),
  instruction: 'lift the bolt',
  ...change,
})

const asOne = (encodings: Encoding[]) => encodings as [Encoding]

/** Largest difference of two encodings' entries. */
const difference = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)))

describe('of a robot that tells other channels', () => {
  const channel = (name: string, role?: Role): Channel => ({ name, unit: '1', role })
  const named: NanoConfig = { ...config, proprio: { ...config.proprio, channels: ['position.x', 'grip', 'torque'] } }
  const values = randomWeights()

  it('the encoder reads them by what they mean, in its own order; what is missing is as on average, and is said', async () => {
    const own = new NanoEncoder({ config, values, hash: 'test' })
    const channels = [channel('joint'), channel('hand', 'grip'), channel('tool', 'position.x')]
    const other = new NanoEncoder({ config: named, values, hash: 'test' }, { channels })
    const input = anInput()
    const [expected] = await own.encode([{ ...input, proprio: Float32Array.of(0.4, -1, 0) }])
    const [paired] = await other.encode([{ ...input, proprio: Float32Array.of(9, -1, 0.4) }])
    expect(difference(paired!.h, expected!.h)).toBe(0)
    expect(other.description.notes).toEqual([expect.stringMatching(/does not tell torque$/)])
    await own.close()
    await other.close()
  })

  it('without names the number has to be right', () => {
    const channels = [channel('one'), channel('two')]
    expect(() => new NanoEncoder({ config, values, hash: 'test' }, { channels })).toThrow(
      /has 2 entries, the weights expect 3/,
    )
  })

  it('the shipped one reads those of the workcell as they come', async () => {
    const { proprio } = (await loadNano(NANO_FOLDER)).config
    expect(pairChannels(proprio, specOf(DEFAULT_OPTIONS).channels)).toBeUndefined()
  })
})

describe('NanoEncoder', () => {
  const values = randomWeights()
  const encoder = new NanoEncoder({ config, values, hash: 'test' })
  afterAll(() => encoder.close())

  it('gives h and features of the described sizes, finite', async () => {
    const [{ h, features }] = asOne(await encoder.encode([anInput()]))
    expect(encoder.description.featureShape).toEqual([2, 2, 2, 32])
    expect(h.length).toBe(encoder.description.embeddingWidth)
    expect(features.length).toBe(2 * 2 * 2 * 32)
    expect([...h, ...features].every(Number.isFinite)).toBe(true)
  })

  it('norms each feature token: mean 0 and variance 1 at the initial scale', async () => {
    const [{ features }] = asOne(await encoder.encode([anInput()]))
    for (let token = 0; token < 8; token++) {
      const row = [...features.subarray(32 * token, 32 * (token + 1))]
      const mean = row.reduce((a, b) => a + b) / 32
      expect(mean).toBeCloseTo(0, 4)
      expect(row.reduce((a, b) => a + (b - mean) ** 2, 0) / 32).toBeCloseTo(1, 3)
    }
  })

  it('encodes each row of a batch as if it were alone, beyond its largest batch too', async () => {
    const inputs = Array.from({ length: 35 }, (_, i) => anInput({ instruction: i % 2 ? 'lift the bolt' : 'push it' }))
    const together = await encoder.encode(inputs)
    expect(together.length).toBe(35)
    for (const i of [0, 3, 34]) {
      const [alone] = await encoder.encode([inputs[i]!])
      expect(difference(alone!.h, together[i]!.h)).toBeLessThan(1e-4)
      expect(difference(alone!.features, together[i]!.features)).toBeLessThan(1e-4)
    }
    expect(difference(together[0]!.h, together[1]!.h)).toBeGreaterThan(0.01)
  })

  it('keeps concurrent calls apart', async () => {
    const [a, b] = [anInput(), anInput()]
    const [[first], [second]] = await Promise.all([encoder.encode([a]), encoder.encode([b])])
    const [again] = await encoder.encode([a])
    expect(difference(again!.h, first!.h)).toBe(0)
    expect(difference(first!.h, second!.h)).toBeGreaterThan(0.01)
  })

  it('lets the instruction move h but not the visual features', async () => {
    const input = anInput()
    const [lift, push] = await encoder.encode([input, { ...input, instruction: 'push the box' }])
    expect(difference(lift!.h, push!.h)).toBeGreaterThan(0.05)
    expect(difference(lift!.features, push!.features)).toBe(0)
  })

  it('carries the mean of the word embeddings in the second half of h', async () => {
    const [{ h }] = asOne(await encoder.encode([anInput({ instruction: 'the bolt' })]))
    const table = values['words.table']!
    const expected = Float32Array.from({ length: 32 }, (_, i) => (table[32 * 2 + i]! + table[32 * 3 + i]!) / 2)
    expect(difference(h.subarray(32), expected)).toBeLessThan(1e-6)
  })

  it('sees both cameras and the proprioception', async () => {
    const input = anInput()
    const changed = [
      { ...input, images: { ...input.images, front: anImage() } },
      { ...input, images: { ...input.images, wrist: anImage() } },
      { ...input, proprio: Float32Array.of(0.6, 0.3, -1) },
    ]
    const [base, ...others] = await encoder.encode([input, ...changed])
    for (const other of others) {
      expect(difference(base!.h.subarray(0, 32), other.h.subarray(0, 32))).toBeGreaterThan(1e-3)
      expect(difference(base!.features, other.features)).toBeGreaterThan(1e-3)
    }
  })

  it('standardises the proprioception by the stored statistics', async () => {
    // Another unit (mean and deviation doubled, input doubled) must not change anything.
    const doubled = { mean: [1, 0, 0], deviation: [0.2, 2, 4] }
    const other = new NanoEncoder({ config: { ...config, proprio: doubled }, values, hash: 'test' })
    const input = anInput()
    const [a] = await encoder.encode([input])
    const [b] = await other.encode([{ ...input, proprio: input.proprio.map((x) => 2 * x) }])
    await other.close()
    expect(difference(a!.h, b!.h)).toBeLessThan(1e-4)
  })

  it('names what is missing or has the wrong size', async () => {
    const { front } = anInput().images
    await expect(encoder.encode([anInput({ images: { front: front! } })])).rejects.toThrow(
      'nano encoder, images.wrist: is missing (there are: front)',
    )
    await expect(encoder.encode([anInput({ images: { front: front!, wrist: anImage(32) } })])).rejects.toThrow(
      'images.wrist: is 32 x 32',
    )
    await expect(encoder.encode([anInput({ proprio: new Float32Array(5) })])).rejects.toThrow(
      'proprio: has 5 entries, the weights expect 3',
    )
  })
})

describe('saveNano and loadNano', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nano-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('bring weights back to half precision, with a hash that follows them', async () => {
    const values = randomWeights()
    await saveNano(folder, config, values)
    const loaded = await loadNano(folder)
    expect(loaded.config).toEqual(config)
    for (const [name, data] of Object.entries(values)) {
      const bound = Math.max(...data.map(Math.abs)) * 2 ** -11 // half of a unit in the last place
      expect(difference(loaded.values[name]!, data), name).toBeLessThanOrEqual(bound)
    }
    await saveNano(folder, config, randomWeights(2))
    expect((await loadNano(folder)).hash).not.toBe(loaded.hash)
  })

  it('say which file does not fit', async () => {
    await expect(loadNano(join(folder, 'nowhere'))).rejects.toThrow('config.json: cannot be read')
    await saveNano(folder, config, randomWeights())
    const path = join(folder, 'config.json')
    const good = await readFile(path, 'utf8')
    await writeFile(path, good.replace('"width": 32', '"width": 16'))
    await expect(loadNano(folder)).rejects.toThrow(/words\.table is \[8,32\], expected \[8,16\]/)
    await writeFile(path, good.replace('"layers"', '"depth"'))
    await expect(loadNano(folder)).rejects.toThrow('config.json')
  })
})
