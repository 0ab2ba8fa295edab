/** @file Every setting of a run in one schema: types, defaults, bounds and help text. Presets are partial objects that pass through it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { SetMapping } from '../formats/lerobot/mapping.ts'
import { DEVICES } from '../graph/index.ts'
import { METHODS } from '../learn/actors.ts'
import { LearnerConfig, NetworkConfig } from '../learn/config.ts'
import { PlanConfig } from '../policies/config.ts'
import { RewardConfig } from '../reward/config.ts'
import { RobotConfig } from '../robots/index.ts'
import { ENCODERS } from '../vla/encoders.ts'
import { PRECISIONS } from '../vla/int8/precision.ts'
import { absolutePaths } from './paths.ts'

/** With `--resume`: what was recorded and learned before stays what it is with another value. Said of each setting, or of a group. */
const MAY_CHANGE = { mayChange: true }
/** A run has it for its whole life. */
const FIXED = { mayChange: false }

const positive = (text: string) => z.number().gt(0).describe(text)
const count = (text: string, least = 1) => z.int().min(least).describe(text)

const DemonstrationConfig = z.strictObject({
  perTask: count('demonstrations per task and robot that the warm-up starts from').default(20),
  noise: z.number().min(0).max(0.5).default(0.05).describe('spread of the demonstrator, action units'),
  by: z
    .enum(['expert', 'person'])
    .default('expert')
    .describe(
      'who demonstrates in simulation. person: by a device, seen late, one or two axes at a time at a few speeds, the gripper by a button',
    ),
  path: z
    .string()
    .optional()
    .describe(
      'folder of recorded demonstrations, or of a LeRobot dataset (of further robots: in subfolders named by their cells); without it they are recorded at the start',
    )
    .meta(MAY_CHANGE),
  mapping: SetMapping.optional().describe(
    'of a LeRobot dataset: what its columns mean to the robot, as `duet data map` proposes it',
  ),
})

const ReplayConfig = z.strictObject({
  capacity: count('transitions kept in memory', 1000).default(200_000).meta(MAY_CHANGE),
  shiftedCopies: count('augmented copies of each observation, encoded once on arrival', 0).default(1),
  shift: count('pixels that the images of a copy are shifted by at most', 0).default(4),
})

const WarmUpConfig = z.strictObject({
  updates: count('joint updates on demonstrations before the first online step', 0).default(20_000),
  heads: count('heads that are cloned in turn and act together at step 0; 1 is the paper').default(1),
  cloningSteps: count('cloning steps of each of them, beside those of the joint updates; 0 is the paper', 0).default(0),
  bcWeight: z.number().min(0).default(1).describe('lambda_1 of the primary actor'),
  qWeight: z.number().min(0).default(0.1).describe('lambda_2 of the primary actor'),
})

const OnlineConfig = z.strictObject({
  robotMinutes: z
    .number()
    .min(0)
    .default(60)
    .describe('length of the online phase (steps of one robot / 10 Hz); several robots act at the same time')
    .meta(MAY_CHANGE),
  bcWeight: z.number().min(0).default(0.5).describe('lambda_1 of the primary actor'),
  qWeight: z.number().min(0).default(0.5).describe('lambda_2 of the primary actor'),
  pace: positive('speed of a simulated robot against real time, 1000 where it is left out; a real robot runs at 1')
    .optional()
    .meta(MAY_CHANGE),
  lockstep: z
    .boolean()
    .default(false)
    .describe('tie updates to steps of a simulated robot, so that a seed gives one curve on every machine'),
  updatesPerStep: positive('joint updates for each step of any robot in lock-step mode').default(0.5),
  publishEvery: count(
    'steps of all robots (lock-step) or updates (free) between two publications to the actors',
  ).default(50),
  startAfter: count('online transitions before the first update', 0).default(100),
  exploration: z
    .strictObject({
      after: count(
        'steps for which the arm stands still, in practice, before something else is tried; 0 is the paper: never',
        0,
      ).default(0),
      hold: count('steps for which it is tried').default(3),
      reach: z.number().min(0).max(1).default(0.5).describe('largest entry of a translation that is tried'),
      gripper: z.number().min(0).max(1).default(0.5).describe('how often it is the hand that opens or closes instead'),
    })
    .prefault({}),
})

