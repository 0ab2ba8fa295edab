/** @file Every intermediate of a SmolVLA checkpoint that a golden folder lists, computed by our graph from its inputs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { cast, compile, input, type Tensor } from '../../../src/graph/index.ts'
import { joinHeads } from '../../../src/nets/attention.ts'
import { poolPrefix } from '../../../src/nets/prefix-pool.ts'
import { pictureTokens } from '../../../src/vla/smolvla/config.ts'
import { expert, flowStep, timeEmbedding } from '../../../src/vla/smolvla/expert.ts'
import { readWrap, tokenise } from '../../../src/vla/smolvla/language.ts'
import { cameraTokens, prefix } from '../../../src/vla/smolvla/prefix.ts'
import { preparePicture, prepareState, restore } from '../../../src/vla/smolvla/preprocess.ts'
import { readNormalisation } from '../../../src/vla/smolvla/statistics.ts'
import { vision } from '../../../src/vla/smolvla/vision.ts'
import { openSmolVla } from '../../../src/vla/smolvla/weights.ts'
import { readGolden } from './compare.ts'

export type Computed = Record<string, Float32Array>

export async function computeSmolVla(folder: string): Promise<Computed> {
  const inputs = await readGolden(join(folder, 'inputs.safetensors'))
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  const { tasks } = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8')) as { tasks: string[] }
  const files = await openSmolVla(folder)
  const { config, parameters } = files
  const { scaling: stateScaling } = await readNormalisation('state', files)
  const batch = inputs.state!.shape[0]!
  const { imageSize } = config.vision
  const computed: Computed = {}

  const tokenizer = await loadTokenizer(files.vlmFolder)
  const wordCount = golden['lang.tokens']!.shape[1]! // pad_language_to may be the longest of the batch
  const said = tasks.map((task) => tokenise(task, tokenizer, wordCount))
  computed['lang.tokens'] = joined(said.map(({ ids }) => Float32Array.from(ids)))
  computed['lang.mask'] = joined(said.map(({ mask }) => mask))

  const cameras = config.cameras.filter((camera) => `image.${camera}` in inputs)
  const wrap = config.wrapImages ? await readWrap(files, tokenizer) : undefined
  const wrapBefore = wrap ? wrap.before.length / config.text.width : 0
  const tokens = golden['prefix.pad_mask']!.shape[1]!
  const words = cameras.length * cameraTokens(config)
  const present = new Float32Array(batch * tokens)
  for (let b = 0; b < batch; b++) {
    present.fill(1, b * tokens, b * tokens + words + wordCount + 1)
    present.set(said[b]!.mask, b * tokens + words)
  }
  const pictures: Float32Array[] = []
  cameras.forEach((camera, which) => {
    const { shape, bytes } = inputs[`image.${camera}`]!
    const [, height, width] = shape as [number, number, number]
    const frame = 3 * height * width
    const all = new Float32Array(batch * 3 * imageSize ** 2)
    for (let b = 0; b < batch; b++) {
      const image = { width, height, data: bytes.subarray(b * frame, (b + 1) * frame) }
      all.set(preparePicture(image, imageSize), b * 3 * imageSize ** 2)
    }
    pictures.push(all)
    computed[`prep.${camera}`] = channelsFirst(all, batch, imageSize)
    const mask = inputs[`image_mask.${camera}`]?.data ?? new Float32Array(batch).fill(1)
    computed[`prep_mask.${camera}`] = mask
    for (let b = 0; b < batch; b++) {
      const from = b * tokens + which * cameraTokens(config) + wrapBefore
      present.fill(mask[b]!, from, from + pictureTokens(config))
    }
  })

  const width = inputs.state!.data.length / batch
  const state = new Float32Array(batch * config.stateSlots)
  const normalized = new Float32Array(batch * width)
  for (let b = 0; b < batch; b++) {
    const row = prepareState(inputs.state!.data.slice(b * width, (b + 1) * width), stateScaling, config.stateSlots)
    state.set(row, b * config.stateSlots)
    normalized.set(row.subarray(0, width), b * width)
  }
  computed['state.normalized'] = normalized
  computed['state.padded'] = state

  const eyes = cameras.map((camera) => input(`picture.${camera}`, [batch, imageSize, imageSize, 3]))
  const seen = eyes.map((eye) => vision(parameters, config, eye))
  const wordRows = input('words', [batch, wordCount, config.text.width])
  const stateInput = input('state', [batch, config.stateSlots])
  const presentInput = input('present', [batch, tokens])
  const stem = prefix(
    parameters,
    config,
    { pictures: seen.map((sight) => sight.tokens), words: wordRows, state: stateInput, present: presentInput },
    { wrap },
  )
  const outputs: Record<string, Tensor> = {}
  cameras.forEach((camera, which) => {
    const { embeddings, blocks, patches, tokens } = seen[which]!
    Object.assign(outputs, { [`vision.${camera}.embeddings`]: embeddings, [`vision.${camera}.last`]: patches })
    for (const [i, block] of blocks.entries()) outputs[`vision.${camera}.layer${i}`] = block
    outputs[`connector.${camera}`] = tokens
  })
  Object.assign(outputs, {
    'prefix.embs': stem.embeddings,
    'prefix.att_2d': cast(stem.seen, 'f32'),
    'prefix.position_ids': stem.positions,
    'prefix.attn0': stem.firstAttention,
    'prefix.final_norm': stem.final,
  })
  for (const [i, hidden] of stem.hidden.entries()) outputs[`prefix.hidden${i + 1}`] = hidden
  for (const [i, keys] of stem.keys.entries()) {
    outputs[`k${i}`] = keys
    outputs[`rows.k${i}`] = joinHeads(keys)
    outputs[`rows.v${i}`] = joinHeads(stem.values[i]!)
  }
  for (const [i, values] of stem.values.entries()) outputs[`v${i}`] = values

  const program = await compile({ name: 'golden smolvla', outputs, threads: 1 })
  for (const [which, camera] of cameras.entries()) program.set(`picture.${camera}`, pictures[which]!)
  program.set('words', await files.embed(computed['lang.tokens']))
  program.set('state', state)
  program.set('present', present)
  await program.run()
  Object.assign(computed, program.outputs, { 'prefix.pad_mask': present })
  const layers = Array.from({ length: config.text.layers }, (_, i) => i)
  computed['cache.k'] = joined(layers.map((i) => program.outputs[`k${i}`]!))
  computed['cache.v'] = joined(layers.map((i) => program.outputs[`v${i}`]!))
  Object.assign(computed, pooled(layers, program.outputs, present, batch))
  await program.release()

  Object.assign(computed, await act(folder, files, computed, present, batch))
  await files.close()
  return computed
}

/** h of every layer, and its halves. */
function pooled(layers: number[], outputs: Computed, present: Float32Array, batch: number): Computed {
  const rows = layers.map((i) => poolPrefix(outputs[`rows.k${i}`]!, outputs[`rows.v${i}`]!, present, batch))
  const width = rows[0]!.length / batch
  const half = (which: 0 | 1) =>
    rows.flatMap((row) =>
      Array.from({ length: batch }, (_, b) => {
        const from = b * width + (which * width) / 2
        return row.slice(from, from + width / 2)
      }),
    )
  return {
    'pool.k': joined(half(0)),
    'pool.v': joined(half(1)),
    'h.per_layer': joined(rows),
    'h.last': rows.at(-1)!,
    'h.mean': rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]! / rows.length, 0)),
  }
}

