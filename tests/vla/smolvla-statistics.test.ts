/** @file Which statistics normalise SmolVLA's state, or why none: every place and naming, and what is refused. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SafeTensor, writeSafetensors } from '../../src/formats/safetensors.ts'
import { openSafetensors } from '../../src/formats/safetensors-file.ts'
import { parseSmolVlaConfig, readSmolVlaConfig, type SmolVlaConfig } from '../../src/vla/smolvla/config.ts'
import { readPipeline } from '../../src/vla/smolvla/pipeline.ts'
import { prepareState, restore } from '../../src/vla/smolvla/preprocess.ts'
import { readNormalisation, type StatisticsChoice } from '../../src/vla/smolvla/statistics.ts'

const folder = resolve(import.meta.dirname, '../fixtures/smolvla')
const PIPELINE = 'policy_preprocessor.json'
const STATISTICS = 'policy_preprocessor_step_5_normalizer_processor.safetensors'

const vector = (...data: number[]): SafeTensor => ({
  dtype: 'F32',
  shape: [data.length],
  data: Float32Array.from(data),
})
const GOOD = { 'observation.state.mean': vector(1, 2), 'observation.state.std': vector(2, 4) }

let home = ''
let config: SmolVlaConfig
let made = 0
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'duet-statistics-'))
  config = (await readSmolVlaConfig(folder)).config
})
afterAll(() => rm(home, { recursive: true, force: true }))

type Files = {
  pipeline?: (text: string) => string | Buffer
  statistics?: Record<string, SafeTensor>
  old?: boolean // without a pipeline; statistics are among the weights
}

/** What is made of a checkpoint with these files. */
async function normalisation({ pipeline, statistics, old }: Files, choice: StatisticsChoice = {}, mode = 'MEAN_STD') {
  const target = join(home, String(made++))
  await cp(folder, target, { recursive: true })
  const [json, weights] = [join(target, PIPELINE), join(target, 'model.safetensors')]
  if (pipeline) await writeFile(json, pipeline(await readFile(json, 'utf8')))
  if (old) await rm(json)
  if (statistics) await writeSafetensors(old ? weights : join(target, STATISTICS), statistics)
  const file = await openSafetensors(weights)
  try {
    const changed = { ...config, normalisation: { STATE: mode } }
    return await readNormalisation('state', { config: changed, pipeline: await readPipeline(target), file }, choice)
  } finally {
    await file.close()
  }
}

const state = async (files: Files, choice?: StatisticsChoice, mode?: string) => {
  const { scaling, line } = await normalisation(files, choice, mode)
  return { values: [...prepareState(Float32Array.of(3, 10), scaling, 2)], line }
}

