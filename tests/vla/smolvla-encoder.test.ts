/** @file SmolVLA behind the encoder's interface: h from the golden folder, cameras, state, features, and files that are refused. */
import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readSafetensors, type SafeTensor, writeSafetensors } from '../../src/formats/safetensors.ts'
import type { EncoderInput, Encoding } from '../../src/vla/encoder.ts'
import { parseSmolVlaConfig } from '../../src/vla/smolvla/config.ts'
import { SmolVlaEncoder } from '../../src/vla/smolvla/encoder.ts'
import { smolVlaPlan } from '../../src/vla/smolvla/plan.ts'
import { type Golden, readGolden, relativeError } from './golden/compare.ts'

const TOLERANCE = 5e-5
const folder = resolve(import.meta.dirname, '../fixtures/smolvla')
const readText = (...path: string[]) => readFile(join(folder, ...path), 'utf8')
const golden = await readGolden(join(folder, 'expected.safetensors'))
const inputs = await readGolden(join(folder, 'inputs.safetensors'))
const { tasks, cameras } = JSON.parse(await readText('inputs.json')) as { tasks: string[]; cameras: string[] }

const sample = ({ shape, data, bytes, dtype }: Golden, index: number): Golden => {
  const size = data.length / shape[0]!
  const width = bytes.length / shape[0]!
  return {
    shape: shape.slice(1),
    dtype,
    data: data.slice(index * size, (index + 1) * size),
    bytes: bytes.slice(index * width, (index + 1) * width),
  }
}

function anInput(index: number): EncoderInput {
  const images = cameras.map((camera) => {
    const { shape, bytes } = sample(inputs[`image.${camera}`]!, index)
    return [camera, { height: shape[0]!, width: shape[1]!, data: bytes }]
  })
  return {
    images: Object.fromEntries(images),
    proprio: sample(inputs.state!, index).data,
    instruction: tasks[index]!,
  }
}

const only = (encodings: Encoding[]) => encodings[0]!
const load = (changes: Partial<Parameters<typeof SmolVlaEncoder.load>[0]> = {}) =>
  SmolVlaEncoder.load({ folder, cameras, threads: 1, ...changes })

