/** @file Octo as its users save it: finetunes on one camera and proprio with another head, and saves that were killed. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFlax } from '../../src/formats/flax-msgpack.ts'
import { compile, input } from '../../src/graph/index.ts'
import type { EncoderInput, Encoding } from '../../src/vla/encoder.ts'
import { parseOctoConfig } from '../../src/vla/octo/config.ts'
import { OctoEncoder } from '../../src/vla/octo/encoder.ts'
import { octo } from '../../src/vla/octo/model.ts'
import { octoPlan } from '../../src/vla/octo/plan.ts'
import { scaleProprio, tokensOfProprio } from '../../src/vla/octo/proprio.ts'
import { sequenceOf } from '../../src/vla/octo/sequence.ts'
import { openOcto } from '../../src/vla/octo/weights.ts'
import { flaxBytes, type Leaves } from './flax-writer.ts'
import { readGolden, relativeError } from './golden/compare.ts'

const TOLERANCE = 5e-5
const FIXTURE = resolve(import.meta.dirname, '../fixtures/octo')
const O = 'octo_transformer'
const CHECKPOINT = '300000/default/checkpoint'
const WIDTH = 48
const golden = await readGolden(join(FIXTURE, 'expected.safetensors'))
const inputs = await readGolden(join(FIXTURE, 'inputs.safetensors'))
const { texts } = JSON.parse(readFileSync(join(FIXTURE, 'inputs.json'), 'utf8')) as { texts: string[] }

type Config = {
  model: {
    observation_tokenizers: Record<string, { name: string; kwargs: Record<string, unknown> }>
    task_tokenizers: Record<string, unknown>
    heads: { action?: unknown }
    readouts: Record<string, number>
    max_horizon: number
  }
  window_size?: number
}
const published = (): Config => JSON.parse(readFileSync(join(FIXTURE, 'config.json'), 'utf8'))

let home: string
let original: Leaves
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'duet-octo-'))
  const file = await openFlax(join(FIXTURE, CHECKPOINT))
  const entries = [...file.tensors].map(async ([name, { shape }]) => [name, { shape, data: await file.read(name) }])
  original = Object.fromEntries(await Promise.all(entries))
  await file.close()
})
afterAll(() => rmSync(home, { recursive: true }))

/** The robot of the finetune has five entries. */
const ENTRIES = 5
const PROPRIO = Float32Array.of(0.3, -1.2, 2.5, 0.04, 6.5)
const STATISTICS = { mean: [0.1, -1, 2, 0, 7], std: [0.5, 0.25, 2, 0.01, 0], min: [], max: [] }

/** A few numbers that nobody trained. */
const numbers = (shape: readonly number[], seed: number) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i) / 3),
})

/** As Octo's example 02 changes config and parameters: no wrist camera, proprio, an L1 head of 50 actions of 14 entries. */
function finetune(config: Config, { bins }: { bins?: number } = {}): Leaves {
  const { model } = config
  delete model.observation_tokenizers.wrist
  model.observation_tokenizers.proprio = {
    name: 'LowdimObsTokenizer',
    kwargs: {
      n_bins: bins ?? 256,
      bin_type: 'normal',
      low: -2,
      high: 2,
      obs_keys: ['proprio'],
      discretize: bins !== undefined,
    },
  }
  model.heads.action = {
    name: 'L1ActionHead',
    kwargs: { action_horizon: 50, action_dim: 14, readout_key: 'readout_action' },
  }
  const kept = Object.entries(original).filter(([name]) => !/wrist|^heads_/.test(name))
  return {
    ...Object.fromEntries(kept),
    [`${O}/obs_proprio_projection/kernel`]: numbers([bins ?? 1, WIDTH], 1),
    [`${O}/obs_proprio_projection/bias`]: numbers([WIDTH], 2),
    [`${O}/obs_proprio_pos_embedding`]: numbers([1, model.max_horizon, ENTRIES, WIDTH], 3),
    'heads_action/mean_proj/kernel': numbers([WIDTH, 700], 4),
    'heads_action/mean_proj/bias': numbers([700], 5),
  }
}