describe('statistics that are used', () => {
  it('are those of the one data set there is, and the line says where they are', async () => {
    const { values, line } = await state({ statistics: GOOD })
    expect(values).toEqual([1, 2]) // (3 - 1) / 2, (10 - 2) / 4
    expect(line).toMatch(
      /^state: normalised \(MEAN_STD\) by the statistics in .*step_5_normalizer_processor\.safetensors$/,
    )
  })

  it.each(['﻿', ' \n'])('are found behind %j at the start of the JSON', async (mark) => {
    expect((await state({ pipeline: (text) => mark + text, statistics: GOOD })).values).toEqual([1, 2])
    const utf16 = (text: string) => Buffer.from(`﻿${text}`, 'utf16le')
    expect((await state({ pipeline: utf16, statistics: GOOD })).values).toEqual([1, 2])
  })

  it("are found where Python's NaN stands in a field that nobody reads", async () => {
    const pipeline = (text: string) =>
      text.replace('"max_length": 16', '"max_length": NaN, "low": -Infinity, "words": "NaN"')
    expect((await state({ pipeline, statistics: GOOD })).values).toEqual([1, 2])
  })

  it.each([
    ['MIN_MAX', 'min', 'max'],
    ['QUANTILES', 'q01', 'q99'],
    ['QUANTILE10', 'q10', 'q90'],
  ])('%s maps %s to -1 and %s to 1', async (mode, low, high) => {
    const statistics = { [`observation.state.${low}`]: vector(-1, 0), [`observation.state.${high}`]: vector(7, 10) }
    expect((await state({ statistics }, {}, mode)).values).toEqual([0, 1])
  })

  it.each([
    'normalize_inputs.buffer_observation_state',
    'normalize_inputs.so100.buffer_observation_state',
    'normalize_inputs.so100_buffer_observation_state',
  ])('are found among the weights of old checkpoints as %s', async (name) => {
    const statistics = {
      [`${name}.mean`]: vector(1, 2),
      [`${name}.std`]: vector(2, 4),
      'unnormalize_outputs.buffer_action.mean': vector(9),
    }
    expect((await state({ old: true, statistics })).values).toEqual([1, 2])
  })

  it('may be of half or double precision, and have further axes', async () => {
    const statistics: Record<string, SafeTensor> = {
      'observation.state.mean': { dtype: 'F16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0x4000) }, // 1, 2
      'observation.state.std': { dtype: 'F64', shape: [2], data: Float64Array.of(2, 4) },
      'observation.state.count': { dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) },
      'observation.images.camera1.mean': { dtype: 'F32', shape: [3, 1, 1], data: new Float32Array(3) },
    }
    expect((await state({ statistics })).values).toEqual([1, 2])
  })

  it('say nothing by an entry that never moved, which becomes what it was in the data', async () => {
    const still = { 'observation.state.mean': vector(1, 9.99), 'observation.state.std': vector(2, 0) }
    const { values, line } = await state({ statistics: still })
    expect(values).toEqual([1, 0])
    expect(line).toMatch(/entries that never moved in the data \(1\) say nothing$/)
    const range = { 'observation.state.min': vector(-1, 9.99), 'observation.state.max': vector(7, 9.99) }
    expect((await state({ statistics: range }, {}, 'MIN_MAX')).values).toEqual([0, -1])
    const { scaling } = await normalisation({ statistics: still })
    expect([...restore(Float32Array.of(1, 5), scaling)]).toEqual([3, Math.fround(9.99)])
  })

  it("are MEAN_STD where config.json names no way, as lerobot's default has it", async () => {
    const { normalization_mapping: _, ...policy } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'))
    const vlm = JSON.parse(await readFile(join(folder, 'vlm', 'config.json'), 'utf8'))
    expect(parseSmolVlaConfig(policy, vlm, 'config').normalisation).toMatchObject({ STATE: 'MEAN_STD' })
  })

  it('say so where the two published files name different ways', async () => {
    const pipeline = (text: string) => text.replace('"STATE": "MEAN_STD"', '"STATE": "MIN_MAX"')
    const said = 'its pipeline says MIN_MAX, its config.json counts'
    expect((await state({ pipeline, statistics: GOOD })).line).toContain(said)
    expect((await state({ pipeline, statistics: GOOD }, {}, 'IDENTITY')).line).toContain(said)
  })

  it('may stand in the JSON itself', async () => {
    const stats = '"stats": {"observation.state": {"mean": [1, 2], "std": [2, 4]}}, "eps"'
    expect((await state({ pipeline: (text) => text.replace('"eps"', stats) })).values).toEqual([1, 2])
    const empty = (text: string) => text.replace('"eps"', '"stats": {}, "eps"')
    expect((await state({ pipeline: empty, statistics: GOOD })).values).toEqual([1, 2])
    const nan = (text: string) => text.replace('"eps"', stats.replace('4', 'NaN'))
    await expect(state({ pipeline: nan })).rejects.toThrow(
      /policy_preprocessor\.json, observation\.state\.std\[1\]: is NaN/,
    )
  })
})

describe('statistics of several data sets', () => {
  const named = (set: string, mean: number) => ({
    [`${set}.buffer.observation.state.mean`]: vector(mean, mean),
    [`${set}.buffer.observation.state.std`]: vector(1, 1),
    [`${set}.buffer.action.mean`]: vector(Number.POSITIVE_INFINITY),
  })
  const statistics = { ...named('arm', 1), ...named('arm-blue', 2) }

  it('are not guessed among, and chosen by name', async () => {
    const { values, line } = await state({ statistics })
    expect(values).toEqual([3, 10])
    expect(line).toMatch(/not normalised: .*those of 2 data sets \(arm, arm-blue\), choose by setting "vlaStatistics"/)
    expect((await state({ statistics }, { set: 'arm-blue' })).values).toEqual([1, 8])
    expect((await state({ statistics: named('arm', 1) })).values).toEqual([2, 9])
    await expect(state({ statistics }, { set: 'leg' })).rejects.toThrow(
      /no observation\.state of data set leg.*arm, arm-blue/,
    )
    await expect(state({ statistics: GOOD }, { set: 'leg' })).rejects.toThrow(/of no named data set/)
  })

  it.each(['lerobot/so100.buffer.', 'lerobot/so100.', 'lerobot/so100/', 'so100:', 'so100__', 'so-100.v2.1_'])(
    'are found behind %j',
    async (prefix) => {
      const buffer = prefix.endsWith('_') && !prefix.endsWith('__') ? 'buffer_' : ''
      const statistics = Object.fromEntries(
        Object.entries(GOOD).map(([name, values]) => [`${prefix}${buffer}${name}`, values]),
      )
      const { values, line } = await state({ statistics })
      expect(values).toEqual([1, 2])
      expect(line).toContain(`of data set ${prefix.replace(/(?:\.buffer\.|[./:]|_+)$/, '')} in`)
    },
  )

  it('are not those of other features with a like name', async () => {
    const others = [
      'observation.state_ee',
      'observation.states',
      'observation.environment_state',
      'observation.state.x',
    ]
    const statistics = Object.fromEntries(others.map((name) => [`${name}.mean`, vector(1, 2)]))
    expect((await state({ statistics })).line).toContain('has no statistics of observation.state')
  })

  it('give way to those without a name', async () => {
    expect((await state({ statistics: { ...statistics, ...GOOD } })).values).toEqual([1, 2])
  })
})

