/** @file Settings of a fleet's learner alone: `fleet.*` beside those of the run. Robots need not know them, and each start may change them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { mergeSettings } from '../run/resolve.ts'
import type { FleetFolder } from './folder.ts'

const FleetSettings = z.strictObject({
  bits: z
    .union([z.literal(16), z.literal(32)])
    .default(32)
    .describe('of each number of the weights, on their way to the robots and where they act'),
  keepVersions: z
    .int()
    .min(1)
    .default(20)
    .describe('versions that are kept to go back to, the newest ones; beside them the best by trial'),
  canary: z
    .strictObject({
      trials: z
        .int()
        .min(0)
        .default(0)
        .describe('of each task, by a simulated robot of the learner\u2019s own, before weights go out; 0: no trial'),
      everyMinutes: z.number().min(0).default(2).describe('wall minutes from the beginning of one to that of the next'),
      drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.2)
        .describe('weights that succeed by more than this share less often than the best so far do not go out'),
    })
    .prefault({}),
})
export type FleetSettings = z.infer<typeof FleetSettings>

/** Those that were given last, and `given` on top of them. @throws InputError naming the setting */
export function fleetSettings({ settings }: FleetFolder, given: unknown): FleetSettings {
  const before = existsSync(settings) ? read(settings) : {}
  const merged = mergeSettings(before, given)
  const result = FleetSettings.safeParse(merged)
  if (!result.success) {
    const [issue] = result.error.issues
    const name = ['fleet', ...issue!.path].join('.')
    throw new InputError(`setting "${name}"`, issue!.message, `There are: ${names.join(', ')}`)
  }
  if (given !== undefined) {
    mkdirSync(dirname(settings), { recursive: true })
    writeWhole(settings, JSON.stringify(merged))
  }
  return result.data
}

const { canary } = FleetSettings.shape
const names = [
  ...Object.keys(FleetSettings.shape).filter((name) => name !== 'canary'),
  ...Object.keys(canary.unwrap().shape).map((name) => `canary.${name}`),
].map((name) => `fleet.${name}`)

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new InputError(path, 'is not what was saved', 'Delete it, and give the settings again', { cause })
  }
}
