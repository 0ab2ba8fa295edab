/** @file What the parts of an observation are called on the wire: openpi leaves that to each robot. */
import { z } from 'zod'
import { InputError } from '../errors.ts'

/** Ours to theirs. The readings may come in several parts, which are put together in their order. */
export type WireNames = { cameras: Record<string, string>; state: readonly string[]; prompt: string; command: string }

export const WireNamesConfig = z
  .record(z.string(), z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]))
  .default({})
  .describe(
    'names on the wire by ours: a camera, state (one or several), prompt, command; others are observation/<camera>, observation/state, prompt, command',
  )
export type GivenNames = z.infer<typeof WireNamesConfig>

/** @throws InputError for a name that the policy has no use for, or two things of one name */
export function wireNames(cameras: readonly string[], given: GivenNames = {}): WireNames {
  const known = [...cameras, 'state', 'prompt', 'command']
  const stranger = Object.keys(given).find((name) => !known.includes(name))
  if (stranger !== undefined)
    throw new InputError(
      `names on the wire, "${stranger}"`,
      'is nothing that is sent',
      `There are: ${known.join(', ')}`,
    )
  const one = (name: string, usual: string): string => {
    const said = given[name] ?? usual
    if (typeof said !== 'string')
      throw new InputError(`names on the wire, "${name}"`, 'is a list', 'Only state may be one')
    return said
  }
  const names = {
    cameras: Object.fromEntries(cameras.map((camera) => [camera, one(camera, `observation/${camera}`)])),
    state: [given.state ?? 'observation/state'].flat(),
    prompt: one('prompt', 'prompt'),
    command: one('command', 'command'),
  }
  const all = [...Object.values(names.cameras), ...names.state, names.prompt, names.command]
  const twice = all.find((name, i) => all.indexOf(name) < i)
  if (twice !== undefined)
    throw new InputError(`names on the wire, "${twice}"`, 'stands for two things', 'Give each its own')
  return names
}

/** `front=observation/image`, or `state=observation/joint_position,observation/gripper_position`. @throws InputError */
export function parseNames(pairs: readonly string[]): GivenNames {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1 || at === pair.length - 1)
        throw new InputError(
          `--name ${pair}`,
          'is not of the form ours=theirs',
          'Write e.g. --name front=observation/image',
        )
      const theirs = pair.slice(at + 1).split(',')
      return [pair.slice(0, at), theirs.length > 1 ? theirs : theirs[0]!]
    }),
  )
}
