/**
 * @file The statistics that a SmolVLA policy was trained with: where they are, of which data set, whether they can be
 * used. Every answer is a line that a person can read; what is damaged is refused by name.
 */

import { InputError } from '../../errors.ts'
import { openSafetensors } from '../../formats/safetensors-file.ts'
import type { TensorFile } from '../../formats/tensor-file.ts'
import type { SmolVlaConfig } from './config.ts'
import type { Pipeline } from './pipeline.ts'
import type { Scaling } from './preprocess.ts'

export type Normalisation = {
  scaling?: Scaling // none: the vector goes in as it is
  line: string // which statistics are used, or why none
}

export type StatisticsSource = {
  config: SmolVlaConfig
  pipeline: Pipeline | undefined
  file: TensorFile // of the weights, which have them where there is no pipeline, as before lerobot 0.4
}

export type StatisticsChoice = {
  set?: string // the setting vlaStatistics: a data set's name, or 'none'
  width?: number // of the robot's vector; statistics of another width are another robot's
}

/** The setting that uses none. */
const NONE = 'none'
const SETTING = 'setting "vlaStatistics"'
const DAMAGED = `Take the file that was published with the weights, or set vlaStatistics=${NONE}: the state then goes in as it is`

const FEATURES = { state: 'observation.state', action: 'action' } as const

/** The two statistics that each way to normalise needs (lerobot's NormalizationMode). */
const NEEDS: Readonly<Record<string, readonly [string, string]>> = {
  MEAN_STD: ['mean', 'std'],
  MIN_MAX: ['min', 'max'],
  QUANTILES: ['q01', 'q99'],
  QUANTILE10: ['q10', 'q90'],
}

/** Named vectors in one place. */
type Store = {
  where: string
  names: readonly string[]
  read(name: string): Promise<Float32Array>
  close(): Promise<void>
}

/** @throws InputError on statistics that are damaged, incomplete or not finite, and on a choice that is not there */
export async function readNormalisation(
  kind: keyof typeof FEATURES,
  source: StatisticsSource,
  { set, width }: StatisticsChoice = {},
): Promise<Normalisation> {
  const mode = source.config.normalisation[kind.toUpperCase()] ?? 'IDENTITY'
  const raw = (why: string): Normalisation => ({ line: `${kind}: as it is, not normalised: ${why}` })
  const { path, normaliser } = source.pipeline ?? {}
  const contradiction = otherMode(mode, normaliser?.modes[kind.toUpperCase()])
  if (mode === 'IDENTITY') return raw(['the policy was trained so (IDENTITY)', ...contradiction].join('; '))
  if (set === NONE) return raw(`${SETTING} is ${NONE}`)
  if (!Object.hasOwn(NEEDS, mode))
    throw new InputError(
      `normalization_mapping of ${FEATURES[kind]}`,
      `is ${mode}`,
      `Known are IDENTITY, ${Object.keys(NEEDS).join(', ')}`,
    )
  if (normaliser && !normaliser.normalises(FEATURES[kind])) return raw(`${path} leaves ${FEATURES[kind]} out`)
  const store = await openStore(source)
  try {
    const sets = setsOf(store.names, FEATURES[kind])
    const chosen = choose(sets, set, store.where, FEATURES[kind])
    if (typeof chosen !== 'string') return raw(chosen.why)
    const scaling = await scalingOf(mode, sets.get(chosen)!, store, normaliser?.epsilon ?? EPSILON)
    const [whose, found] = [chosen && ` of data set ${chosen}`, scaling.shift.length]
    if (width === undefined || width === found)
      return {
        scaling,
        line: [
          `${kind}: normalised (${mode}) by the statistics${whose} in ${store.where}`,
          ...contradiction,
          ...stillEntries(scaling),
        ].join('; '),
      }
    const what = `the statistics${whose} in ${store.where} are of ${found} values, the robot's ${kind} has ${width}`
    if (set !== undefined) throw new InputError(SETTING, what, `Choose another data set, or ${NONE}`)
    return raw(what)
  } finally {
    await store.close()
  }
}

const otherMode = (mode: string, said = mode): string[] =>
  said === mode ? [] : [`its pipeline says ${said}, its config.json counts`]

function stillEntries({ scale }: Scaling): string[] {
  const still = [...scale.keys()].filter((i) => scale[i] === 0)
  return still.length ? [`entries that never moved in the data (${still.join(', ')}) say nothing`] : []
}

const EPSILON = 1e-8 // lerobot's, where the file names none

async function openStore({ pipeline, file: weights }: StatisticsSource): Promise<Store> {
  const close = async () => undefined
  if (!pipeline) {
    const names = [...weights.tensors.keys()].filter((name) => LEGACY.test(name))
    return { where: weights.path, names, read: (name) => weights.read(name), close }
  }
  const { path, normaliser } = pipeline
  if (!normaliser)
    throw new InputError(path, 'has no step normalizer_processor', 'Take the file that was published with the weights')
  if (normaliser.values) {
    const values = new Map(leavesOf(normaliser.values))
    return { where: path, names: [...values.keys()], read: async (name) => vector(values.get(name), path, name), close }
  }
  if (normaliser.file === undefined)
    return { where: path, names: [], read: async (name) => vector(undefined, path, name), close }
  const file = await openSafetensors(normaliser.file)
  return {
    where: file.path,
    names: [...file.tensors.keys()],
    read: (name) => file.read(name),
    close: () => file.close(),
  }
}

