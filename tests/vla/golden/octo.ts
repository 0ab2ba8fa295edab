/** @file Every intermediate of an Octo checkpoint that a golden folder lists, computed by our graph from its inputs. */
import { join } from 'node:path'
import { cast, compile, input, mean, type Tensor } from '../../../src/graph/index.ts'
import { t5Encoder } from '../../../src/nets/t5.ts'
import { cosineSchedule, denoise, predictedNoise } from '../../../src/vla/octo/head.ts'
import { octo } from '../../../src/vla/octo/model.ts'
import { pictureSize, T5_NAMES } from '../../../src/vla/octo/plan.ts'
import { type Presence, presence, sequenceOf } from '../../../src/vla/octo/sequence.ts'
import { type OctoWeights, openOcto } from '../../../src/vla/octo/weights.ts'
import { type Golden, readGolden } from './compare.ts'

export type Computed = Record<string, Float32Array>
type Goldens = Record<string, Golden>

export async function computeOcto(folder: string): Promise<Computed> {
  const inputs = await readGolden(join(folder, 'inputs.safetensors'))
  const golden = await readGolden(join(folder, 'expected.safetensors'))
  const files = await openOcto(folder)
  const language = await computeLanguage(files, inputs)
  const whole = await computeWindow(files, inputs, language)
  const absent = await computeWindow(files, inputs, language, { language: false })
  const last = await computeWindow(files, inputs, language, { window: 1 })
  const times = Object.keys(golden).flatMap((name) => /^head\.eps_t(\d+)$/.exec(name)?.[1] ?? [])
  const head = await computeHead(files, inputs, whole.readout_action!, times.map(Number))
  await files.close()
  return {
    ...whole,
    ...head,
    'language.t5': language,
    'nolang.h': absent.h!,
    'w1.h': last.h!,
    'w1.readout_action': last.readout_action!,
  }
}

async function computeLanguage({ config, parameters, embed }: OctoWeights, inputs: Goldens): Promise<Float32Array> {
  const ids = inputs['language.input_ids']!
  const shape = ids.shape as [number, number]
  const words = input('words', [...shape, config.language.width])
  const { final } = t5Encoder(parameters, config.language, words, input('mask', shape), T5_NAMES)
  const program = await compile({ name: 'golden t5', outputs: { final }, threads: 1 })
  program.set('words', await embed(ids.data))
  program.set('mask', inputs['language.attention_mask']!.data)
  await program.run()
  const result = program.outputs.final!.slice()
  await program.release()
  return result
}