const OperatorConfig = z.strictObject({
  kind: z.enum(['simulated', 'none']).default('simulated').describe('who tends the robot'),
  strength: z
    .enum(['strong', 'weak', 'person'])
    .default('strong')
    .describe('weak: later, noisier, sometimes wrong. person: as demonstrations.by says'),
  speaks: z
    .boolean()
    .default(false)
    .describe(
      'the simulated operator says a command where the error is small, and takes over where it is not, where words do not help, or where the method follows none',
    ),
})

const TalkConfig = z.strictObject({
  window: count('J: steps that one command sums over').default(5),
  threshold: positive('sigma: metres an axis must move to be spoken of').default(0.001),
})

const EvaluationConfig = z.strictObject({
  trials: count('fresh seeds per task at the end and before the first online step', 1).default(25).meta(MAY_CHANGE),
  everyRobotMinutes: positive('robot minutes between two evaluations on the way').default(10).meta(MAY_CHANGE),
  trialsOnTheWay: count('trials per task of an evaluation on the way', 0).default(0).meta(MAY_CHANGE),
  firstSeed: z.int().default(1_000_000).describe('evaluation seeds start here; training never reaches them'),
  noise: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("spread of the policy's noise in evaluations; 1 is that of practice and of the paper, 0 none"),
  exploration: count(
    'steps for which the arm stands still in an evaluation before something is tried as in practice (online.exploration); 0: never',
    0,
  ).default(0),
})

export const RunConfig = z.strictObject({
  seed: z.int().min(0).default(0).describe('all random streams of the run derive from it').meta(FIXED),
  method: z
    .enum(METHODS)
    .default('dual')
    .describe('how the policy is trained: ours, or a baseline on the same networks')
    .meta(FIXED),
  tasks: z
    .array(z.string())
    .min(1)
    .default(['place', 'pick', 'assemble'])
    .describe('tasks that share the policy')
    .meta(FIXED),
  vla: z.enum(ENCODERS).default('nano').describe('the frozen encoder').meta(FIXED),
  vlaPath: z
    .string()
    .optional()
    .describe(
      "folder with the encoder's published files, or the name of a pulled model; without it what `duet pull` fetched for it",
    )
    .meta(MAY_CHANGE),
  vlaLayer: count('smolvla: layer whose keys and values make the embedding, from 0; without it the last', 0)
    .optional()
    .meta(FIXED),
  vlaCameras: z
    .record(z.string(), z.string().nullable())
    .default({})
    .describe(
      "smolvla, octo: the robot's camera for a camera of the encoder, as vlaCameras.camera1=wrist; null leaves one empty. Others are paired by the published rename_map, by name, then in order",
    )
    .meta(FIXED),
  vlaStatistics: z
    .string()
    .min(1)
    .optional()
    .describe(
      "smolvla: data set among the checkpoint's statistics that normalises the state, or `none`; without it the only one there is",
    )
    .meta(FIXED),
  precision: z
    .enum(PRECISIONS)
    .default('f32')
    .describe(
      'smolvla, octo: numbers that the encoder multiplies. int8 is two to three times as fast on a processor that multiplies bytes; f16 is for a GPU. Where one of them cannot be had, f32 is used and said',
    )
    .meta(FIXED),
  device: z
    .enum(DEVICES)
    .default('cpu')
    .describe('where the frozen encoder runs; actors and learner stay on the CPU')
    .meta(MAY_CHANGE),
  resnetPath: z
    .string()
    .optional()
    .describe(
      "resnet10_params.pkl, or `resnet10` after `duet pull resnet10`: its visual features in place of the encoder's own",
    )
    .meta(MAY_CHANGE),
  t5Path: z
    .string()
    .optional()
    .describe(
      "folder with a T5's published files, or `t5-base` after `duet pull t5-base`: it embeds the commands in place of the built-in embedding",
    )
    .meta(FIXED),
  robot: RobotConfig.prefault({}).meta(FIXED),
  reward: RewardConfig.prefault({}).meta(FIXED),
  demonstrations: DemonstrationConfig.prefault({}).meta(FIXED),
  replay: ReplayConfig.prefault({}).meta(FIXED),
  networks: NetworkConfig.prefault({}).meta(FIXED),
  warmUp: WarmUpConfig.prefault({}).meta(FIXED),
  online: OnlineConfig.prefault({}).meta(FIXED),
  learner: LearnerConfig.prefault({}).meta(FIXED),
  plan: PlanConfig.prefault({}).meta(MAY_CHANGE),
  operator: OperatorConfig.prefault({}).meta(MAY_CHANGE),
  talk: TalkConfig.prefault({}).meta(FIXED),
  evaluation: EvaluationConfig.prefault({}).meta(FIXED),
  checkpointEveryRobotMinutes: positive('robot minutes between two checkpoints').default(5).meta(MAY_CHANGE),
  keepCheckpoints: count('checkpoints that are kept, the newest ones').default(3).meta(MAY_CHANGE),
})
export type RunConfig = z.infer<typeof RunConfig>
type Partial_<T> = { [K in keyof T]?: T[K] extends object ? Partial_<T[K]> : T[K] }

