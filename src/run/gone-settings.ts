/** @file Settings that runs of earlier versions have, and that are no more: a run for which they did nothing is opened without. */
import { InputError } from '../errors.ts'

/** The value at which each did nothing, by group and name. */
const OFF: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { learner: { advantageScale: 0 } }

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `where`: whose settings they are. @throws InputError for a run that was trained by what is gone */
export function withoutGone(where: string, settings: Record<string, unknown>): Record<string, unknown> {
  const kept = { ...settings }
  for (const [group, gone] of Object.entries(OFF)) {
    const own = settings[group]
    if (!isGroup(own)) continue
    const used = Object.keys(gone).find((name) => name in own && own[name] !== gone[name])
    if (used !== undefined)
      throw new InputError(
        where,
        `has ${group}.${used} = ${own[used]}, by which nothing is trained any more`,
        `Open it with the version that made it; or set it to ${gone[used]}, and it is evaluated, and goes on, without`,
      )
    kept[group] = Object.fromEntries(Object.entries(own).filter(([name]) => !(name in gone)))
  }
  return kept
}
