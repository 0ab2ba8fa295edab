/**
 * @file LoRA finetunes of SmolVLA: h of base and adapter is that of weights which plain loops have merged; where the
 * base is looked for, and which adapters are refused.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { floatTensor, readSafetensors, type SafeTensor, writeSafetensors } from '../../src/formats/safetensors.ts'
import { openSafetensors } from '../../src/formats/safetensors-file.ts'
import { compile, input, matmul } from '../../src/graph/index.ts'
import { linearLayer } from '../../src/nets/checkpoint-layers.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { merge, openAdapter } from '../../src/vla/lora/adapter.ts'
import { parseAdapterConfig } from '../../src/vla/lora/config.ts'
import { SmolVlaEncoder } from '../../src/vla/smolvla/encoder.ts'

const fixture = resolve(import.meta.dirname, '../fixtures/smolvla')
const VLM = 'model.vlm_with_expert.vlm.model'
const TEXT = `${VLM}.text_model.layers`
const EXPERT = 'model.vlm_with_expert.lm_expert.layers'
const CONFIG = 'adapter_config.json'
const WEIGHTS = 'adapter_model.safetensors'

let home = ''
let base: Record<string, { shape: readonly number[]; data: Float32Array }>
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'duet-lora-'))
  const file = await readSafetensors(join(fixture, 'model.safetensors'))
  base = Object.fromEntries(
    Object.entries(file.tensors).map(([name, { shape }]) => [name, { shape, data: floatTensor(file, name, name) }]),
  )
})
afterAll(() => rm(home, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

const random = new RandomStream(1, 'lora')
const tensor = (...shape: number[]): SafeTensor & { dtype: 'F32' } => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.3 * random.normal()),
})

const PLAIN = { peft_type: 'LORA', base_model_name_or_path: fixture, r: 4, lora_alpha: 8, bias: 'none' }
let made = 0

/** An adapter's folder. */
async function anAdapter(tensors: Record<string, SafeTensor>, config: object = PLAIN): Promise<string> {
  const folder = join(home, `adapter${made++}`, 'policy')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, CONFIG), JSON.stringify(config))
  await writeSafetensors(join(folder, WEIGHTS), tensors)
  return folder
}

const pictures = new RandomStream(2, 'pictures')
const image = { width: 64, height: 48, data: Uint8Array.from({ length: 3 * 64 * 48 }, () => pictures.integer(256)) }
const observation = {
  images: { camera1: image, camera2: image },
  proprio: Float32Array.from({ length: 7 }, (_, i) => i / 7),
  instruction: 'place the bolt',
}

async function hOf(folder: string, stateWidth = 7) {
  const encoder = await SmolVlaEncoder.load({ folder, cameras: ['camera1', 'camera2'], threads: 1, stateWidth })
  try {
    const [encoding] = await encoder.encode([observation])
    return { h: encoding!.h, ...encoder.description }
  } finally {
    await encoder.close()
  }
}

/** h of the base with some tensors replaced, from a file of their own. */
async function hWith(changed: Record<string, ArrayLike<number>>) {
  const folder = join(home, `merged${made++}`)
  await cp(fixture, folder, { recursive: true })
  const tensors = Object.entries(base).map(([name, { shape, data }]): [string, SafeTensor] => [
    name,
    { dtype: 'F32', shape, data: Float32Array.from(changed[name] ?? data) },
  ])
  await writeSafetensors(join(folder, 'model.safetensors'), Object.fromEntries(tensors))
  return hOf(folder)
}

/** W + s B A, entry by entry in double precision; W [out, ...in], A [r, ...in], B [out, r, ...1]. */
function plainMerge(name: string, a: SafeTensor, b: SafeTensor, scale: number): Float64Array {
  const { shape, data } = base[name]!
  const [rows, rank] = [shape[0]!, a.shape[0]!]
  const columns = data.length / rows
  const merged = Float64Array.from(data)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < rank; k++)
        merged[i * columns + j]! += scale * Number(b.data[i * rank + k]) * Number(a.data[k * columns + j])
  return merged
}

function worst(got: Float32Array, wanted: Float32Array): number {
  const largest = Math.max(...wanted.map(Math.abs))
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!))) / largest
}

/** Factors of rank `r` for a tensor of the base. */
function factors(name: string, r = 4) {
  const [rows, ...rest] = base[name]!.shape as [number, ...number[]]
  return { a: tensor(r, ...rest), b: tensor(rows, r, ...rest.slice(1).map(() => 1)) }
}