/** The action expert, from the prefix's keys and values to a chunk of actions. */
async function act(
  folder: string,
  files: Awaited<ReturnType<typeof openSmolVla>>,
  computed: Computed,
  present: Float32Array,
  batch: number,
): Promise<Computed> {
  const { config, parameters } = files
  const { noise } = await readGolden(join(folder, 'inputs.safetensors'))
  const { layers, keyHeads, headWidth } = config.text
  const tokens = present.length / batch
  const cache = (which: string) =>
    Array.from({ length: layers }, (_, i) => input(`${which}${i}`, [batch, keyHeads, tokens, headWidth]))
  const actions = input('actions', [batch, config.chunk, config.actionSlots])
  const flow = expert(parameters, config, {
    actions,
    time: input('time', [config.expert.width]),
    present: input('present', [batch, tokens]),
    keys: cache('k'),
    values: cache('v'),
  })
  const hidden = Object.fromEntries(flow.hidden.map((x, i) => [`expert.hidden${i + 1}_t1`, x]))
  const program = await compile({
    name: 'golden expert',
    outputs: {
      ...hidden,
      'suffix.embs_t1': flow.embeddings,
      'expert.v_t1': flow.velocity,
      next: flowStep(actions, flow.velocity, config.denoisingSteps),
    },
    threads: 1,
  })
  program.set('present', present)
  for (let i = 0; i < layers; i++) {
    program.set(`k${i}`, computed[`k${i}`]!)
    program.set(`v${i}`, computed[`v${i}`]!)
  }
  let x = noise!.data
  const result: Computed = {}
  const steps: Float32Array[] = []
  for (let k = 0; k < config.denoisingSteps; k++) {
    const time = timeEmbedding(config, 1 - k / config.denoisingSteps)
    program.set('actions', x)
    program.set('time', time)
    await program.run()
    if (k === 0) {
      for (const [name, values] of Object.entries(program.outputs)) result[name] = values.slice()
      result['suffix.time_emb_t1'] = joined(Array.from({ length: batch }, () => time))
    }
    x = program.outputs.next!.slice()
    steps.push(x)
  }
  await program.release()
  result['expert.x_steps'] = joined(steps)
  const rows = Array.from({ length: batch * config.chunk }, (_, row) =>
    x.slice(row * config.actionSlots, row * config.actionSlots + config.actionWidth),
  )
  result['action.chunk_normalized'] = joined(rows)
  const { scaling } = await readNormalisation('action', files)
  result['action.chunk'] = joined(rows.map((row) => restore(row, scaling)))
  return result
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function channelsFirst(images: Float32Array, batch: number, size: number): Float32Array {
  const out = new Float32Array(images.length)
  for (let b = 0; b < batch; b++)
    for (let pixel = 0; pixel < size * size; pixel++)
      for (let channel = 0; channel < 3; channel++)
        out[(b * 3 + channel) * size * size + pixel] = images[(b * size * size + pixel) * 3 + channel]!
  return out
}
