/** @file What SmolVLA's network takes: pictures resized with padding, the state normalised and padded (lerobot, `prepare_images`, `prepare_state`). */
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import type { TensorFile } from '../../formats/tensor-file.ts'
import type { Image } from '../../robot/robot.ts'
import type { SmolVlaConfig } from './config.ts'

const BLACK = -1 // of a picture in [-1, 1]

/**
 * The image in [-1, 1], scaled to fit `size` x `size` with black above and to the left: [size, size, 3]. Bilinear with
 * half-pixel centres and without antialiasing, as torch's `interpolate` does it; an image of the right size stays as it is.
 */
export function preparePicture(image: Image, size: number): Float32Array {
  const { width, height, data } = image
  const shrink = Math.max(width / size, height / size)
  const fits = width === size && height === size
  const [columns, rows] = fits ? [width, height] : [Math.trunc(width / shrink), Math.trunc(height / shrink)]
  const out = new Float32Array(3 * size * size).fill(BLACK)
  const across = interpolation(columns, width)
  const down = interpolation(rows, height)
  for (let y = 0; y < rows; y++) {
    const [top, bottom] = [3 * width * down.low[y]!, 3 * width * down.high[y]!]
    const fall = down.share[y]!
    let to = 3 * (size * (size - rows + y) + size - columns)
    for (let x = 0; x < columns; x++) {
      const [left, right] = [3 * across.low[x]!, 3 * across.high[x]!]
      const run = across.share[x]!
      for (let channel = 0; channel < 3; channel++) {
        const above = (1 - run) * data[top + left + channel]! + run * data[top + right + channel]!
        const below = (1 - run) * data[bottom + left + channel]! + run * data[bottom + right + channel]!
        out[to++] = (2 * ((1 - fall) * above + fall * below)) / 255 - 1
      }
    }
  }
  return out
}

/** For each of `count` new pixels: the two old ones of `from` that it lies between, and the share of the second. */
function interpolation(count: number, from: number) {
  const low = new Int32Array(count)
  const high = new Int32Array(count)
  const share = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / count - 0.5)
    low[i] = Math.min(from - 1, Math.floor(at))
    high[i] = Math.min(from - 1, low[i]! + 1)
    share[i] = at - low[i]!
  }
  return { low, high, share }
}

/** Centres and scales one kind of vector: y = (x - shift) scale + offset, or its inverse. */
export type Scaling = { shift: Float32Array; scale: Float32Array; offset: number }

export type Scalings = { state?: Scaling; action?: Scaling }

/**
 * The state as the network takes it: normalised where the checkpoint's statistics have the robot's width, and raw
 * where they are those of another robot; cut or padded with zeros to `slots`.
 */
export function prepareState(state: Float32Array, scaling: Scaling | undefined, slots: number): Float32Array {
  const out = new Float32Array(slots)
  const fits = scaling?.shift.length === state.length
  for (let i = 0; i < Math.min(slots, state.length); i++)
    out[i] = fits ? (state[i]! - scaling.shift[i]!) * scaling.scale[i]! + scaling.offset : state[i]!
  return out
}

const Processor = z.object({
  steps: z.array(
    z.object({
      registry_name: z.string(),
      state_file: z.string().optional(),
      config: z.looseObject({ eps: z.number().default(1e-8) }).default({ eps: 1e-8 }),
    }),
  ),
})

const PROCESSOR = 'policy_preprocessor.json'
const NORMALISER = 'normalizer_processor'
const FEATURES = { state: 'observation.state', action: 'action' } as const

/**
 * The statistics that the policy was trained with: from the file that policy_preprocessor.json names, or, in
 * checkpoints before lerobot 0.4, from the weights' own file. Without any, vectors stay raw.
 * @throws InputError on a damaged file
 */
export async function readScalings(folder: string, config: SmolVlaConfig, weights: TensorFile): Promise<Scalings> {
  const path = join(folder, PROCESSOR)
  const json = await readJson(path, '').catch(() => undefined)
  if (json === undefined) return scalings(config, legacyStatistics(weights), 1e-8)
  const parsed = Processor.safeParse(json)
  const step = parsed.data?.steps.find(({ registry_name }) => registry_name === NORMALISER)
  if (!step)
    throw new InputError(path, `has no step ${NORMALISER}`, 'Take the file that was published with the weights')
  if (!step.state_file) return {}
  const file = await openSafetensors(join(folder, step.state_file))
  try {
    return await scalings(
      config,
      (feature, statistic) => {
        const name = `${feature}.${statistic}`
        return file.tensors.has(name) ? file.read(name) : undefined
      },
      step.config.eps,
    )
  } finally {
    await file.close()
  }
}

type Statistics = (feature: string, statistic: string) => Promise<Float32Array> | undefined

/** `normalize_inputs.buffer_observation_state.mean`, some with the data set's name before `buffer_`. */
function legacyStatistics(weights: TensorFile): Statistics {
  return (feature, statistic) => {
    const ending = `buffer_${feature.replaceAll('.', '_')}.${statistic}`
    const name = [...weights.tensors.keys()].find((key) => /^normalize_/.test(key) && key.endsWith(ending))
    return name ? weights.read(name) : undefined
  }
}

async function scalings(config: SmolVlaConfig, read: Statistics, epsilon: number): Promise<Scalings> {
  const result: Scalings = {}
  for (const [kind, feature] of Object.entries(FEATURES) as [keyof Scalings, string][])
    result[kind] = await scaling(config.normalisation[kind.toUpperCase()] ?? 'IDENTITY', feature, read, epsilon)
  return result
}

const RANGES: Record<string, readonly [string, string]> = { MIN_MAX: ['min', 'max'], QUANTILES: ['q01', 'q99'] }

async function scaling(mode: string, feature: string, read: Statistics, epsilon: number): Promise<Scaling | undefined> {
  if (mode === 'IDENTITY') return undefined
  if (mode === 'MEAN_STD') {
    const [mean, deviation] = [await read(feature, 'mean'), await read(feature, 'std')]
    return mean && deviation && { shift: mean, scale: deviation.map((std) => 1 / (std + epsilon)), offset: 0 }
  }
  const range = RANGES[mode]
  if (!range)
    throw new InputError(
      `normalization_mapping of ${feature}`,
      `is ${mode}`,
      `Known are IDENTITY, MEAN_STD, ${Object.keys(RANGES).join(', ')}`,
    )
  const [low, high] = [await read(feature, range[0]), await read(feature, range[1])]
  return low && high && { shift: low, scale: high.map((top, i) => 2 / (top - low[i]! || epsilon)), offset: -1 }
}

/** The inverse of a scaling: an action of the network as the robot's. */
export function restore(values: Float32Array, scaling: Scaling | undefined): Float32Array {
  return scaling ? values.map((y, i) => (y - scaling.offset) / scaling.scale[i]! + scaling.shift[i]!) : values.slice()
}