let folders = 0
/** Writes a model's folder. */
function save(config: Config, leaves: Leaves, statistics?: unknown): string {
  const folder = join(home, `model-${folders++}`)
  mkdirSync(join(folder, '300000/default'), { recursive: true })
  cpSync(join(FIXTURE, 't5'), join(folder, 't5'), { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  writeFileSync(join(folder, CHECKPOINT), flaxBytes(leaves))
  if (statistics !== undefined)
    writeFileSync(
      join(folder, 'dataset_statistics.json'),
      typeof statistics === 'string' ? statistics : JSON.stringify(statistics),
    )
  return folder
}

function picture(camera: string) {
  const { shape, bytes } = inputs[`image_${camera}`]!
  const [, window, height, width] = shape as [number, number, number, number]
  const frame = 3 * height * width
  return { height, width, data: bytes.slice((window - 1) * frame, window * frame) }
}
const observation: EncoderInput = { images: { primary: picture('primary') }, proprio: PROPRIO, instruction: texts[0]! }

/** `notes` are those about the files; who sees what comes before them. */
async function encode(folder: string, options: Partial<Parameters<typeof OctoEncoder.load>[0]> = {}) {
  const encoder = await OctoEncoder.load({ folder, cameras: ['primary'], threads: 1, ...options })
  try {
    const { h } = (await encoder.encode([observation]))[0] as Encoding
    const { description } = encoder
    const [pairing, ...notes] = description.notes!
    expect(pairing).toMatch(/^cameras: primary sees primary \(by name\)/)
    return { h, description, notes }
  } finally {
    await encoder.close()
  }
}

/** Language, its repetition and the primary picture as our graph embeds them, which the golden files hold it to. */
async function embedded(folder: string): Promise<{ words: number[][]; picture: number[][]; readout: number[] }> {
  const { config, parameters, tokens, close } = await openOcto(folder)
  const sequence = sequenceOf(config, [{ name: 'primary', tokens: tokens.primary! }], 1)
  const [pictures, language] = [
    { primary: input('primary', [1, 1, 64, 64, 3]) },
    input('language', [1, 16, config.language.width]),
  ]
  const model = octo(parameters, config, sequence, {
    pictures,
    language,
    present: input('present', [1, sequence.length]),
  })
  const program = await compile({ name: 'tokens', outputs: { tokens: model.tokens }, threads: 1 })
  program.set('primary', picture('primary').data)
  const said = golden['language.t5']!.data
  program.set('language', said.slice(0, said.length / 2))
  await program.run()
  const rows = Array.from({ length: sequence.length }, (_, i) => [
    ...program.outputs.tokens!.slice(WIDTH * i, WIDTH * (i + 1)),
  ])
  await program.release()
  await close()
  return { words: rows.slice(0, 16), picture: rows.slice(16, 32), readout: rows.at(-1)! }
}

/** Octo’s transformer in plain loops: `groups` of tokens, language first, the readout last; one time step. Returns h. */
function inPlainLoops(weights: Leaves, groups: number[][][]): number[] {
  const get = (name: string) => weights[`${O}/BlockTransformer_0/Transformer_0/${name}`]!.data
  const prefix = groups[0]!.length
  let x = groups.flat()
  const last = x.length - 1
  const sees = (query: number, key: number) => (query < prefix ? key < prefix : key !== last || query === last)
  const linear = (row: number[], name: string) => {
    const [kernel, bias] = [get(`${name}/kernel`), get(`${name}/bias`)]
    return Array.from(bias, (b, j) => row.reduce((sum, value, i) => sum + value * kernel[i * bias.length + j]!, b))
  }
  const norm = (row: number[], name: string) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
    const [scale, bias] = [get(`${name}/scale`), get(`${name}/bias`)]
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-6)) * scale[i]! + bias[i]!)
  }
  const gelu = (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
  const [heads, size] = [4, WIDTH / 4]
  for (let layer = 0; layer < 3; layer++) {
    const block = `encoderblock_${layer}`
    const attention = `${block}/MultiHeadDotProductAttention_0`
    const rows = x.map((row) => norm(row, `${block}/LayerNorm_0`))
    const [q, k, v] = ['query', 'key', 'value'].map((which) =>
      rows.map((row) => linear(row, `${attention}/${which}`)),
    ) as [number[][], number[][], number[][]]
    const mixed = rows.map((_, query) => {
      const joined = new Array<number>(WIDTH).fill(0)
      for (let head = 0; head < heads; head++) {
        const part = Array.from({ length: size }, (_, i) => head * size + i)
        const scores = rows.map((_, key) =>
          sees(query, key)
            ? part.reduce((sum, i) => sum + q[query]![i]! * k[key]![i]!, 0) / Math.sqrt(size)
            : -Infinity,
        )
        const most = Math.max(...scores)
        const shares = scores.map((score) => Math.exp(score - most))
        const total = shares.reduce((a, b) => a + b, 0)
        for (const i of part) joined[i] = shares.reduce((sum, share, key) => sum + (share / total) * v[key]![i]!, 0)
      }
      return linear(joined, `${attention}/out`)
    })
    x = x.map((row, t) => row.map((value, i) => value + mixed[t]![i]!))
    x = x.map((row) => {
      const up = linear(norm(row, `${block}/LayerNorm_1`), `${block}/MlpBlock_0/Dense_0`).map(gelu)
      return linear(up, `${block}/MlpBlock_0/Dense_1`).map((value, i) => value + row[i]!)
    })
  }
  return norm(x[last]!, 'encoder_norm')
}

