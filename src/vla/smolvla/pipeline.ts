/** @file What policy_preprocessor.json says of a policy's inputs: new names of cameras, and where the statistics are. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
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
  stats: z.record(z.string(), z.unknown()).nullish(), // where they stand in the JSON itself
})

export type Pipeline = {
  path: string
  renamed: Readonly<Record<string, string>> // from a camera of the data set, or robot, to the policy's
  /** The step that normalises; none: nothing is normalised. */
  normaliser?: { epsilon: number; file?: string; values?: Readonly<Record<string, unknown>> }
}

const REMEDY = 'Take the file that was published with the weights'

/** Undefined where the folder has none, as before lerobot 0.4. @throws InputError if it is cut, or naming the field */
export async function readPipeline(folder: string): Promise<Pipeline | undefined> {
  const path = join(folder, PIPELINE)
  if (!(await stat(path).catch(() => undefined))) return undefined
  const { steps } = parseJson(PipelineFile, await readJson(path, REMEDY), path, REMEDY)
  const configOf = <T>(name: string, schema: z.ZodType<T>) => {
    const index = steps.findIndex(({ registry_name }) => registry_name === name)
    const step = steps[index]
    return step && { ...step, config: parseJson(schema, step.config ?? {}, `${path}: steps.${index}.config`, REMEDY) }
  }
  const renamer = configOf(RENAMER, RenamerConfig)
  const normaliser = configOf(NORMALISER, NormaliserConfig)
  return {
    path,
    renamed: Object.fromEntries(
      Object.entries(renamer?.config.rename_map ?? {}).map((pair) => pair.map(cameraOf) as [string, string]),
    ),
    normaliser: normaliser && {
      epsilon: normaliser.config.eps,
      file: normaliser.state_file ? join(folder, normaliser.state_file) : undefined,
      values: normaliser.config.stats ?? undefined,
    },
  }
}
