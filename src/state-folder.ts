/** @file Where this machine keeps what outlives runs and is one user's own: faults of robots, the console's certificate. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A folder of it: below DUET_STATE, else below the user's own folder for such things. It may not be there yet. */
export function stateFolder(name: string): string {
  const { DUET_STATE, XDG_STATE_HOME } = process.env
  return join(DUET_STATE ?? join(XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'duet'), name)
}
