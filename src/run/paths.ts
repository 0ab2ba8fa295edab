/** @file Paths among the settings: seen from where they were given, kept absolute, so that a run can be resumed from elsewhere. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isModel } from '../vla/hub/catalogue.ts'

/** Each as the settings above it, then its own name; beside them models of arms and files that are played as cameras. */
const PATHS = [
  ['robot', 'log'],
  ['robot', 'module'],
  ['vlaPath'],
  ['resnetPath'],
  ['t5Path'],
  ['demonstrations', 'path'],
] as const

type Settings = Record<string, unknown>

/** `folder`: that of the config file, or the working directory for options. Names of pulled models stay as they are. */
export function absolutePaths(settings: unknown, folder: string): unknown {
  if (typeof settings !== 'object' || settings === null) return settings
  const copy = structuredClone(settings) as Settings
  for (const path of PATHS) {
    const above = path.slice(0, -1).reduce<Settings | undefined>((at, key) => at?.[key] as Settings | undefined, copy)
    const name = path.at(-1)!
    const value = above?.[name]
    if (typeof value !== 'string') continue
    const absolute = resolve(folder, value)
    above![name] = isModel(value) && !existsSync(absolute) ? value : absolute
  }
  const { mapping } = (copy.demonstrations ?? {}) as { mapping?: Record<string, Settings | undefined> }
  for (const told of [mapping?.motion, mapping?.pose])
    if (typeof told?.model === 'string' && told.model !== 'robot') told.model = resolve(folder, told.model)
  const robot = copy.robot as Settings | null | undefined
  for (const arm of [robot, robot?.leader as Settings | null | undefined]) {
    // Of an SO-101: a calibration's file in place of an id, and a port that `duet so101 simulate` makes.
    if (typeof arm?.arm === 'string' && arm.arm.endsWith('.json')) arm.arm = resolve(folder, arm.arm)
    if (typeof arm?.port === 'string' && /^\.\.?\//.test(arm.port)) arm.port = resolve(folder, arm.port)
  }
  for (const cameras of [copy.cameras, (copy.robot as Settings | undefined)?.cameras])
    for (const camera of Object.values((cameras ?? {}) as Record<string, Settings | null>))
      if (typeof camera?.path === 'string') camera.path = resolve(folder, camera.path)
  return copy
}