const named = (module: string, { a, b }: ReturnType<typeof factors>, prefix = 'base_model.model.') => ({
  [`${prefix}${module}.lora_A.weight`]: a,
  [`${prefix}${module}.lora_B.weight`]: b,
})

describe('a LoRA finetune', () => {
  const modules = [
    `${TEXT}.0.self_attn.q_proj`,
    `${TEXT}.1.mlp.down_proj`,
    `${TEXT}.3.self_attn.v_proj`,
    `${VLM}.vision_model.encoder.layers.0.mlp.fc1`,
    `${VLM}.vision_model.embeddings.patch_embedding`, // a convolution
    'model.state_proj',
  ]

  it('has the h of weights merged by hand: linear layers, a convolution, tables, tensors saved whole', async () => {
    const parts = modules.map((module) => ({ module, ...factors(`${module}.weight`) }))
    const [words, width] = base[`${VLM}.text_model.embed_tokens.weight`]!.shape as [number, number]
    const [patches, deep] = base[`${VLM}.vision_model.embeddings.position_embedding.weight`]!.shape as [number, number]
    const tables = {
      [`${VLM}.text_model.embed_tokens`]: { a: tensor(4, words), b: tensor(width, 4) },
      [`${VLM}.vision_model.embeddings.position_embedding`]: { a: tensor(4, patches), b: tensor(deep, 4) },
    }
    const connector = `${VLM}.connector.modality_projection.proj.weight`
    const saved = tensor(...base[connector]!.shape)
    const bias = tensor(...base['model.state_proj.bias']!.shape)
    const expert = `${EXPERT}.0.self_attn.q_proj`
    const folder = await anAdapter(
      Object.assign(
        { [`base_model.model.${connector}`]: saved, 'base_model.model.model.state_proj.base_layer.bias': bias },
        named(expert, factors(`${expert}.weight`)),
        ...parts.map(({ module, a, b }) => named(module, { a, b })),
        ...Object.entries(tables).map(([module, { a, b }]) => ({
          [`base_model.model.${module}.lora_embedding_A`]: a,
          [`base_model.model.${module}.lora_embedding_B`]: b,
        })),
      ),
      { ...PLAIN, bias: 'lora_only' },
    )

    const changed: Record<string, ArrayLike<number>> = { [connector]: saved.data, 'model.state_proj.bias': bias.data }
    for (const { module, a, b } of parts) changed[`${module}.weight`] = plainMerge(`${module}.weight`, a, b, 8 / 4)
    for (const [module, { a, b }] of Object.entries(tables)) {
      const { shape, data } = base[`${module}.weight`]!
      const [rows, columns] = shape as [number, number]
      const merged = Float64Array.from(data)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let k = 0; k < 4; k++)
            merged[row * columns + column]! += 2 * b.data[column * 4 + k]! * a.data[k * rows + row]!
      changed[`${module}.weight`] = merged
    }
    const [tuned, wanted, untouched] = [await hOf(folder), await hWith(changed), await hOf(fixture)]
    expect(worst(tuned.h, wanted.h)).toBeLessThan(2e-5)
    expect(worst(untouched.h, wanted.h)).toBeGreaterThan(0.05)
    expect(tuned.hash).not.toBe(untouched.hash)
    expect(tuned.notes!.join('\n')).toMatch(/LoRA: 10 of the tensors that h is made of are merged from .*policy into /)
  })

  it('scales by alpha / sqrt(r) where the config says so, and by its own rank and alpha where a pattern matches', async () => {
    const [q, k, state] = [`${TEXT}.0.self_attn.q_proj`, `${TEXT}.0.self_attn.k_proj`, 'model.state_proj']
    const parts = { [q]: factors(`${q}.weight`, 9), [k]: factors(`${k}.weight`), [state]: factors(`${state}.weight`) }
    const folder = await anAdapter(Object.assign({}, ...Object.entries(parts).map(([module, f]) => named(module, f))), {
      ...PLAIN,
      use_rslora: true,
      rank_pattern: { 'text_model\\.layers\\.\\d+\\.self_attn\\.q_proj': 9 },
      alpha_pattern: { proj: 100, k_proj: 3, '.*state_proj': 5 },
    })
    const scales = { [q]: 8 / 3, [k]: 3 / 2, [state]: 5 / 2 }
    const changed = Object.entries(parts).map(([module, { a, b }]) => {
      const name = `${module}.weight`
      return [name, plainMerge(name, a, b, scales[module]!)]
    })
    const wanted = await hWith(Object.fromEntries(changed))
    expect(worst((await hOf(folder)).h, wanted.h)).toBeLessThan(2e-5)
  })

  it('with magnitudes (DoRA) has rows of those lengths', async () => {
    const module = `${TEXT}.1.self_attn.o_proj`
    const name = `${module}.weight`
    const { a, b } = factors(name)
    const [rows, columns] = base[name]!.shape as [number, number]
    const magnitude = { ...tensor(rows), data: Float32Array.from({ length: rows }, (_, i) => 1 + i / rows) }
    const folder = await anAdapter(
      { ...named(module, { a, b }), [`base_model.model.${module}.lora_magnitude_vector`]: magnitude },
      { ...PLAIN, use_dora: true },
    )
    const merged = plainMerge(name, a, b, 2)
    for (let i = 0; i < rows; i++) {
      const row = merged.subarray(i * columns, (i + 1) * columns)
      const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
      for (let j = 0; j < columns; j++) row[j] = (row[j]! * magnitude.data[i]!) / length
    }
    expect(worst((await hOf(folder)).h, (await hWith({ [name]: merged })).h)).toBeLessThan(2e-5)
  })

  it.each([
    ['of another name of the adapter', 'base_model.model.', '.default.weight'],
    ['without a prefix', '', '.weight'],
    ['as several devices save them', 'module.base_model.model.module.', '.weight'],
    ['of a compiled part of the policy', 'base_model.model._orig_mod.vlm_with_expert.', '.weight'],
  ])('is found by names %s', async (_, prefix, ending) => {
    const module = `${TEXT}.0.self_attn.q_proj`
    const { a, b } = factors(`${module}.weight`)
    const own = prefix.includes('_orig_mod') ? module.replace('model.vlm_with_expert.', '') : module
    const folder = await anAdapter({ [`${prefix}${own}.lora_A${ending}`]: a, [`${prefix}${own}.lora_B${ending}`]: b })
    const wanted = await hWith({ [`${module}.weight`]: plainMerge(`${module}.weight`, a, b, 2) })
    expect(worst((await hOf(folder)).h, wanted.h)).toBeLessThan(2e-5)
  })

  it('may lie in shards, and say null, nothing or empty where it has nothing to say', async () => {
    const [first, second] = [modules[0]!, modules[2]!]
    const tensors = [first, second].map((module) => named(module, factors(`${module}.weight`)))
    const nothing = { revision: null, rank_pattern: {}, alpha_pattern: null, target_modules: '.*_proj', eva_config: {} }
    const whole = await anAdapter({ ...tensors[0], ...tensors[1] }, { ...PLAIN, ...nothing })
    const folder = await anAdapter({}, { ...PLAIN, ...nothing })
    await rm(join(folder, WEIGHTS))
    const weight_map: Record<string, string> = {}
    for (const [i, part] of tensors.entries()) {
      const shard = `adapter_model-0000${i + 1}-of-00002.safetensors`
      await writeSafetensors(join(folder, shard), part)
      for (const name of Object.keys(part)) weight_map[name] = shard
    }
    await writeFile(join(folder, `${WEIGHTS}.index.json`), JSON.stringify({ metadata: {}, weight_map }))
    expect(worst((await hOf(folder)).h, (await hOf(whole)).h)).toBe(0)
  })

  it('of the expert alone leaves h as it is, and says so', async () => {
    const expert = `${EXPERT}.0.self_attn.q_proj`
    const folder = await anAdapter(named(expert, factors(`${expert}.weight`)))
    const { h, notes } = await hOf(folder)
    expect(h).toEqual((await hOf(fixture)).h)
    expect(notes!.join('\n')).toMatch(/LoRA: .* changes none of the tensors that h is made of/)
  })

  it('keeps the weights in their files: a model of two of them is small', async () => {
    const folder = join(home, 'large')
    await mkdir(join(folder, 'tuned'), { recursive: true })
    const weight = tensor(512, 512)
    const [a, b] = [tensor(4, 512), tensor(512, 4)]
    await writeSafetensors(join(folder, 'model.safetensors'), { 'layer.weight': weight })
    await writeFile(join(folder, 'tuned', CONFIG), JSON.stringify(PLAIN))
    await writeSafetensors(join(folder, 'tuned', WEIGHTS), named('layer', { a, b }))
    const adapter = await openAdapter(join(folder, 'tuned'))
    const merged = await merge(await openSafetensors(folder), adapter!, [])
    const parameters = await merged.parameters({ 'layer.weight': [512, 512] })
    const x = input('x', [1, 512])
    const program = await compile({
      name: 'large',
      outputs: { y: matmul(x, parameters['layer.weight']!), product: linearLayer(parameters, 'layer', x) },
      threads: 1,
    })
    expect(program.onnx.length).toBeLessThan(4000)
    program.set('x', [1, ...new Array(511).fill(0)])
    await program.run()
    const first = [...(await merged.row('layer.weight', 0))] // row by row, as of a table
    expect(worst(program.outputs.y!, Float32Array.from(first))).toBeLessThan(1e-6)
    const byHand = weight.data[7]! + 2 * [0, 1, 2, 3].reduce((sum, k) => sum + b.data[k]! * a.data[512 * k + 7]!, 0)
    expect(first[7]).toBeCloseTo(byHand, 5)
    const column = await Promise.all(
      [...weight.data.keys()].slice(0, 512).map((row) => merged.row('layer.weight', row)),
    )
    expect(
      worst(
        program.outputs.product!,
        Float32Array.from(column, (row) => row[0]!),
      ),
    ).toBeLessThan(1e-6)
    await program.release()
    await merged.file.close()
  })
})