describe('SmolVlaEncoder', () => {
  let encoder: SmolVlaEncoder
  beforeAll(async () => {
    encoder = await load()
  })
  afterAll(() => encoder.close())

  it('gives the reference h of the last layer, and describes it', async () => {
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    expect(encoder.description.embeddingWidth).toBe(h.length)
    expect(encoder.description.cameras).toEqual(cameras)
  })

  it('gives the h of a masked camera where the robot lacks it', async () => {
    const masked = inputs['image_mask.camera2']!.data
    expect([...masked]).toEqual([1, 0])
    const oneEyed = await load({ cameras: ['camera1'] })
    const { h } = only(await oneEyed.encode([anInput(1)]))
    expect(relativeError(h, sample(golden['h.last']!, 1))).toBeLessThan(TOLERANCE)
    await oneEyed.close()
  })

  it('takes the layer that it is told', async () => {
    const perLayer = golden['h.per_layer']!
    for (let layer = 0; layer < perLayer.shape[0]!; layer++) {
      const deep = await load({ layer })
      const { h } = only(await deep.encode([anInput(0)]))
      expect(relativeError(h, sample(sample(perLayer, layer), 0))).toBeLessThan(TOLERANCE)
      await deep.close()
    }
    await expect(load({ layer: perLayer.shape[0]! })).rejects.toThrow(/vlaLayer.*Layers are 0\.\.3/)
  })

  it('does not let one observation of a batch touch another', async () => {
    const [first, second, again] = await encoder.encode([anInput(0), anInput(1), anInput(0)])
    expect(again).toEqual(first)
    expect(second!.h).not.toEqual(first!.h)
  })

  it('gives the means of square blocks of patches as features', async () => {
    const { features } = only(await encoder.encode([anInput(0)]))
    const { featureShape } = encoder.description
    expect(featureShape).toEqual([2, 4, 4, 32])
    cameras.forEach((camera, which) => {
      const last = sample(golden[`vision.${camera}.last`]!, 0) // [8 x 8 patches, 32]
      const means = new Float32Array(4 * 4 * 32)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++)
          for (let channel = 0; channel < 32; channel++)
            means[(4 * (y >> 1) + (x >> 1)) * 32 + channel]! += last.data[(8 * y + x) * 32 + channel]! / 4
      const part = features.subarray(which * means.length, (which + 1) * means.length)
      expect(relativeError(part, { ...last, data: means })).toBeLessThan(TOLERANCE)
    })
  })

  it('pairs the cameras of a robot that names them otherwise, and takes a state of another width as it is', async () => {
    const renamed = await load({ cameras: ['front', 'wrist', 'side'] })
    expect(renamed.description.cameras).toEqual(['front', 'wrist'])
    const { images, ...rest } = anInput(0)
    const { h } = only(await renamed.encode([{ ...rest, images: { front: images.camera1!, wrist: images.camera2! } }]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    const wide = Float32Array.from({ length: 17 }, (_, i) => i / 17)
    const other = only(await encoder.encode([{ ...anInput(0), proprio: wide }]))
    expect(other.h.every(Number.isFinite)).toBe(true)
    await renamed.close()
    await expect(load({ cameras: [] })).rejects.toThrow(/robot has no camera/)
  })

  it('says which image is missing or damaged', async () => {
    const { images, ...rest } = anInput(0)
    const { camera1 } = images
    await expect(encoder.encode([{ ...rest, images: { camera1: camera1! } }])).rejects.toThrow(
      /images\.camera2: is missing \(there are: camera1\)/,
    )
    const short = { ...camera1!, data: camera1!.data.subarray(3) }
    await expect(encoder.encode([{ ...rest, images: { ...images, camera1: short } }])).rejects.toThrow(
      /images\.camera1: is 80 x 60/,
    )
  })
})

describe('SmolVLA files', () => {
  let copy = ''
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'duet-smolvla-'))
  })
  afterAll(() => rm(copy, { recursive: true, force: true }))

  /** A copy of the checkpoint whose JSON header, or config, was changed in place. */
  async function changed(name: string, edit: { header?: [string, string]; config?: object }): Promise<string> {
    const target = join(copy, name)
    await cp(folder, target, { recursive: true })
    if (edit.config) {
      const config = { ...JSON.parse(await readText('config.json')), ...edit.config }
      await writeFile(join(target, 'config.json'), JSON.stringify(config))
    }
    if (edit.header) {
      const bytes = await readFile(join(target, 'model.safetensors'))
      const [from, to] = edit.header
      expect(to.length).toBe(from.length)
      const at = bytes.indexOf(from)
      expect(at).toBeGreaterThan(0)
      bytes.write(to, at)
      await writeFile(join(target, 'model.safetensors'), bytes)
    }
    return target
  }

  it('plans the 500 tensors and 450,046,176 parameters of the published base policy', async () => {
    const policy = JSON.parse(await readText('config.json'))
    const sizes = {
      ...{ max_state_dim: 32, max_action_dim: 32, chunk_size: 50, tokenizer_max_length: 48, num_vlm_layers: 16 },
      resize_imgs_with_padding: [512, 512],
    }
    const vlm = {
      scale_factor: 4,
      text_config: {
        ...{ hidden_size: 960, num_hidden_layers: 32, num_attention_heads: 15, num_key_value_heads: 5, head_dim: 64 },
        ...{ intermediate_size: 2560, vocab_size: 49280, rms_norm_eps: 1e-5 },
      },
      vision_config: { hidden_size: 768, image_size: 512, patch_size: 16, num_attention_heads: 12 },
    }
    const plan = Object.values(smolVlaPlan(parseSmolVlaConfig({ ...policy, ...sizes }, vlm, 'base')))
    expect(plan.length).toBe(500)
    expect(plan.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(450_046_176)
  })

  it('opens through the links of a download cache', async () => {
    const target = join(copy, 'linked')
    await cp(folder, target, { recursive: true })
    await rm(join(target, 'model.safetensors'))
    await copyFile(join(folder, 'model.safetensors'), join(copy, 'blob'))
    await symlink(join('..', 'blob'), join(target, 'model.safetensors'))
    const encoder = await load({ folder: target })
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    await encoder.close()
  })

  const cases: [string, Parameters<typeof changed>[1], RegExp][] = [
    ['another architecture', { config: { type: 'pi0' } }, /config\.json: type: .*smolvla/],
    ['fewer layers than the file has', { config: { num_vlm_layers: 2 } }, /"model\..*layers\.[23]\..*is not part of/],
    ['more layers than the file has', { config: { num_vlm_layers: 6 } }, /has no tensor "model\..*layers\.4\./],
    ["another robot's state", { config: { adapt_to_pi_aloha: true } }, /adapt_to_pi_aloha: is not false/],
    ['another width', { config: { max_state_dim: 13 } }, /state_proj\.weight" is \[48,12\], expected \[48,13\]/],
    [
      'a renamed tensor',
      { header: ['vision_model.post_layernorm.bias', 'vision_model.post_layernorm.bios'] },
      /has no tensor ".*post_layernorm\.bias"/,
    ],
    [
      'a dtype that is no weight',
      {
        header: ['model.state_proj.weight":{"dtype":"F32"', 'model.state_proj.weight":{"dtype":"I32"'],
      },
      /state_proj\.weight": is I32, expected/,
    ],
    [
      'a picture size that the tower was not made for',
      { config: { resize_imgs_with_padding: [32, 64] } },
      /resize_imgs/,
    ],
  ]
  it.each(cases)('refuses %s', async (name, edit, message) => {
    await expect(load({ folder: await changed(name.replaceAll(' ', '-'), edit) })).rejects.toThrow(message)
  })

  it('needs nothing of the file that h is not made of', async () => {
    const target = await changed('bare', {})
    const path = join(target, 'model.safetensors')
    const { tensors } = await readSafetensors(path)
    const unread = /lm_head|lm_expert|action_|text_model\.norm|layers\.3\.(mlp|post_attention|self_attn\.[qo])/
    const kept = Object.entries(tensors).filter(([name]) => !/vision/.test(name) && !unread.test(name))
    const seeing = Object.entries(tensors).filter(([name]) => /vision/.test(name))
    expect(kept.length + seeing.length).toBeLessThan(Object.keys(tensors).length / 1.5)
    const heads: Record<string, SafeTensor> = {
      'model.action_out_proj.weight': { dtype: 'I8', shape: [3], data: new Int8Array(3) }, // quantised, of other sizes
      'model.value_head.weight': { dtype: 'F32', shape: [1], data: new Float32Array(1) }, // of a finetune's own
    }
    await writeSafetensors(path, { ...Object.fromEntries([...kept, ...seeing]), ...heads })
    const encoder = await load({ folder: target })
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    await encoder.close()
  })

  const around: [string, (name: string) => string][] = [
    ['a compiled policy', (name) => `_orig_mod.${name}`],
    ['a compiled network', (name) => name.replace(/^model\./, 'model._orig_mod.')],
    ['one that several devices trained', (name) => `module.${name}`],
    ['both', (name) => `_orig_mod.module.${name}`],
    ['the network alone', (name) => name.replace(/^model\./, '')],
    ['an agent', (name) => `agent.policy.${name}`],
  ]
  it.each(around)('is read by the names of %s', async (name, rename) => {
    const target = await changed(`around-${name.replaceAll(' ', '-')}`, {})
    const path = join(target, 'model.safetensors')
    const tensors = Object.entries((await readSafetensors(path)).tensors).map(([each, tensor]) => [
      rename(each),
      tensor,
    ])
    await writeSafetensors(path, Object.fromEntries(tensors))
    const encoder = await load({ folder: target })
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    await encoder.close()
  })

  it('passes over tables that older libraries saved, and reads tied weights that were saved once', async () => {
    const target = await changed('tables', {})
    const path = join(target, 'model.safetensors')
    const { tensors } = await readSafetensors(path)
    const vlm = 'model.vlm_with_expert.vlm'
    const { [`${vlm}.model.text_model.embed_tokens.weight`]: words, ...others } = tensors
    const saved: Record<string, SafeTensor> = {
      ...others,
      [`${vlm}.lm_head.weight`]: words!,
      [`${vlm}.model.vision_model.embeddings.position_ids`]: { dtype: 'I32', shape: [2], data: new Int32Array(2) },
      [`${vlm}.model.text_model.rotary_emb.inv_freq`]: { dtype: 'F32', shape: [2], data: new Float32Array(2) },
    }
    await writeSafetensors(path, saved, {
      format: 'pt',
      [`${vlm}.model.text_model.embed_tokens.weight`]: `${vlm}.lm_head.weight`,
    })
    const encoder = await load({ folder: target })
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    await encoder.close()
  })

  it('says which steps of the published pipeline nobody takes here, and renames by two of them in turn', async () => {
    const target = await changed('steps', {})
    const path = join(target, 'policy_preprocessor.json')
    const { steps, ...rest } = JSON.parse(await readFile(path, 'utf8'))
    const renamer = (map: object) => ({ registry_name: 'rename_observations_processor', config: { rename_map: map } })
    const first = renamer({ 'observation.images.a': 'observation.images.top', 'observation.images.b': 'camera1' })
    const then = renamer({ 'observation.images.top': 'observation.images.camera2' })
    const own = [{ registry_name: 'relative_actions_processor' }, { class: 'lab.steps.Rot6d', config: {} }]
    await writeFile(path, JSON.stringify({ ...rest, steps: [first, then, ...own, ...steps.slice(1)] }))
    const encoder = await load({ folder: target, cameras: ['a', 'b'] })
    await encoder.close()
    expect(encoder.description.notes).toContain(
      'cameras: camera1 sees b (by rename_map), camera2 sees a (by rename_map)',
    )
    expect(encoder.description.notes).toContain(
      `inputs: ${path} has steps that are not done here: relative_actions_processor, lab.steps.Rot6d`,
    )
  })

  it('sends pictures that the policy wants normalised only where no statistics are asked for', async () => {
    const mapping = { VISUAL: 'MEAN_STD', STATE: 'MEAN_STD', ACTION: 'MEAN_STD' }
    const target = await changed('visual', { config: { normalization_mapping: mapping } })
    await expect(load({ folder: target })).rejects.toThrow(
      /normalization_mapping: VISUAL: is MEAN_STD, pictures are never normalised here\. Set vlaStatistics=none/,
    )
    await (await load({ folder: target, statistics: 'none' })).close()
  })

  it('leaves out the layers above the one that makes h', async () => {
    const target = await changed('low', {})
    const path = join(target, 'model.safetensors')
    const { tensors } = await readSafetensors(path)
    const low = Object.entries(tensors).filter(([name]) => !/text_model\.layers\.[123]/.test(name))
    await writeSafetensors(path, Object.fromEntries(low))
    const encoder = await load({ folder: target, layer: 0 })
    const { h } = only(await encoder.encode([anInput(0)]))
    expect(relativeError(h, sample(sample(golden['h.per_layer']!, 0), 0))).toBeLessThan(TOLERANCE)
    await encoder.close()
    await expect(load({ folder: target })).rejects.toThrow(/has no tensor ".*text_model\.layers\.1\./)
  })

  it('keeps empty camera slots empty, as if they were masked', async () => {
    const { input_features: features } = JSON.parse(await readText('config.json'))
    const { 'observation.images.camera2': second, ...rest } = features
    const input_features = { ...rest, 'observation.images.empty_camera_0': second }
    const target = await changed('empty-slot', { config: { input_features, empty_cameras: 1 } })
    const encoder = await load({ folder: target, cameras: ['camera1', 'wrist'] })
    const { images, ...others } = anInput(1) // whose second camera is masked in the reference
    const { h } = only(await encoder.encode([{ ...others, images: { ...images, wrist: images.camera2! } }]))
    expect(relativeError(h, sample(golden['h.last']!, 1))).toBeLessThan(TOLERANCE)
    expect(encoder.description.notes).toContain(
      "cameras: camera1 sees camera1 (by name); empty: empty_camera_0; not used: the robot's wrist",
    )
    await encoder.close()
  })

  it('follows the published rename_map, and the setting before it', async () => {
    const target = await changed('renamed', {})
    const path = join(target, 'policy_preprocessor.json')
    const map = {
      'observation.images.wrist': 'observation.images.camera1',
      'observation.images.front': 'observation.images.camera2',
    }
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace('"rename_map": {}', `"rename_map": ${JSON.stringify(map)}`),
    )
    const { images, ...others } = anInput(0)
    const look = async (pairing?: Record<string, string>) => {
      const encoder = await load({ folder: target, cameras: ['front', 'wrist'], pairing })
      const seen = { wrist: images.camera1!, front: images.camera2! }
      const { h } = only(await encoder.encode([{ ...others, images: seen }]))
      await encoder.close()
      return { h, cameras: encoder.description.cameras }
    }
    const published = await look()
    expect(relativeError(published.h, sample(golden['h.last']!, 0))).toBeLessThan(TOLERANCE)
    expect(published.cameras).toEqual(['wrist', 'front'])
    const swapped = await look({ camera1: 'front', camera2: 'wrist' })
    expect(swapped.cameras).toEqual(['front', 'wrist'])
    expect(relativeError(swapped.h, sample(golden['h.last']!, 0))).toBeGreaterThan(0.01)
  })

  it('says how it sees the robot', async () => {
    const encoder = await load({ stateWidth: 7 })
    expect(encoder.description.notes).toEqual([
      'cameras: camera1 sees camera1 (by name), camera2 sees camera2 (by name)',
      expect.stringMatching(
        /^state: normalised \(MEAN_STD\) by the statistics in .*normalizer_processor\.safetensors$/,
      ),
    ])
    await encoder.close()
    await expect(load({ statistics: 'so100' })).rejects.toThrow(/setting "vlaStatistics"/)
  })

  it('finds the language model by a path of this machine, beside the policy, and in the cache by its last part', async () => {
    const elsewhere = join(copy, 'elsewhere', 'TinyVLM')
    await cp(join(folder, 'vlm'), elsewhere, { recursive: true })
    const cache = join(copy, 'hub')
    const inCache = (name: string) =>
      cp(join(folder, 'vlm'), join(cache, `models--${name}`, 'snapshots', 'b'.repeat(40)), { recursive: true })
    await inCache('someone--CachedVLM')
    await cp(join(folder, 'vlm'), join(copy, 'BesideVLM'), { recursive: true })
    vi.stubEnv('HF_HUB_CACHE', cache)
    const names = [
      elsewhere,
      `${elsewhere}/`,
      '/home/somebody/models/BesideVLM',
      'D:\\models\\BesideVLM',
      '/home/somebody/models/CachedVLM',
      `/root/.cache/huggingface/hub/models--someone--CachedVLM/snapshots/${'c'.repeat(40)}`,
    ]
    for (const [i, name] of names.entries()) {
      const target = await changed(`by-path-${i}`, { config: { vlm_model_name: name } })
      await rm(join(target, 'vlm'), { recursive: true })
      await (await load({ folder: target })).close()
    }
    const target = await changed('by-no-path', { config: { vlm_model_name: '/data/models/NoVLM' } })
    await rm(join(target, 'vlm'), { recursive: true })
    await expect(load({ folder: target })).rejects.toThrow(
      /names the model \/data\/models\/NoVLM, whose config\.json is in none of \/data\/models\/NoVLM, .*NoVLM, and not in the Hub's cache .*hub\. Put its config\.json and tokenizer\.json into .*vlm/,
    )
    vi.unstubAllEnvs()
  })

  it('says where it looked for the language model', async () => {
    const target = await changed('without-vlm', {})
    await rm(join(target, 'vlm'), { recursive: true })
    await expect(load({ folder: target })).rejects.toThrow(/names the model vlm, whose config\.json/)
  })
})