/** value x kernel + bias + position, an entry a token. */
function proprioTokens(weights: Leaves, values: readonly number[]): number[][] {
  const [kernel, bias, positions] = [
    'obs_proprio_projection/kernel',
    'obs_proprio_projection/bias',
    'obs_proprio_pos_embedding',
  ].map((name) => weights[`${O}/${name}`]!.data) as [Float32Array, Float32Array, Float32Array]
  return values.map((value, token) =>
    Array.from(bias, (b, i) => value * kernel[i]! + b + positions[token * WIDTH + i]!),
  )
}

async function expected(folder: string, weights: Leaves, values?: readonly number[]) {
  const { words, picture, readout } = await embedded(folder)
  const state = values ? [proprioTokens(weights, values)] : []
  const data = Float32Array.from(inPlainLoops(weights, [words, picture, ...state, words, [readout]]))
  return { ...golden['w1.h']!, shape: [1, WIDTH], data }
}

describe('a finetune as Octo’s own example makes it', () => {
  const NORMALISED = [0.4, -0.8, 0.25, 4, 0] // (x - mean) / std by hand; what never moved is 0

  it('gives h of language, its camera and its normalised proprio', async () => {
    const config = published()
    const leaves = finetune(config)
    const folder = save(config, leaves, { action: {}, proprio: STATISTICS, num_transitions: 20 })
    const { h, description, notes } = await encode(folder, { stateWidth: ENTRIES })
    expect(relativeError(h, await expected(folder, leaves, NORMALISED))).toBeLessThan(TOLERANCE)
    expect(relativeError(h, await expected(folder, leaves, [...PROPRIO]))).toBeGreaterThan(100 * TOLERANCE)
    expect(description.featureShape).toEqual([1, 4, 4, WIDTH])
    expect(notes).toEqual(['proprio is normalised by dataset_statistics.json.'])
  })

  it('takes proprio raw where it has no statistics of it, and says so', async () => {
    const config = published()
    const leaves = finetune(config)
    const folder = save(config, leaves, { tiny_dataset: { action: { mean: [0], std: [1] } } })
    const { h, notes } = await encode(folder)
    expect(relativeError(h, await expected(folder, leaves, [...PROPRIO]))).toBeLessThan(TOLERANCE)
    expect(notes).toEqual(['proprio is taken raw: the finetune has no statistics of it.'])
  })

  it('leaves proprio out for a robot with other entries, and says so', async () => {
    const config = published()
    const leaves = finetune(config)
    const folder = save(config, leaves, { proprio: STATISTICS })
    const { h, notes } = await encode(folder, { stateWidth: 17 })
    expect(relativeError(h, await expected(folder, leaves))).toBeLessThan(TOLERANCE)
    expect(notes).toEqual(['proprio is left out: the finetune has 5 entries, the robot 17.'])
  })

  it('has another hash with other statistics, since h is another', async () => {
    const config = published()
    const leaves = finetune(config)
    const of = async (statistics: unknown) => (await encode(save(config, leaves, statistics))).description.hash
    const hashes = [
      await of(undefined),
      await of({ proprio: STATISTICS }),
      await of({ proprio: { ...STATISTICS, mean: [0, 0, 0, 0, 0] } }),
    ]
    expect(new Set(hashes).size).toBe(3)
  })

  it('may have been trained with another horizon, and its head, window and other readouts are not asked for', async () => {
    const config = published()
    config.model.max_horizon = 1
    config.model.readouts.value = 1
    delete config.window_size
    delete config.model.heads.action
    const leaves = finetune(config)
    delete config.model.heads.action
    for (const [name, { shape, data }] of Object.entries(leaves)) {
      if (name.startsWith('heads_')) delete leaves[name]
      else if (shape.length === 4 && name.endsWith('_pos_embedding'))
        leaves[name] = { shape: [1, 1, ...shape.slice(2)], data: data.slice(0, data.length / shape[1]!) }
    }
    leaves[`${O}/readout_value_pos_embedding`] = numbers([1, 1, 1, WIDTH], 6)
    const folder = save(config, leaves, { proprio: STATISTICS })
    expect(relativeError((await encode(folder)).h, await expected(folder, leaves, NORMALISED))).toBeLessThan(TOLERANCE)
  })

  it('may keep the config of a camera that its data did not have', async () => {
    const config = published()
    const kept = config.model.observation_tokenizers.wrist!
    const leaves = finetune(config)
    config.model.observation_tokenizers.wrist = kept
    const { notes } = await encode(save(config, leaves, { proprio: STATISTICS }), { cameras: ['primary', 'wrist'] })
    expect(notes).toContain('it was trained without wrist.')
    leaves[`${O}/obs_wrist_pos_embedding`] = original[`${O}/obs_wrist_pos_embedding`]!
    await expect(encode(save(config, leaves))).rejects.toThrow(/has no tensor ".*wrist/)
  })

  it('may be conditioned on language only, without a place for goal pictures', async () => {
    const config = published()
    const leaves = finetune(config)
    config.model.observation_tokenizers.primary!.kwargs.task_stack_keys = []
    const first = `${O}/observation_tokenizers_primary/SmallStem16_0/StdConv_0/kernel`
    leaves[first] = numbers([3, 3, 3, 32], 7)
    expect((await encode(save(config, leaves))).h.every(Number.isFinite)).toBe(true)
  })

  it('with a damaged head is read, with a foreign tensor elsewhere not', async () => {
    const config = published()
    const leaves = { ...original, 'heads_action/diffusion_model/time_preprocess/kernel': numbers([3], 8) }
    await encode(save(config, leaves))
    const foreign = { ...original, [`${O}/obs_depth_projection/kernel`]: numbers([3], 8) }
    await expect(encode(save(config, foreign))).rejects.toThrow(
      /"octo_transformer\/obs_depth_projection\/kernel": is not part/,
    )
  })
})

describe('statistics of proprio', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'NaN, as Python writes it',
      '{"proprio": {"mean": [0, NaN, 0, 0, 0], "std": [1, 1, 1, 1, 1]}}',
      /dataset_statistics\.json.*mean\.1/,
    ],
    ['Infinity', '{"proprio": {"mean": [0, 0, 0, 0, 0], "std": [1, 1, Infinity, 1, 1]}}', /std\.2/],
    ['a missing std', { proprio: { mean: [0, 0, 0, 0, 0] } }, /proprio: std/],
    [
      'a std of another width',
      { proprio: { mean: [0, 0, 0, 0, 0], std: [1] } },
      /std: has 1 entries, the model takes 5/,
    ],
    ['another width', { proprio: { mean: [0], std: [1] } }, /mean: has 1 entries, the model takes 5/],
    ['a negative std', { proprio: { mean: [0, 0, 0, 0, 0], std: [1, 1, -1, 1, 1] } }, /std\.2/],
    ['a cut file', '{"proprio": {"mean": [0, 0', /dataset_statistics\.json: is not JSON/],
    ['several data sets', { a: { proprio: STATISTICS }, b: { proprio: STATISTICS } }, /several data sets \(a, b\)/],
  ])('with %s are refused by name', async (_, statistics, message) => {
    const config = published()
    await expect(encode(save(config, finetune(config), statistics))).rejects.toThrow(message)
  })

  it('are those of the one data set of the model’s width', async () => {
    const config = published()
    const statistics = { other: { proprio: { mean: [0], std: [1] } }, mine: { proprio: STATISTICS }, count: 3 }
    const { notes } = await encode(save(config, finetune(config), statistics))
    expect(notes).toEqual(['proprio is normalised by dataset_statistics.json, mine.'])
  })

  it('leave masked entries as they are', () => {
    expect(scaleProprio([3, 3, 3], { mean: [1, 1, 3], std: [2, 2, 0], mask: [true, false, true] })).toEqual([
      expect.closeTo(1),
      3,
      0,
    ])
  })
})