describe("an adapter's base", () => {
  const state = () => named('model.state_proj', factors('model.state_proj.weight'))
  const finetune = (name: string | null, more: object = {}) =>
    anAdapter(state(), { ...PLAIN, base_model_name_or_path: name, ...more })

  it('is found inside, beside, by a path of this machine, and in the cache by name or the path of another machine', async () => {
    const inside = await finetune(null)
    await cp(fixture, join(inside, 'base'), { recursive: true })
    const beside = await finetune('someone/tiny_base')
    await cp(fixture, join(beside, '..', 'tiny_base'), { recursive: true })
    const cache = join(home, 'hub')
    const snapshot = join(cache, 'models--someone--cached_base', 'snapshots', 'a'.repeat(40))
    await cp(fixture, snapshot, { recursive: true })
    vi.stubEnv('HF_HUB_CACHE', cache)
    const cached = await finetune('someone/cached_base')
    const foreign = await finetune('/somebody/else/cached_base/')
    const windows = await finetune('C:\\Users\\somebody\\cached_base')
    for (const folder of [inside, beside, cached, foreign, windows, await finetune(fixture)])
      expect((await hOf(folder)).embeddingWidth).toBeGreaterThan(0)
  })

  it('is found by a path from where duet runs', async () => {
    const folder = await finetune(relative(process.cwd(), fixture).replace(/^(?:\.\.[\\/])+/, ''))
    expect((await hOf(folder)).embeddingWidth).toBeGreaterThan(0)
  })

  it('gives its config and statistics where the adapter has none of its own', async () => {
    const { notes } = await hOf(await finetune(fixture))
    expect(notes!.join('\n')).toContain(`normalised (MEAN_STD) by the statistics in ${fixture}`)
    const own = await finetune(fixture)
    const config = JSON.parse(await readFile(join(fixture, 'config.json'), 'utf8'))
    await writeFile(join(own, 'config.json'), JSON.stringify({ ...config, normalization_mapping: {} }))
    expect((await hOf(own)).notes!.join('\n')).toContain('the policy was trained so (IDENTITY)')
  })

  it('that is nowhere is named, with all places and the way to get it', async () => {
    vi.stubEnv('HF_HUB_CACHE', join(home, 'empty'))
    const folder = await finetune('lerobot/smolvla_base', { revision: 'v2' })
    await expect(hOf(folder)).rejects.toThrow(
      /adapter_config\.json: names the model lerobot\/smolvla_base, revision v2, .*policy\/base, .*smolvla_base.*and not in the Hub's cache .*empty\. Fetch it with `duet pull smolvla`, or put its config\.json and model\.safetensors into .*base/,
    )
    await expect(hOf(await finetune(''))).rejects.toThrow(/names no base_model_name_or_path/)
    await expect(hOf(await finetune(null))).rejects.toThrow(/names no base_model_name_or_path\. Put the model/)
  })
})

