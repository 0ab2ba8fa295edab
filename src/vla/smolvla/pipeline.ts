/**
 * @file What policy_preprocessor.json says of a policy's inputs: new names of cameras, where the statistics are, what is
 * normalised by them, and what else was done that nobody does here.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson } from '../../formats/json.ts'
import { parseJson } from '../files.ts'
import { cameraOf } from './config.ts'

const PIPELINE = 'policy_preprocessor.json'
const RENAMER = 'rename_observations_processor'
const NORMALISER = 'normalizer_processor'

const PipelineFile = z.object({
  steps: z.array(
    z.looseObject({
      registry_name: z.string().optional(), // steps of one's own have a class instead
      state_file: z.string().nullish(),
      config: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
})

const RenamerConfig = z.object({ rename_map: z.record(z.string(), z.string()).nullish() })

const NormaliserConfig = z.object({
  eps: z.number().min(0).default(1e-8),
  features: z.record(z.string(), z.unknown()).nullish(),
  norm_map: z.record(z.string(), z.string()).nullish(),
  normalize_observation_keys: z.array(z.string()).nullish(), // of the observation only these
  stats: z.record(z.string(), z.unknown()).nullish(), // where they stand in the JSON itself
})

export type Pipeline = {
  path: string
  renamed: Readonly<Record<string, string>> // from a camera of the data set, or robot, to the policy's
  /** The step that normalises; none: nothing is normalised. */
  normaliser?: {
    epsilon: number
    modes: Readonly<Record<string, string>> // by kind, as in config.json
    normalises(feature: string): boolean
    file?: string
    values?: Readonly<Record<string, unknown>>
  }
  /** Steps that change the inputs in ways that are not known here. */
  others: readonly string[]
}

/** Steps that are done here otherwise, or have nothing to do. */
const DONE = [
  RENAMER,
  NORMALISER,
  'tokenizer_processor',
  'smolvla_new_line_processor',
  'to_batch_processor',
  'device_processor',
]

const REMEDY = 'Take the file that was published with the weights'

/** Undefined where the folder has none, as before lerobot 0.4. @throws InputError if it is cut, or naming the field */
export async function readPipeline(folder: string): Promise<Pipeline | undefined> {
  const path = join(folder, PIPELINE)
  if (!(await stat(path).catch(() => undefined))) return undefined
  const { steps } = parseJson(PipelineFile, await readJson(path, REMEDY), path, REMEDY)
  const configsOf = <T>(name: string, schema: z.ZodType<T>) =>
    steps.flatMap((step, index) => {
      if (step.registry_name !== name) return []
      return [{ ...step, config: parseJson(schema, step.config ?? {}, `${path}: steps.${index}.config`, REMEDY) }]
    })
  const renamers = configsOf(RENAMER, RenamerConfig)
  const [normaliser, second] = configsOf(NORMALISER, NormaliserConfig)
  if (second) throw new InputError(path, `has several steps ${NORMALISER}`, 'Leave the one that normalises the state')
  return {
    path,
    renamed: renamers.reduce<Record<string, string>>((before, { config }) => rename(before, config.rename_map), {}),
    normaliser: normaliser && normaliserOf(normaliser, folder),
    others: steps.map(nameOf).filter((name) => !DONE.includes(name)),
  }
}

const nameOf = (step: { registry_name?: string; [key: string]: unknown }): string =>
  step.registry_name ?? String(step.class ?? 'without a name')

/** What two renamers one after the other do: the second sees the names that the first has given. */
function rename(before: Readonly<Record<string, string>>, map: Readonly<Record<string, string>> | null | undefined) {
  const then = Object.fromEntries(Object.entries(map ?? {}).map((pair) => pair.map(cameraOf) as [string, string]))
  const passedOn = Object.entries(before).map(([from, to]): [string, string] => [
    from,
    Object.hasOwn(then, to) ? then[to]! : to,
  ])
  const gone = Object.values(before)
  const fresh = Object.entries(then).filter(([from]) => !gone.includes(from))
  return Object.fromEntries([...passedOn, ...fresh])
}

function normaliserOf(
  { config, state_file: file }: { config: z.infer<typeof NormaliserConfig>; state_file?: string | null },
  folder: string,
): NonNullable<Pipeline['normaliser']> {
  const { eps: epsilon, features, norm_map: modes, normalize_observation_keys: keys, stats } = config
  const isFilled = (given: object | null | undefined) => given != null && Object.keys(given).length > 0
  return {
    epsilon,
    modes: modes ?? {},
    normalises: (feature) =>
      (!isFilled(features) || Object.hasOwn(features!, feature)) &&
      (!feature.startsWith('observation.') || keys == null || keys.includes(feature)),
    file: file ? join(folder, file) : undefined,
    values: isFilled(stats) ? stats! : undefined,
  }
}
