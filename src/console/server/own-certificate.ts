/** @file The certificate that this machine makes for its consoles and keeps, one a user. */
import fs from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writeWhole } from '../../durable.ts'
import { InputError } from '../../errors.ts'
import { stateFolder } from '../../state-folder.ts'
import { type Identity, identityOf } from './identity.ts'

const DAY = 86_400_000 // ms
const VALID = 397 * DAY // browsers of Apple take no longer ones
const SLOW_CLOCKS = DAY // of other machines
const LEFT = 14 * DAY // a run may be longer than the last day

type Place = { folder?: string; now?: Date }

/**
 * The one that is kept, as long as it vouches for all these names; else a new one, which people have to compare again, of
 * these names and of those that were in it.
 * @throws InputError if it cannot be written
 */
export async function ownCertificate(
  names: readonly string[],
  { folder = stateFolder('console'), now = new Date() }: Place = {},
): Promise<Identity> {
  const paths = { cert: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  const found = read(paths)
  const kept = found && lasts(found, now) ? found : undefined
  if (kept && names.every((name) => kept.names.includes(name))) return kept
  const all = [...new Set([...names, ...(kept?.names ?? [])])] // a machine that moves comes back to its addresses
  const { selfSigned } = await import('./self-signed.ts') // only who needs it waits for its parser
  const from = new Date(now.getTime() - SLOW_CLOCKS)
  const title = `Duet console on ${hostname()}`.slice(0, 64) // as long as a common name may be
  const made = selfSigned(title, all, from, new Date(from.getTime() + VALID))
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.rmSync(`${paths.key}.draft`, { force: true }) // a file that is there would keep its mode
    writeWhole(paths.key, made.key, 0o600)
    writeWhole(paths.cert, made.cert)
  } catch (cause) {
    const what = `cannot keep the console's certificate (${(cause as Error).message})`
    throw new InputError(folder, what, 'Make it a folder that you can write, or name another with DUET_STATE', {
      cause,
    })
  }
  return identityOf(made, null)
}

/** Undefined where there is none, or where the two files are no pair. */
function read(paths: { cert: string; key: string }): Identity | undefined {
  try {
    return identityOf({ cert: fs.readFileSync(paths.cert, 'utf8'), key: fs.readFileSync(paths.key, 'utf8') }, null)
  } catch {
    return undefined
  }
}

const lasts = ({ from, until }: Identity, now: Date) => from <= now && until.getTime() - now.getTime() > LEFT
