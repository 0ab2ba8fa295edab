/** @file Opens a console: beside a run that is about to start, or for runs that are over. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../../errors.ts'
import { givenCertificate } from './given-certificate.ts'
import type { Identity } from './identity.ts'
import { RunLibrary } from './library.ts'
import { LOOPBACK, type Names, namesFor } from './names.ts'
import { RunObserver, type RunObserverOptions } from './observer.ts'
import { ownCertificate } from './own-certificate.ts'
import { DEFAULT_PORT } from './port.ts'
import { ConsoleServer } from './server.ts'

/** Where `npm run build` leaves the page. */
export const PAGE = fileURLToPath(new URL('../../../build/console', import.meta.url))

export type Address = {
  host?: string
  hostName?: string[] // further names of this machine
  port?: number
  token?: string
  tls?: boolean
  tlsCert?: string // file, PEM
  tlsKey?: string // file, PEM
}

export type Console = { observer: RunObserver; server: ConsoleServer }

/** `runs`: folder whose runs can be replayed beside the one that goes on at `path`. @throws InputError */
export function openLiveConsole(
  path: string,
  runs: string,
  address: Address,
  onNotice: (line: string) => void,
): Promise<Console> {
  return open(new RunObserver({ onNotice }), new RunLibrary(runs, { path, running: true }), address)
}

/** Beside the learner of a fleet at `path`, which has no robot of its own. @throws InputError */
export function openFleetConsole(
  path: string,
  fleet: NonNullable<RunObserverOptions['fleet']>,
  address: Address,
): Promise<Console> {
  return open(new RunObserver({ fleet }), new RunLibrary(null, { path, running: true }), address)
}

/** Runs that are over: one of them, or all in a folder. @throws InputError */
export function openReplayConsole(where: { run: string } | { runs: string }, address: Address): Promise<Console> {
  const library =
    'run' in where ? new RunLibrary(null, { path: where.run, running: false }) : new RunLibrary(where.runs)
  const [newest] = library.list()
  if (!newest)
    throw new InputError(
      'run' in where ? where.run : where.runs,
      'holds no run that can be shown',
      'Give the folder of a run, or --runs and a folder of runs',
    )
  return open(new RunObserver({ replay: newest.run }), library, address)
}

async function open(observer: RunObserver, library: RunLibrary, address: Address): Promise<Console> {
  const { host = LOOPBACK, port, token } = address
  if (!existsSync(join(PAGE, 'index.html')))
    throw new InputError(PAGE, 'holds no page', 'Build it with `npm run build`')
  const names = namesFor(host, address.hostName)
  const options = { observer, library, page: PAGE, host, token, names, identity: await identityFor(names, address) }
  try {
    return { observer, server: await ConsoleServer.open({ ...options, port: port ?? DEFAULT_PORT }) }
  } catch (error) {
    const taken = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    if (port !== undefined || !taken) throw error
    return { observer, server: await ConsoleServer.open({ ...options, port: 0 }) } // another run's console is there
  }
}

/** A certificate that is given, else the machine's own; none where nobody asks for https. @throws InputError */
export async function identityFor(names: Names, { tls, tlsCert, tlsKey }: Address): Promise<Identity | undefined> {
  if (tlsCert !== undefined && tlsKey !== undefined) return givenCertificate(tlsCert, tlsKey)
  if (tlsCert !== undefined || tlsKey !== undefined) {
    const [there, missing] = tlsKey === undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert']
    throw new InputError(there!, `is given without ${missing}`, 'Give both, or --tls alone for an own certificate')
  }
  return tls ? ownCertificate(names.vouched) : undefined
}