describe('no statistics', () => {
  const raw: [string, Files, StatisticsChoice, string, RegExp][] = [
    [
      'of another width than the robot',
      { statistics: GOOD },
      { width: 3 },
      'MEAN_STD',
      /are of 2 values, the robot's state has 3/,
    ],
    ['where none is asked for', { statistics: GOOD }, { set: 'none' }, 'MEAN_STD', /"vlaStatistics" is none/],
    ['for a policy without', { statistics: GOOD }, {}, 'IDENTITY', /trained so \(IDENTITY\)/],
    [
      'where the file has others',
      { statistics: { 'action.mean': vector(1) } },
      {},
      'MEAN_STD',
      /has no statistics of observation\.state/,
    ],
    [
      'where the JSON names no file',
      { pipeline: (text) => text.replace('"state_file"', '"other"') },
      {},
      'MEAN_STD',
      /has no statistics/,
    ],
    [
      'where the step normalises other observations',
      { pipeline: (text) => text.replace('"eps"', '"normalize_observation_keys": ["observation.x"], "eps"') },
      {},
      'MEAN_STD',
      /policy_preprocessor\.json leaves observation\.state out/,
    ],
    [
      'where the step does not know the state',
      { pipeline: (text) => text.replace(/"observation\.state"(?=: \{\s*"type")/, '"observation.joints"') },
      {},
      'MEAN_STD',
      /leaves observation\.state out/,
    ],
    ['in an old checkpoint', { old: true }, {}, 'MEAN_STD', /model\.safetensors has no statistics/],
  ]
  it.each(raw)('%s: the state goes in as it is, and the line says why', async (_, files, choice, mode, why) => {
    const { values, line } = await state(files, choice, mode)
    expect(values).toEqual([3, 10])
    expect(line).toMatch(/^state: as it is, not normalised: /)
    expect(line).toMatch(why)
  })

  it('refuses a chosen data set of another width', async () => {
    const statistics = { 'arm.observation.state.mean': vector(1, 2), 'arm.observation.state.std': vector(1, 1) }
    await expect(state({ statistics }, { set: 'arm', width: 3 })).rejects.toThrow(/vlaStatistics".*of 2 values.*has 3/)
  })
})

describe('damaged statistics', () => {
  const of = (mean: SafeTensor | undefined, std: SafeTensor | undefined): Files => ({
    statistics: {
      ...(mean && { 'observation.state.mean': mean }),
      ...(std && { 'observation.state.std': std }),
    },
  })
  const cases: [string, Files, RegExp][] = [
    [
      'a cut JSON',
      { pipeline: (text) => text.slice(0, 300), statistics: GOOD },
      /policy_preprocessor\.json: is not JSON/,
    ],
    ['an empty JSON', { pipeline: () => '', statistics: GOOD }, /policy_preprocessor\.json: is not JSON/],
    ['a NaN that is read', { pipeline: (text) => text.replace('1e-08', 'NaN') }, /steps\.5\.config: eps: .*NaN/],
    [
      'a missing file',
      { pipeline: (text) => text.replace('step_5', 'step_6') },
      /step_6_normalizer_processor\.safetensors/,
    ],
    [
      'a missing std',
      of(vector(1, 2), undefined),
      /has no std, which MEAN_STD needs \(there are: observation\.state\.mean\)/,
    ],
    ['a missing mean', of(undefined, vector(1, 2)), /has no mean/],
    [
      'placeholders',
      of(vector(Number.POSITIVE_INFINITY, 1), vector(1, 1)),
      /observation\.state\.mean\[0\]: is Infinity/,
    ],
    ['a NaN', of(vector(1, 2), vector(1, Number.NaN)), /observation\.state\.std\[1\]: is NaN/],
    ['a negative deviation', of(vector(1, 2), vector(1, -1)), /std\[1\]: is -1, no deviation/],
    [
      'two lengths',
      of(vector(1, 2), vector(1, 2, 3)),
      /2 values of observation\.state\.mean, 3 of observation\.state\.std/,
    ],
    ['nothing in them', of(vector(), vector()), /mean\[0\]: is missing/],
    [
      'a pipeline without a normaliser',
      { pipeline: (text) => text.replace('"normalizer_', '"n_') },
      /has no step normalizer/,
    ],
    [
      'two normalisers',
      { pipeline: (text) => text.replace('"device_processor"', '"normalizer_processor"') },
      /has several steps normalizer_processor/,
    ],
  ]
  it.each(cases)('with %s are refused by name', async (_, files, message) => {
    await expect(state(files)).rejects.toThrow(message)
  })

  it('are refused where the ends of a range are swapped, and where the way is unknown', async () => {
    const statistics = { 'observation.state.min': vector(0, 5), 'observation.state.max': vector(1, 4) }
    await expect(state({ statistics }, {}, 'MIN_MAX')).rejects.toThrow(/max\[1\]: is 4, observation\.state\.min is 5/)
    await expect(state({ statistics }, {}, 'LOG')).rejects.toThrow(
      /normalization_mapping of observation\.state: is LOG/,
    )
  })
})