/** `window` 1 is the way ConRFT calls Octo: the last frame, and everything present. */
async function computeWindow(
  { config, parameters, tokens }: OctoWeights,
  inputs: Goldens,
  language: Float32Array,
  { window, language: said = true }: { window?: 1; language?: boolean } = {},
): Promise<Computed> {
  const names = config.cameras.map(({ name }) => name).filter((name) => `image_${name}` in inputs)
  const [batch, frames] = inputs[`image_${names[0]}`]!.shape as [number, number]
  const steps = window ?? frames
  const sequence = sequenceOf(
    config,
    names.map((name) => ({ name, tokens: tokens[name]! })),
    steps,
  )
  const pictures = names.map((name): [string, Tensor] => {
    const size = pictureSize(tokens[name]!)
    return [name, input(`picture.${name}`, [batch, steps, size, size, 3])]
  })
  const words = input('language', [batch, config.words, config.language.width])
  const present = input('present', [batch, sequence.length])
  const model = octo(parameters, config, sequence, { pictures: Object.fromEntries(pictures), language: words, present })

  const outputs: Record<string, Tensor> = { h: model.h }
  for (const [camera, { convolutions, norms, tokens: cells }] of Object.entries(model.stems)) {
    for (const [i, x] of convolutions.entries()) outputs[`stem.${camera}.conv${i}`] = x
    for (const [i, x] of norms.entries()) outputs[`stem.${camera}.gn${i}`] = x
    outputs[`stem.${camera}.embedding`] = cells
  }
  for (const [name, x] of Object.entries(model.projected)) outputs[`proj.${name}`] = x
  for (const [i, x] of model.blocks.entries()) outputs[`transformer.block${i}`] = x
  Object.assign(outputs, {
    sequence: model.tokens,
    attention_mask: cast(model.seen, 'f32'),
    'transformer.attn0': model.firstAttention,
    'transformer.out': model.out,
  })
  const program = await compile({ name: 'golden octo', outputs, threads: 1 })
  for (const name of names) {
    const { data } = inputs[`image_${name}`]!
    const row = data.length / batch / frames
    const chosen = Array.from({ length: batch }, (_, b) =>
      data.slice((b * frames + frames - steps) * row, (b + 1) * frames * row),
    )
    program.set(
      `picture.${name}`,
      chosen.flatMap((values) => [...values]),
    )
  }
  program.set('language', language)
  const rows = Array.from({ length: batch }, (_, b): Presence => {
    const flag = (name: string, step: number) => inputs[name]?.data[b * frames + step] !== 0
    return {
      language: said,
      steps: Array.from({ length: steps }, (_, step) => window === 1 || flag('timestep_pad_mask', step)),
      camera: (camera, step) => window === 1 || flag(`pad_mask.image_${camera}`, step),
    }
  })
  const seen = rows.map((row) => presence(sequence, row))
  program.set(
    'present',
    seen.flatMap((row) => [...row]),
  )
  await program.run()
  const computed: Computed = Object.fromEntries(Object.entries(program.outputs).map(([key, x]) => [key, x.slice()]))
  await program.release()

  const groups = { task_language: 'language', obs_task_language: 'said', readout_action: 'readout' } as const
  const named = [...Object.entries(groups), ...names.map((name) => [`obs_${name}`, { camera: name }] as const)]
  for (const [name, group] of named) {
    const spans = sequence.spans.filter((span) => JSON.stringify(span.group) === JSON.stringify(group))
    const pick = (values: ArrayLike<number>[], width: number) =>
      Float32Array.from(
        values.flatMap((row) =>
          spans.flatMap(({ from, count }) => Array.from(row).slice(from * width, (from + count) * width)),
        ),
      )
    const out = computed['transformer.out']!
    const size = out.length / batch
    computed[name] = pick(
      rows.map((_, b) => out.subarray(b * size, (b + 1) * size)),
      config.width,
    )
    computed[`mask.${name}`] = pick(seen, 1)
  }
  return computed
}

/** Octo's own diffusion head: every frame of the window is a row. */
async function computeHead(
  { config, parameters }: OctoWeights,
  inputs: Goldens,
  readouts: Float32Array,
  times: readonly number[],
): Promise<Computed> {
  const noisy = inputs['head.noisy']!
  const head = config.head!
  const { steps, actions: dimensions, horizon } = head
  const chunk = dimensions * horizon
  const rows = noisy.data.length / chunk
  const h = mean(input('h', [rows, config.readouts, config.width]), [1])
  const noise = predictedNoise(parameters, { head }, h, input('actions', [rows, chunk]), input('time', [rows, 1]))
  const program = await compile({ name: 'golden octo head', outputs: { noise }, threads: 1 })
  program.set('h', readouts)
  const predict = async (actions: Float32Array, time: number) => {
    program.set('actions', actions)
    program.set('time', new Float32Array(rows).fill(time))
    await program.run()
    return program.outputs.noise!.slice()
  }
  const schedule = cosineSchedule(steps)
  const computed: Computed = {
    'head.betas': Float32Array.from(schedule.beta),
    'head.alpha_hats': Float32Array.from(schedule.alphaBar),
  }
  for (const time of times) computed[`head.eps_t${time}`] = await predict(noisy.data, time)
  const states: number[] = []
  let x = noisy.data
  for (let time = steps - 1; time >= 0; time--) {
    const at = (steps - 1 - time) * x.length
    x = denoise(schedule, time, x, await predict(x, time), inputs['head.z']!.data.subarray(at, at + x.length))
    states.push(...x)
  }
  await program.release()
  computed['head.x_steps'] = Float32Array.from(states)
  const [batch, window] = noisy.shape as [number, number]
  const last = Array.from({ length: batch }, (_, b) => [
    ...x.slice((b * window + window - 1) * chunk, (b + 1) * window * chunk),
  ])
  computed['head.actions'] = Float32Array.from(last.flat())
  return computed
}