describe('discretised proprio', () => {
  const hot = (values: number[], bins: Parameters<typeof tokensOfProprio>[1]['bins']) => {
    const tokens = tokensOfProprio(values, { name: 'proprio', bins })
    return values.map((_, i) => [...tokens.slice(i * bins!.count, (i + 1) * bins!.count)].indexOf(1))
  }

  it('falls into equal steps of a range, ends included', () => {
    const bins = { count: 4, kind: 'uniform', low: -2, high: 2 } as const
    expect(hot([-9, -2, -1.01, -0.99, 0.5, 1.5, 2, 9], bins)).toEqual([0, 0, 0, 1, 2, 3, 3, 3])
  })

  it('falls into equal shares of a normal distribution; beyond all shares into the first, as the reference has it', () => {
    const bins = { count: 4, kind: 'normal', low: -2, high: 2 } as const
    expect(hot([-0.6746, -0.6744, -0.0001, 0.0001, 0.6744, 0.6746, 4.7], bins)).toEqual([0, 1, 1, 2, 2, 3, 3]) // quartiles ±0.67449
    expect(hot([-6, 6, 50], bins)).toEqual([0, 0, 0])
  })

  it('is encoded one-hot', async () => {
    const config = published()
    const leaves = finetune(config, { bins: 4 })
    expect((await encode(save(config, leaves, { proprio: STATISTICS }))).h.every(Number.isFinite)).toBe(true)
  })
})

