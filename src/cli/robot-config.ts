/** @file The robot of a config file, for commands that need nothing else of a run. */
import { InputError } from '../errors.ts'
import type { RobotConfig } from '../robots/index.ts'
import { resolveConfig } from '../run/resolve.ts'

/** @throws InputError as for a run */
export const robotIn = (file: string): RobotConfig => resolveConfig('quick', file).robot

/** One of its cells, by default the first. @throws InputError if there is no such cell */
export function cellIn({ cells }: RobotConfig, wanted = cells[0]!): string {
  if (!(cells as readonly string[]).includes(wanted))
    throw new InputError('robot.cells', `has no cell "${wanted}"`, `There are: ${cells.join(', ')}`)
  return wanted
}
