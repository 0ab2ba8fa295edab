/** @file What a resume may change: settings given to it are taken and kept, or refused by name. */
import { InputError } from '../errors.ts'
import type { RunConfig } from './config.ts'
import { type Difference, differences, flatSettings } from './differences.ts'
import type { RunFolder } from './folder.ts'
import { partNow } from './history.ts'
import { type PresetName, presets } from './presets.ts'
import { mergeSettings, nested, parseConfig, resolveConfig } from './resolve.ts'
import { mayChange, settingNames } from './settings.ts'
import type { RunListener } from './train.ts'

/**
 * `given`: only the settings that were asked for, nested. One that has the value already is no change.
 * @throws InputError naming each setting that a run keeps for its whole life, with its value and the one asked for; or one
 * that is unknown or out of bounds
 */
export function resumeConfig(
  path: string,
  config: RunConfig,
  given: unknown,
): { config: RunConfig; changes: Difference[] } {
  const had = flatSettings(config)
  const refused = Object.entries(flatSettings(given ?? {})).filter(([name, value]) => {
    const setting = settingOf(name)
    return setting !== undefined && !mayChange(setting) && !equal(value, had[name]) && !isNone(value, had[name], name)
  })
  if (refused.length > 0) {
    const listed = refused.map(([name, value]) => `${name} ${shown(had[name])}, not ${shown(value)}`).join('; ')
    const remedy = 'Leave that out, or train anew under another --name; `duet train --help` says what may change'
    throw new InputError(path, `a resumed run keeps ${listed}`, remedy)
  }
  const wanted = parseConfig(path, mergeSettings(config, given))
  return { config: wanted, changes: differences(config, wanted) }
}

/**
 * What a preset says of every setting in which presets differ: given to a resume, one that is silent there asks for the
 * default, which a run of another preset may not have. `beside`: settings that it is given with, to which it gives way here as at
 * the start of a run.
 */
export function presetInFull(preset: PresetName, beside?: unknown): Record<string, unknown> {
  const named = new Set(Object.values(presets).flatMap((one) => Object.keys(flatSettings(one))))
  const full = flatSettings(resolveConfig(preset, undefined, [beside]))
  return mergeSettings(...[...named].map((name) => nested(name, full[name])))
}

/** The setting of that name, or the one whose entry it is; none if it is unknown, which is told when the settings are parsed. */
const settingOf = (name: string) => settingNames().find((known) => `${name}.`.startsWith(`${known}.`))

/** One line a change, for whoever resumes. */
export const describeChange = ({ name, first, second }: Difference) => `${name}: ${shown(first)} -> ${shown(second)}`

/** Keeps the changes, and that the run went on, once it is open: a start that fails leaves the folder as it was. */
export const resumeListener = (folder: RunFolder, changes: readonly Difference[], command?: string): RunListener => ({
  started: ({ config }) => {
    const changed = changes.map(({ name, first, second }) => ({ name, from: first, to: second }))
    folder.goOn(config, partNow({ command, changed }))
  },
})

/** An optional setting that the run does without, and is asked to. */
const isNone = (value: unknown, had: unknown, name: string) =>
  value === null && had === undefined && settingOf(name) === name

const equal = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
const shown = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value))