/** Before lerobot 0.4: `normalize_inputs.so100_buffer_observation_state.mean` among the weights. */
const LEGACY = /^(?:normalize_inputs|normalize_targets|unnormalize_outputs)\.?/

/** The names of a feature's statistics, by data set and statistic: `so100.buffer.observation.state.mean`; '' is one without a name. */
function setsOf(names: readonly string[], feature: string): Map<string, Map<string, string>> {
  const end = new RegExp(`^(.*?)(?:^|[./:]|__|_(?=buffer))(?:buffer[._])?${feature.replaceAll('.', '[._]')}\\.(\\w+)$`)
  const sets = new Map<string, Map<string, string>>()
  for (const name of names) {
    const [, set, statistic] = end.exec(name.replace(LEGACY, '')) ?? []
    if (set === undefined || statistic === undefined) continue
    const known = sets.get(set) ?? new Map<string, string>()
    sets.set(set, known.set(statistic, name))
  }
  return sets
}

/** Which data set's statistics are meant; among several nothing is guessed. @throws InputError if there is no such set */
function choose(
  sets: ReadonlyMap<string, unknown>,
  set: string | undefined,
  where: string,
  feature: string,
): string | { why: string } {
  const names = [...sets.keys()].filter(Boolean)
  if (set !== undefined) {
    if (set && sets.has(set)) return set
    const known = names.length ? `It has those of ${names.join(', ')}` : 'Its statistics are of no named data set'
    throw new InputError(SETTING, `${where} has no ${feature} of data set ${set}`, `${known}; ${NONE} uses none`)
  }
  if (sets.has('')) return ''
  if (names.length === 1) return names[0]!
  if (names.length === 0) return { why: `${where} has no statistics of ${feature}` }
  return { why: `${where} has those of ${names.length} data sets (${names.join(', ')}), choose by ${SETTING}` }
}

/**
 * An entry that never moved in the data has the scale 0 and becomes what it was then: the reference divides a robot's
 * difference from it by 1e-8, and nothing else would be seen in the vector.
 */
async function scalingOf(
  mode: string,
  names: ReadonlyMap<string, string>,
  { where, read }: Store,
  epsilon: number,
): Promise<Scaling> {
  const [first, second] = await Promise.all(
    NEEDS[mode]!.map(async (statistic) => {
      const name = names.get(statistic)
      if (name === undefined) {
        const has = [...names.values()].join(', ')
        throw new InputError(where, `has no ${statistic}, which ${mode} needs (there are: ${has})`, DAMAGED)
      }
      return { name, values: requireFinite(await read(name), where, name) }
    }),
  )
  const low = first!.values
  const { name, values: high } = second!
  if (low.length !== high.length)
    throw new InputError(where, `has ${low.length} values of ${first!.name}, ${high.length} of ${name}`, DAMAGED)
  const spread = mode === 'MEAN_STD' ? high : high.map((top, i) => top - low[i]!)
  const wrong = spread.findIndex((value) => !(value >= 0))
  if (wrong >= 0)
    throw new InputError(
      `${where}, ${name}[${wrong}]`,
      mode === 'MEAN_STD' ? `is ${high[wrong]}, no deviation` : `is ${high[wrong]}, ${first!.name} is ${low[wrong]}`,
      DAMAGED,
    )
  return mode === 'MEAN_STD'
    ? { shift: low, scale: spread.map((deviation) => deviation && 1 / (deviation + epsilon)), offset: 0 }
    : { shift: low, scale: spread.map((range) => range && 2 / range), offset: -1 }
}

/** Statistics that were never filled are infinite in some checkpoints. */
function requireFinite(values: Float32Array, where: string, name: string): Float32Array {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at < 0 && values.length > 0) return values
  throw new InputError(`${where}, ${name}[${Math.max(at, 0)}]`, `is ${values[at] ?? 'missing'}, no statistic`, DAMAGED)
}

/** Lists in nested objects, by their keys joined with dots. */
function leavesOf(values: Readonly<Record<string, unknown>>, before = ''): [string, unknown][] {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leavesOf(value as Record<string, unknown>, `${before}${key}.`)
      : [[before + key, value] as [string, unknown]],
  )
}

function vector(value: unknown, where: string, name: string): Float32Array {
  const list = [value].flat(Number.POSITIVE_INFINITY)
  const strange = list.find((item) => typeof item !== 'number')
  if (strange === undefined && list.length) return Float32Array.from(list as number[])
  throw new InputError(`${where}, ${name}`, `is ${JSON.stringify(value)}, not a list of numbers`, DAMAGED)
}
