/** @file The run of a fleet as the commands name it: a folder, which is made where there is none. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { FleetFolder } from '../fleet/folder.ts'
import { type FleetSettings, fleetSettings } from '../fleet/settings.ts'
import { expectSubjectName } from '../link/nats/wire.ts'
import type { RunConfig } from '../run/config.ts'
import type { Difference } from '../run/differences.ts'
import { RunFolder } from '../run/folder.ts'
import { absolutePaths } from '../run/paths.ts'
import { type PresetName, presets, USUAL_PRESET } from '../run/presets.ts'
import { fileSettings, mergeSettings, onPreset, parseConfig, parseOverride } from '../run/resolve.ts'
import { describeChange, presetInFull, resumeConfig, resumeListener } from '../run/resume.ts'
import type { RunListener } from '../run/train.ts'
import { commandLine } from './command-line.ts'

export type RunOptions = { preset?: PresetName; config?: string; set: string[] }

export const runOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--preset <name>', `settings to start from, "${USUAL_PRESET}" unless given`).choices(
        Object.keys(presets),
      ),
    )
    .option('--config <file>', 'YAML file with settings that differ from the preset')
    .option('--set <name=value>', 'one setting, may be repeated', (text, all: string[]) => [...all, text], [])

export const overridesAt = (set: readonly string[]): unknown[] =>
  set.map((text) => absolutePaths(parseOverride(text), process.cwd()))

/** New, or as it stands; settings given to one that stands change those that may change. @throws InputError */
export function fleetRun(
  path: string,
  { preset, config: file, set }: RunOptions,
  say: (line: string) => void,
): {
  folder: RunFolder
  config: RunConfig
  settings: FleetSettings
  changes: Difference[]
  listeners: RunListener[]
} {
  expectSubjectName('run', basename(resolve(path)))
  const command = commandLine()
  const { fleet, ...overrides } = mergeSettings(file && fileSettings(file), ...overridesAt(set))
  const settings = fleetSettings(new FleetFolder(path), fleet)
  if (!existsSync(new RunFolder(path).config)) {
    const preferred = { online: { lockstep: false } }
    const config = parseConfig(file ?? 'settings', onPreset(preset ?? USUAL_PRESET, preferred, overrides))
    return { folder: RunFolder.create(resolve(path), config, command), config, settings, changes: [], listeners: [] }
  }
  const { folder, config: before } = RunFolder.open(path)
  const beside = mergeSettings({ robot: before.robot }, overrides)
  const own = preset && mergeSettings(presetInFull(preset, beside), { online: { lockstep: false } })
  const { config, changes } = resumeConfig(path, before, mergeSettings(own, overrides))
  for (const change of changes) say(describeChange(change))
  return { folder, config, settings, changes, listeners: [resumeListener(folder, changes, command)] }
}