describe('refused adapters', () => {
  const module = 'model.state_proj'
  const good = () => named(module, factors(`${module}.weight`))
  const a = `base_model.model.${module}.lora_A.weight`

  const configs: [object, RegExp][] = [
    [{ peft_type: 'IA3' }, /adapter_config\.json: peft_type: is "IA3", which cannot be merged/],
    [{ fan_in_fan_out: true }, /fan_in_fan_out: is true/],
    [{ lora_bias: true }, /lora_bias: is true/],
    [{ init_lora_weights: 'pissa_niter_4' }, /init_lora_weights: is "pissa_niter_4"/],
    [{ layer_replication: [[0, 4]] }, /layer_replication: is \[\[0,4\]\]/],
    [{ rank_pattern: { '(': 3 } }, /rank_pattern, "\(": is no pattern/],
    [{ r: 0 }, /adapter_config\.json: r: /],
    [{ lora_alpha: 'high' }, /adapter_config\.json: lora_alpha: /],
  ]
  it.each(configs)('by a config with %j', (change, message) => {
    expect(() => parseAdapterConfig({ ...PLAIN, ...change }, 'some/adapter_config.json')).toThrow(message)
  })

  const weights: [string, () => Record<string, SafeTensor>, object, RegExp][] = [
    ['another rank', good, { r: 2 }, /lora_A\.weight" is \[4,12\], expected \[2,12\]/],
    ['another width', () => ({ ...good(), [a]: tensor(4, 5) }), {}, /lora_A\.weight" is \[4,5\], expected \[4,12\]/],
    ['one factor', () => ({ [a]: tensor(4, 12) }), {}, /lora_A\.weight": stands without the other factor/],
    [
      'another network',
      () => ({ 'base_model.model.other.lora_A.weight': tensor(4, 12) }),
      {},
      /changes nothing that its base has/,
    ],
    ['magnitudes missing', good, { use_dora: true }, /has no magnitude vector/],
    ['nothing in it', () => ({}), {}, /adapter_model\.safetensors: has no tensors/],
  ]
  it.each(weights)('of weights with %s', async (_, tensors, config, message) => {
    await expect(hOf(await anAdapter(tensors(), { ...PLAIN, ...config }))).rejects.toThrow(message)
  })

  it('of two in one file', async () => {
    const two = Object.fromEntries(
      ['first', 'second'].flatMap((name) =>
        Object.entries(good()).map(([key, tensor]) => [key.replace('.weight', `.${name}.weight`), tensor]),
      ),
    )
    await expect(hOf(await anAdapter(two))).rejects.toThrow(
      /lora_A\.second\.weight": changes model\.state_proj\.weight, as ".*lora_A\.first\.weight" does\. Save each/,
    )
  })

  it('on a base of packed integers', async () => {
    const quantised = join(home, 'quantised')
    await cp(fixture, quantised, { recursive: true })
    const { tensors } = await readSafetensors(join(fixture, 'model.safetensors'))
    const packed: SafeTensor = { dtype: 'U8', shape: [288, 1], data: new Uint8Array(288) }
    await writeSafetensors(join(quantised, 'model.safetensors'), {
      ...tensors,
      [`${TEXT}.0.mlp.up_proj.weight`]: packed,
    })
    await expect(hOf(await anAdapter(good(), { ...PLAIN, base_model_name_or_path: quantised }))).rejects.toThrow(
      /up_proj\.weight": is U8, expected .*take the full-precision file/,
    )
  })

  it('for files that are missing, or beside whole weights', async () => {
    const folder = await anAdapter(good())
    await writeFile(join(folder, 'model.safetensors'), '')
    await expect(hOf(folder)).rejects.toThrow(/has a LoRA adapter .* and whole weights/)
    await rm(join(folder, 'model.safetensors'))
    await rm(join(folder, WEIGHTS))
    await expect(hOf(folder)).rejects.toThrow(/is a LoRA adapter without adapter_model\.safetensors\. Download/)
    await writeFile(join(folder, 'adapter_model.bin'), '')
    await expect(hOf(folder)).rejects.toThrow(/adapter_model\.bin is a program/)
    const bare = await anAdapter(good())
    await rm(join(bare, CONFIG))
    await expect(hOf(bare)).rejects.toThrow(/is a LoRA adapter without adapter_config\.json/)
  })
})
