/** @file SmolVLA's inputs where the golden folder has one case of several: picture shapes, ways to normalise, old checkpoints. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SafeTensor, writeSafetensors } from '../../src/formats/safetensors.ts'
import { openSafetensors } from '../../src/formats/safetensors-file.ts'
import { readSmolVlaConfig, type SmolVlaConfig } from '../../src/vla/smolvla/config.ts'
import { preparePicture, prepareState, readScalings, restore } from '../../src/vla/smolvla/preprocess.ts'

const grey = (width: number, height: number, value = 255) => ({
  width,
  height,
  data: new Uint8Array(3 * width * height).fill(value),
})

/** Red channel as rows. */
const red = (picture: Float32Array, size: number) =>
  Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => picture[3 * (size * y + x)]!))

describe('preparePicture', () => {
  it('puts black above a wide picture and left of a tall one', () => {
    expect(red(preparePicture(grey(8, 4), 4), 4)).toEqual([
      [-1, -1, -1, -1],
      [-1, -1, -1, -1],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ])
    expect(red(preparePicture(grey(4, 8), 4), 4)).toEqual(Array.from({ length: 4 }, () => [-1, -1, 1, 1]))
  })

  it('cuts the fraction of a size: 480 x 640 becomes 384 x 512 under 128 black rows', () => {
    const rows = red(preparePicture(grey(640, 480), 512), 512)
    expect(rows.findIndex((row) => row[0] === 1)).toBe(128)
    const odd = red(preparePicture(grey(7, 3), 4), 4) // 4 x trunc(3 / 1.75) = 4 x 1
    expect(odd.map(([first]) => first)).toEqual([-1, -1, -1, 1])
  })

  it('interpolates between pixel centres without antialiasing, and keeps a picture of the right size', () => {
    const ramp = { width: 8, height: 2, data: new Uint8Array(48) }
    for (let i = 0; i < 16; i++) ramp.data[3 * i] = (i % 8) * 30
    // pixel i of 4 lies at 2 i + 0.5 of 8: the mean of 2 i and 2 i + 1
    const want = [15, 75, 135, 195].map((value) => Math.fround((2 * value) / 255 - 1))
    const [last] = red(preparePicture(ramp, 4), 4).slice(-1)
    for (const [i, value] of last!.entries()) expect(value).toBeCloseTo(want[i]!, 6)
    const same = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) }
    const kept = [...preparePicture(same, 2)]
    for (const [i, value] of kept.entries()) expect(value).toBeCloseTo((2 * 20 * i) / 255 - 1, 6)
  })
})

describe('state', () => {
  const folder = resolve(import.meta.dirname, '../fixtures/smolvla')
  const vector = (...data: number[]): SafeTensor => ({
    dtype: 'F32',
    shape: [data.length],
    data: Float32Array.from(data),
  })
  let copy = ''
  let config: SmolVlaConfig
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'duet-preprocess-'))
    config = (await readSmolVlaConfig(folder)).config
  })
  afterAll(() => rm(copy, { recursive: true, force: true }))

  async function scalings(mode: string, statistics: Record<string, SafeTensor>) {
    const target = join(copy, mode)
    await cp(folder, target, { recursive: true })
    await writeSafetensors(join(target, 'policy_preprocessor_step_5_normalizer_processor.safetensors'), statistics)
    const weights = await openSafetensors(target)
    const found = await readScalings(target, { ...config, normalisation: { STATE: mode, ACTION: mode } }, weights)
    await weights.close()
    return found
  }

  it('is raw where the width is not that of the statistics, and cut or padded', async () => {
    const { state } = await scalings('MEAN_STD', {
      'observation.state.mean': vector(1, 2),
      'observation.state.std': vector(2, 4),
    })
    expect([...prepareState(Float32Array.of(3, 10), state, 4)]).toEqual([1, 2, 0, 0])
    expect([...prepareState(Float32Array.of(3, 10, 5), state, 2)]).toEqual([3, 10])
    expect([...restore(Float32Array.of(1, 2), state)]).toEqual([3, 10])
  })

  it.each([
    ['MIN_MAX', 'min', 'max'],
    ['QUANTILES', 'q01', 'q99'],
  ])('%s maps %s to -1 and %s to 1', async (mode, low, high) => {
    const { state } = await scalings(mode, {
      [`observation.state.${low}`]: vector(-1, 0),
      [`observation.state.${high}`]: vector(3, 10),
    })
    expect([...prepareState(Float32Array.of(-1, 10), state, 2)]).toEqual([-1, 1])
    expect([...prepareState(Float32Array.of(1, 2.5), state, 2)]).toEqual([0, -0.5])
  })

  it('is raw for IDENTITY, and an unknown mode is refused', async () => {
    const { state } = await scalings('IDENTITY', {})
    expect(state).toBeUndefined()
    await expect(scalings('LOG', {})).rejects.toThrow(/normalization_mapping of observation\.state: is LOG/)
  })

  it('finds the statistics of old checkpoints among the weights', async () => {
    const target = join(copy, 'old')
    await cp(folder, target, { recursive: true })
    await rm(join(target, 'policy_preprocessor.json'))
    const file = join(target, 'old.safetensors')
    await writeSafetensors(file, {
      'normalize_inputs.so100.buffer_observation_state.mean': vector(1, 1),
      'normalize_inputs.so100.buffer_observation_state.std': vector(2, 4),
      'unnormalize_outputs.so100.buffer_action.mean': vector(9, 9),
    })
    const weights = await openSafetensors(file)
    const { state, action } = await readScalings(target, config, weights)
    await weights.close()
    expect([...prepareState(Float32Array.of(3, 5), state, 2)]).toEqual([1, 1])
    expect(action).toBeUndefined()
  })
})
