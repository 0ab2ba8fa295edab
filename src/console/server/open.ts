/** @file Opens a console: beside a run that is about to start, or for runs that are over. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../../errors.ts'
import { RunLibrary } from './library.ts'
import { RunObserver } from './observer.ts'
import { ConsoleServer, DEFAULT_PORT } from './server.ts'

/** Where `npm run build` leaves the page. */
export const PAGE = fileURLToPath(new URL('../../../build/console', import.meta.url))

export type Address = { host?: string; port?: number; token?: string }

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

async function open(observer: RunObserver, library: RunLibrary, { host, port, token }: Address): Promise<Console> {
  if (!existsSync(join(PAGE, 'index.html')))
    throw new InputError(PAGE, 'holds no page', 'Build it with `npm run build`')
  const options = { observer, library, page: PAGE, host, token }
  try {
    return { observer, server: await ConsoleServer.open({ ...options, port: port ?? DEFAULT_PORT }) }
  } catch (error) {
    const taken = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    if (port !== undefined || !taken) throw error
    return { observer, server: await ConsoleServer.open({ ...options, port: 0 }) } // another run's console is there
  }
}