const QUICK = {
  demonstrations: { noise: 0.2 },
  networks: { sees: 'h', criticsMove: 'noise', gripperGain: 5, pastHeads: 4 },
  replay: { shiftedCopies: 0 },
  warmUp: { updates: 1000, heads: 5, cloningSteps: 3000 },
  online: { robotMinutes: 15, lockstep: true, updatesPerStep: 0.3 },
  learner: {
    noiseGain: 0.1,
    cloningSteps: 1,
    clones: 'successful interventions',
    inputNoise: 0.25,
    actorAverage: 0.002,
    renewal: { every: 900 },
    returnSteps: 5,
    boundedTargets: true,
    targetRate: 0.01,
    conservativeWeight: 0,
    refinement: { obedience: 1 },
  },
  evaluation: { noise: 0.5 },
} as const satisfies Partial_<RunConfig>

/**
 * Where presets differ from the paper; `paper` is the schema's own defaults, with the updates tied to the simulated robots'
 * steps. `practice` is `quick` for robots that nobody corrects: heads begin anew on what succeeded (decision 68).
 */
export const presets: Record<'tiny' | 'quick' | 'practice' | 'paper', Partial_<RunConfig>> = {
  tiny: {
    tasks: ['pick', 'assemble'],
    demonstrations: { perTask: 2 },
    networks: { hidden: 32, proprioWidth: 16, spatialEmbeddings: 2, bottleneck: 32 },
    replay: { shiftedCopies: 0 },
    warmUp: { updates: 60 },
    online: { robotMinutes: 0.5, lockstep: true, updatesPerStep: 0.2, publishEvery: 20, startAfter: 20 },
    learner: { batch: 32, refinement: { batch: 16, startAfter: 4 }, conservativeSamples: 2, noiseGain: 0.1 },
    evaluation: { trials: 2, noise: 0.5 },
    checkpointEveryRobotMinutes: 0.1,
  },
  quick: QUICK,
  practice: {
    ...QUICK,
    online: { ...QUICK.online, robotMinutes: 30, updatesPerStep: 1, exploration: { after: 10 } },
    learner: { ...QUICK.learner, clones: 'successes', generation: 6000, renewal: { every: 0 } },
  },
  paper: { online: { lockstep: true } },
}
export type PresetName = keyof typeof presets

/** Where nobody says which. */
export const USUAL_PRESET: PresetName = 'quick'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Later layers win, key by key. @throws InputError for a key that no setting can have */
export function mergeSettings(...layers: unknown[]): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const layer of layers.filter(isObject))
    for (const [key, value] of Object.entries(layer))
      if (key === '__proto__') throw new InputError(key, 'is no setting', 'See `duet train --help` for the settings')
      else result[key] = isObject(value) && isObject(result[key]) ? mergeSettings(result[key], value) : value
  return result
}

