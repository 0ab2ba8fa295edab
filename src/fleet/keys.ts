/** @file Who may take part in a run: keys of the learner and of its robots, and where the broker is. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { nkeys } from '@nats-io/transport-node'
import { z } from 'zod'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { expectSubjectName, SUBJECT_NAME } from '../link/nats/wire.ts'
import type { FleetFolder } from './folder.ts'
import type { Access, Invitation } from './invitation.ts'

const Pair = z.strictObject({ key: z.string(), seed: z.string() })

const Keys = z.strictObject({
  run: z.string().regex(SUBJECT_NAME),
  host: z.string(), // on which the broker listens
  port: z.int().min(1).max(65_535),
  names: z.array(z.string()).min(1), // under which it is reached; the first one stands in invitations
  tls: z.boolean(),
  own: z.strictObject({ ca: z.string().optional() }).optional(), // somebody else runs the broker; what vouches for it, PEM
  learner: Pair,
  robots: z.record(z.string(), Pair),
})
export type Keys = z.infer<typeof Keys>

function pair(): z.infer<typeof Pair> {
  const user = nkeys.createUser()
  return { key: user.getPublicKey(), seed: new TextDecoder().decode(user.getSeed()) }
}

/** @throws InputError for a run of another name than `readKeys` takes */
export function newKeys(about: Omit<Keys, 'learner' | 'robots'>): Keys {
  expectSubjectName('run', about.run)
  return { ...about, learner: pair(), robots: {} }
}

/** Where a broker is that a person runs. `ca`: file of the certificates that vouch for it, where the system does not. @throws InputError */
export function ownBroker(run: string, broker: string, ca?: string): Omit<Keys, 'learner' | 'robots'> {
  const url = URL.canParse(broker) ? new URL(broker) : undefined
  if (!url || !['nats:', 'tls:'].includes(url.protocol) || url.hostname === '')
    throw new InputError('--broker', `is "${broker}"`, 'Give an address such as tls://nats.lab:4222')
  const host = url.hostname.replace(/[[\]]/g, '')
  const port = url.port === '' ? 4222 : Number(url.port)
  const own = ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }
  return { run, host, port, names: [host], tls: url.protocol === 'tls:', own }
}

/** Invitations say where it is. @throws InputError where the robots of a run were invited to another one */
export function expectSameBroker(run: string, keys: Keys, broker: string): void {
  if (keys.own && urlOf(ownBroker(keys.run, broker)) === urlOf(keys)) return
  throw new InputError(
    '--broker',
    `is ${broker}, and robots of ${run} were invited to ${urlOf(keys)}`,
    'Leave it out, or delete fleet/keys.json of the run and invite all robots anew',
  )
}

/** The same, with a key for this robot; one that has a key keeps it, unless `anew`: then the old one is good for nothing. */
export function withRobot(keys: Keys, robot: string, anew = false): Keys {
  expectSubjectName('robot', robot)
  if (Object.hasOwn(keys.robots, robot) && !anew) return keys
  return { ...keys, robots: { ...keys.robots, [robot]: pair() } }
}

/** Undefined where the run has no broker of its own. @throws InputError if the file is not what was saved */
export function readKeys({ keys }: FleetFolder): Keys | undefined {
  if (!existsSync(keys)) return undefined
  try {
    return Keys.parse(JSON.parse(readFileSync(keys, 'utf8')))
  } catch (cause) {
    throw new InputError(
      keys,
      'is not what was saved',
      'Restore it from a copy, or delete it and invite all robots anew',
      { cause },
    )
  }
}

/** For the owner alone: secrets are in it. */
export function saveKeys(folder: FleetFolder, keys: Keys): void {
  mkdirSync(folder.path, { recursive: true })
  rmSync(`${folder.keys}.draft`, { force: true }) // a file that is there would keep its mode
  writeWhole(folder.keys, JSON.stringify(keys, null, 2), 0o600)
}

export const urlOf = ({ tls, names, port }: Pick<Keys, 'tls' | 'names' | 'port'>, name = names[0]!) =>
  `${tls ? 'tls' : 'nats'}://${name.includes(':') ? `[${name}]` : name}:${port}`

function authority(folder: FleetFolder, { tls, own }: Keys): { ca?: string } {
  if (own) return own.ca === undefined ? {} : own
  return tls ? { ca: readFileSync(folder.certificate, 'utf8') } : {}
}

/** The learner's own, which is beside the broker. */
export const learnerAccess = (folder: FleetFolder, keys: Keys): Access => ({
  url: urlOf(keys),
  run: keys.run,
  seed: keys.learner.seed,
  ...authority(folder, keys),
})

export const invitationOf = (folder: FleetFolder, keys: Keys, robot: string): Invitation => ({
  url: urlOf(keys),
  run: keys.run,
  robot,
  seed: keys.robots[robot]!.seed,
  ...authority(folder, keys),
})