describe('what a finetune of Octo may have that is not supported', () => {
  const cases: [string, (config: Config) => void, RegExp][] = [
    [
      'another stem',
      ({ model }) =>
        Object.assign(model.observation_tokenizers.primary!.kwargs.encoder as object, { name: 'SmallStem32' }),
      /primary: kwargs\.encoder\.name: is "SmallStem32", only "SmallStem16"/,
    ],
    [
      'another setting of the stem',
      ({ model }) =>
        Object.assign((model.observation_tokenizers.primary!.kwargs.encoder as { kwargs: object }).kwargs, {
          patch_size: 32,
        }),
      /patch_size: is 32, only 16/,
    ],
    [
      'a stem of other strides',
      ({ model }) =>
        Object.assign((model.observation_tokenizers.primary!.kwargs.encoder as { kwargs: object }).kwargs, {
          strides: [1],
        }),
      /strides/,
    ],
    [
      'FiLM',
      ({ model }) =>
        Object.assign(model.observation_tokenizers.primary!.kwargs, { task_film_keys: ['language_instruction'] }),
      /task_film_keys: is not empty: conditioning by FiLM/,
    ],
    [
      'a token learner',
      ({ model }) => Object.assign(model.observation_tokenizers.primary!.kwargs, { use_token_learner: true }),
      /use_token_learner: is true/,
    ],
    [
      'another observation',
      ({ model }) => Object.assign(model.observation_tokenizers.proprio!.kwargs, { obs_keys: ['force_torque'] }),
      /proprio: kwargs\.obs_keys\.0: is "force_torque", only "proprio"/,
    ],
    [
      'proprio twice',
      ({ model }) => Object.assign(model.observation_tokenizers, { again: model.observation_tokenizers.proprio }),
      /observation_tokenizers\.again: tokenises proprio, as proprio does/,
    ],
    [
      'another tokenizer',
      ({ model }) => Object.assign(model.observation_tokenizers, { depth: { name: 'DepthTokenizer', kwargs: {} } }),
      /depth: name: is "DepthTokenizer"/,
    ],
    ['no pictures', ({ model }) => delete model.observation_tokenizers.primary, /has no ImageTokenizer/],
    [
      'another task tokenizer',
      ({ model }) => Object.assign(model.task_tokenizers, { goal: {} }),
      /task_tokenizers.*goal/,
    ],
    [
      'a head on another readout',
      ({ model }) =>
        Object.assign(model.heads, { action: { name: 'L1ActionHead', kwargs: { readout_key: 'readout_value' } } }),
      /readout_key: is "readout_value"/,
    ],
    ['no readout of actions', ({ model }) => Object.assign(model, { readouts: { value: 1 } }), /readouts\.action/],
  ]
  it.each(cases)('%s is refused by its name', async (_, edit, message) => {
    const config = published()
    const leaves = finetune(config)
    edit(config)
    await expect(encode(save(config, leaves))).rejects.toThrow(message)
  })
})