/** `a.b.c=value` (value read as YAML) as a nested object. @throws InputError */
export function parseOverride(text: string): Record<string, unknown> {
  const at = text.indexOf('=')
  if (at < 1)
    throw new InputError(`--set ${text}`, 'is not of the form name=value', 'Write e.g. --set learner.batch=128')
  const value = parseValue(text, at)
  return nested(text.slice(0, at), value)
}

/** `a.b.c` with its value, as nested objects. */
export const nested = (name: string, value: unknown) =>
  name.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>

/** Layers on a preset. A robot that is given its tasks by the config has those, unless a layer says which; a preset's are the workcell's. */
export function onPreset(preset: PresetName, ...layers: unknown[]): Record<string, unknown> {
  const given = mergeSettings(...layers)
  const own = isObject(given.robot) && isObject(given.robot.tasks) ? Object.keys(given.robot.tasks) : []
  const tasks = given.tasks === undefined && own.length > 0 ? { tasks: own } : {}
  return mergeSettings(presets[preset], tasks, given)
}

/** Resolves preset, regime, file and overrides into a full config; paths in the file are seen from its folder. @throws InputError naming the setting and the nearest known one */
export function resolveConfig(
  preset: PresetName,
  file?: string,
  overrides: readonly unknown[] = [],
  regime: unknown = {},
): RunConfig {
  return parseConfig(file ?? `preset ${preset}`, onPreset(preset, regime, file && fileSettings(file), ...overrides))
}

function parseValue(override: string, at: number): unknown {
  try {
    return parse(override.slice(at + 1))
  } catch (cause) {
    throw new InputError(
      `--set ${override}`,
      'has a value that is not YAML',
      'Put it in quotes, or close its brackets',
      {
        cause,
      },
    )
  }
}

/** The settings of a config file; its paths are seen from its folder. @throws InputError */
export const fileSettings = (file: string): unknown => absolutePaths(readSettings(file), dirname(file))

/** The settings in a YAML file; none if it is empty. @throws InputError if it is no YAML, or a list or a single value */
export function readSettings(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw new InputError(file, 'there is no such config file', 'Check the path given to --config')
  const settings = parseFile(file)
  if (isObject(settings)) return settings
  const found = Array.isArray(settings) ? 'a list' : `a single value (${JSON.stringify(settings)})`
  throw new InputError(file, `holds ${found}, settings have names`, 'Write e.g. "learner:" and below it "  batch: 128"')
}

function parseFile(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8')) ?? {}
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw new InputError(file, 'cannot be read', 'Give a YAML file', { cause })
    const where = cause.linePos ? `${file}:${cause.linePos[0].line}` : file
    throw new InputError(where, 'is not valid YAML', 'Correct the line', { cause })
  }
}

/** Of a setting that may be left out and never is null, null says that it is left out, as `duet train --help` shows it. */
const mayBeLeftOut = (name: string) =>
  settingNames().includes(name) &&
  typeAt(name.split('.')).safeParse(undefined).data === undefined &&
  !typeAt(name.split('.')).safeParse(null).success

function withoutNulls(settings: unknown, prefix = ''): unknown {
  if (!isObject(settings)) return settings
  const kept = Object.entries(settings).filter(([key, value]) => value !== null || !mayBeLeftOut(prefix + key))
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutNulls(value, `${prefix}${key}.`)]))
}

/** @throws InputError */
export function parseConfig(where: string, settings: unknown): RunConfig {
  const result = RunConfig.safeParse(withoutNulls(settings))
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const unknown = [path, issue.keys[0]].filter(Boolean).join('.')
    const names = settingNames()
    if (names.includes(unknown) && issue.keys[0]!.includes('.')) {
      const [group, ...rest] = issue.keys[0]!.split('.')
      throw new InputError(
        where,
        `"${unknown}" stands as one name`,
        `Write "${group}:" and below it "  ${rest.join('.')}: ..."`,
      )
    }
    if (names.includes(unknown))
      throw new InputError(
        where,
        `setting "${unknown}" is one of another "${path}.kind"`,
        'Leave it out, or change the kind',
      )
    const nearest = nearestOf(unknown, names)
    throw new InputError(where, `unknown setting "${unknown}"`, `Did you mean "${nearest}"?`)
  }
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) {
    const kinds = alternativesOf(typeAt(issue.path.slice(0, -1).map(String)))
      .map((option) => (unwrap(option.shape[issue.discriminator!] as z.ZodType) as z.ZodLiteral).value)
      .join(', ')
    throw new InputError(where, `setting "${path}": there is no such kind`, `Choose one of: ${kinds}`)
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined'))
    throw new InputError(
      where,
      `setting "${path}" is missing`,
      `Give it: ${descriptionOf(path) || 'see `duet train --help`'}`,
    )
  throw new InputError(where, `setting "${path}": ${issue.message}`, 'See `duet train --help` for the settings')
}

