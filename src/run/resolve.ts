/** @file Settings in layers (preset, regime, file, command line) resolved into a whole config, or refused with the name of the one that does not fit. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import type { z } from 'zod'
import { InputError } from '../errors.ts'
import { usualBeside } from '../robots/index.ts'
import { RunConfig } from './config.ts'
import { absolutePaths } from './paths.ts'
import { type PresetName, presets } from './presets.ts'
import { alternativesOf, descriptionOf, nearestOf, settingNames, typeAt, unwrap } from './settings.ts'

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

/** Layers on a preset. What it says for the workcell gives way to what another robot asks for, unless a layer says otherwise. */
export function onPreset(preset: PresetName, ...layers: unknown[]): Record<string, unknown> {
  const given = withOwnTasks(...layers)
  return mergeSettings(presets[preset], isObject(given.robot) && usualBeside(given.robot), given)
}

/** A robot that is given its tasks by the config has those, unless a layer says which; all others' are the workcell's. */
export function withOwnTasks(...layers: unknown[]): Record<string, unknown> {
  const given = mergeSettings(...layers)
  const own = isObject(given.robot) && isObject(given.robot.tasks) ? Object.keys(given.robot.tasks) : []
  return given.tasks === undefined && own.length > 0 ? { ...given, tasks: own } : given
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