describe('a save that was killed', () => {
  const whole = () => {
    const folder = join(home, `saved-${folders++}`)
    cpSync(FIXTURE, folder, { recursive: true })
    return folder
  }
  const half = readFileSync(join(FIXTURE, CHECKPOINT)).subarray(0, 300_000)
  const later: [string, (step: string) => void][] = [
    ['an empty folder', (step) => mkdirSync(step)],
    ['an empty folder in it', (step) => mkdirSync(join(step, 'default'), { recursive: true })],
    ['an empty file', (step) => write(step, Buffer.alloc(0))],
    ['half a file', (step) => write(step, half)],
    ['a download that is not over', (step) => write(step, half, 'checkpoint.incomplete')],
  ]
  function write(step: string, data: Uint8Array, name = 'checkpoint') {
    mkdirSync(join(step, 'default'), { recursive: true })
    writeFileSync(join(step, 'default', name), data)
  }

  it.each(later)('and left %s is passed over for the newest whole step, which is said', async (_, leave) => {
    const folder = whole()
    leave(join(folder, '305000'))
    leave(join(folder, '1000000'))
    mkdirSync(join(folder, '310000.orbax-checkpoint-tmp-17'))
    const { h, notes, description } = await encode(folder)
    expect(description.source).toContain(join(folder, CHECKPOINT))
    expect(h).toHaveLength(WIDTH)
    expect(notes).toEqual(['step 300000 is read, as 1000000, 305000 was not saved whole.'])
  })

  it.each(later)('and left only %s is refused in a line', async (_, leave) => {
    const folder = whole()
    rmSync(join(folder, '300000'), { recursive: true })
    leave(join(folder, '305000'))
    await expect(encode(folder)).rejects.toThrow(/305000\/default\/checkpoint/)
  })

  it.each(['checkpoint_310000', 'step-310000', '0310000'])('is no reason to pass over %s', async (step) => {
    const folder = whole()
    cpSync(join(folder, '300000'), join(folder, step), { recursive: true })
    expect((await encode(folder)).description.source).toContain(step)
    rmSync(join(folder, step, 'default'), { recursive: true })
    expect((await encode(folder)).notes).toEqual([`step 300000 is read, as ${step} was not saved whole.`])
  })

  it('is told from a step that an orbax saver wrote without its manager, and from what is no step', async () => {
    const folder = whole()
    renameSync(join(folder, '300000/default'), join(folder, '0'))
    rmSync(join(folder, '300000'), { recursive: true })
    for (const other of ['1e6', 'latest', 'state', '.5', '-7', '400000.bak'])
      cpSync(join(folder, '0'), join(folder, other), { recursive: true })
    expect((await encode(folder)).description.source).toContain(join(folder, '0', 'checkpoint'))
  })

  it('does not hide a newer step that newer orbax saved', async () => {
    const folder = whole()
    mkdirSync(join(folder, '305000/default/octo_transformer.kernel'), { recursive: true })
    await expect(encode(folder)).rejects.toThrow('newer versions of orbax')
  })

  it('does not stop a step of another number from being the newest', async () => {
    const folder = whole()
    cpSync(join(folder, '300000'), join(folder, '20000'), { recursive: true })
    renameSync(join(folder, '300000'), join(folder, '100000'))
    expect((await encode(folder)).description.source).toContain('100000')
  })
})

it('plans the parameters of octo-base: those of a ViT-B, "93M" as published, and of T5', () => {
  const config = published()
  Object.assign(config.model, { token_embedding_size: 768, max_horizon: 10 })
  Object.assign(config.model, { transformer_kwargs: { num_layers: 12, mlp_dim: 3072, num_attention_heads: 12 } })
  for (const { kwargs } of Object.values(config.model.observation_tokenizers))
    Object.assign(kwargs.encoder as object, { kwargs: {} })
  Object.assign(config.model.heads, {
    action: {
      name: 'DiffusionActionHead',
      kwargs: { readout_key: 'readout_action', action_dim: 7, action_horizon: 4 },
    },
  })
  const t5 = { model_type: 't5', d_model: 768, d_kv: 64, d_ff: 3072, num_layers: 12, num_heads: 12, vocab_size: 32128 }
  const plan = octoPlan(parseOctoConfig(config, t5, 'octo-base'), { primary: 256, wrist: 64 })
  const count = Object.values(plan).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)
  expect(Math.round((count - 109_628_544) / 1e6)).toBe(93)
})