/** The objects that a type may be: itself, or the alternatives of a union; none for anything else. */
function alternativesOf(type: z.ZodType): z.ZodObject[] {
  const inner = unwrap(type)
  if (inner instanceof z.ZodObject) return [inner]
  return inner instanceof z.ZodDiscriminatedUnion ? (inner.options as z.ZodObject[]) : []
}

/** Dotted names of all settings; of alternatives those of all of them. */
export function settingNames(shape: z.ZodType = RunConfig, prefix = ''): string[] {
  const alternatives = alternativesOf(shape)
  if (alternatives.length === 0) return [prefix]
  const names = alternatives.flatMap((object) =>
    Object.entries(object.shape).flatMap(([key, child]) =>
      settingNames(child as z.ZodType, prefix ? `${prefix}.${key}` : key),
    ),
  )
  return [...new Set(names)]
}

/** The settings as lines "name  default  meaning", for help texts. */
export function describeSettings(): { name: string; value: unknown; text: string; mayChange: boolean }[] {
  const defaults = RunConfig.parse({})
  return settingNames().map((name) => {
    const value = name.split('.').reduce<unknown>((object, key) => (object as Record<string, unknown>)?.[key], defaults)
    return { name, value, text: descriptionOf(name), mayChange: mayChange(name) === true }
  })
}

function descriptionOf(name: string): string {
  const at = typeWithin(RunConfig, name.split('.'))
  return at ? (at.description ?? unwrap(at).description ?? '') : ''
}

/** Whether a resumed run takes this setting anew: as it says itself, or else its group. Undefined where nobody says. */
export function mayChange(name: string): boolean | undefined {
  const path = name.split('.')
  const above = path.map((_, depth) => typeAt(path.slice(0, path.length - depth))) // the setting itself first
  return above.map(saysOfChange).find((said) => said !== undefined)
}

function saysOfChange(type: z.ZodType): boolean | undefined {
  const said = type.meta()?.mayChange as boolean | undefined
  return said ?? (isWrapper(type) ? saysOfChange(type.unwrap()) : undefined)
}

/** The type of a setting; of alternatives the first that has all of its path. */
function typeAt(path: readonly string[]): z.ZodType {
  return typeWithin(RunConfig, path)!
}

function typeWithin(type: z.ZodType, [key, ...rest]: readonly string[]): z.ZodType | undefined {
  if (key === undefined) return type
  for (const { shape } of alternativesOf(type)) {
    const found = key in shape && typeWithin(shape[key] as z.ZodType, rest)
    if (found) return found
  }
  return undefined
}

/** Default, optional and the like; an array is a value. */
const isWrapper = (type: z.ZodType): type is z.ZodType & { unwrap(): z.ZodType } =>
  'unwrap' in type && typeof type.unwrap === 'function' && !(type instanceof z.ZodArray)

const unwrap = (type: z.ZodType): z.ZodType => (isWrapper(type) ? unwrap(type.unwrap()) : type)

/** The candidate with the least edit distance, with a bonus for the same last word. */
export function nearestOf(word: string, candidates: readonly string[]): string {
  const last = (text: string) => text.split('.').at(-1)!
  const score = (candidate: string) => editDistance(word, candidate) + 2 * editDistance(last(word), last(candidate))
  return [...candidates].sort((a, b) => score(a) - score(b))[0]!
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
