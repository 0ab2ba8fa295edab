/** @file A whole fleet on one machine: broker, learner and simulated robots, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import type { RunConfig } from '../run/config.ts'
import type { Difference } from '../run/differences.ts'
import type { RunFolder } from '../run/folder.ts'
import { startBroker, writeBrokerFiles } from './broker.ts'
import { FleetFolder } from './folder.ts'
import { invitationText } from './invitation.ts'
import { BROKER, type Heard, KeptRunning } from './kept-running.ts'
import {
  expectSameBroker,
  invitationOf,
  type Keys,
  newKeys,
  ownBroker,
  readKeys,
  saveKeys,
  urlOf,
  withRobot,
} from './keys.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/duet.mjs', import.meta.url))
const LOOPBACK = ['127.0.0.1', 'localhost', '::1']
const USUAL_PORT = 4222 // of NATS

export type FleetUpOptions = {
  robots: number // simulated, on this machine
  changes: readonly Difference[] // of the run's settings; its learner makes them, and tells its robots
  host?: string // LOOPBACK's first, where nobody says
  port?: number // the usual one, where nobody says; 0 takes a free one
  names: readonly string[] // further ones under which the broker is reached
  /** One that a person runs, and what vouches for it. */
  broker?: string
  brokerCa?: string
  json: boolean
  console: boolean // the learner and each robot serve their pages, to this machine alone
}

/** Until the learner has ended well, or `signal` ends it. @throws InputError where something has to be mended first */
export async function fleetUp(
  folder: RunFolder,
  config: RunConfig,
  options: FleetUpOptions,
  heard: Heard,
  signal: AbortSignal,
): Promise<void> {
  if (options.robots > 0 && config.robot.kind !== 'workcell')
    throw new InputError(
      '--robots',
      `is ${options.robots}, and robot ${config.robot.kind} is real`,
      'Leave it out, and start `duet actor` beside each robot',
    )
  const fleet = new FleetFolder(folder.path)
  const robots = robotNames(config.robot.cells, options.robots)
  let keys = readKeys(fleet) ?? newKeys(await whereabouts(folder, options))
  expectSamePlace(folder, keys, options)
  for (const { name } of robots) keys = withRobot(keys, name)
  saveKeys(fleet, keys)
  await writeBrokerFiles(fleet, keys)
  const kept = new KeptRunning({
    ...heard,
    onLine: (who, line, forPeople) => {
      if (who !== BROKER || !line.includes('[INF]')) heard.onLine(who, line, forPeople)
    },
  })
  const program = (...args: string[]) => start([...args, ...(options.json ? ['--json'] : [])])
  if (!keys.own) void kept.keep(BROKER, () => startBroker(fleet))
  const pages = options.console ? ['--console'] : []
  const changed = options.changes.flatMap(({ name, second }) => ['--set', `${name}=${JSON.stringify(second ?? null)}`])
  const learner = kept.keep('learner', () => program('learner', folder.path, ...pages, ...changed))
  for (const { name, cell } of robots) {
    const file = fleet.invitation(name)
    writeWhole(file, `${invitationText(invitationOf(fleet, keys, name))}\n`, 0o600)
    const home = join(dirname(folder.path), `${basename(folder.path)}-${name}`)
    void kept.keep(name, () => program('actor', '--invite', file, '--cell', cell, '--folder', home, ...pages))
  }
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  try {
    await Promise.race([learner, kept.failed, stopped])
  } finally {
    await kept.stop()
  }
}

const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true }) // a terminal's Ctrl-C is handed on, once

/** As many as are asked for, over the cells in turn: A, B, A-2, B-2, ... */
export function robotNames(cells: readonly string[], count: number): { name: string; cell: string }[] {
  return Array.from({ length: count }, (_, i) => {
    const cell = cells[i % cells.length]!
    const round = Math.floor(i / cells.length)
    return { name: round === 0 ? cell : `${cell}-${round + 1}`, cell }
  })
}

/** Invitations, and a certificate, say where ours is. @throws InputError */
function expectSamePlace({ path }: RunFolder, keys: Keys, { broker, host, port, names }: FleetUpOptions): void {
  if (broker !== undefined) {
    expectSameBroker(path, keys, broker)
    return
  }
  const other =
    (host !== undefined && host !== keys.host && `--host ${host}`) ||
    (port !== undefined && port !== 0 && port !== keys.port && `--port ${port}`) ||
    names.filter((name) => !keys.names.includes(name)).map((name) => `--host-name ${name}`)[0]
  if (other)
    throw new InputError(
      other,
      `is another place than ${urlOf(keys)}, to which robots of ${path} were invited`,
      'Leave it out, or delete keys.json and certificate.pem in fleet/ of the run and invite all robots anew',
    )
}

async function whereabouts(
  { path }: RunFolder,
  { host = LOOPBACK[0]!, port = USUAL_PORT, names, broker, brokerCa }: FleetUpOptions,
): Promise<Omit<Keys, 'learner' | 'robots'>> {
  if (broker !== undefined) return ownBroker(basename(path), broker, brokerCa)
  const tls = !LOOPBACK.includes(host)
  if (tls && names.length === 0 && ['0.0.0.0', '::'].includes(host))
    throw new InputError('--host', `is ${host}, and robots have to know by which name they reach it`, 'Add --host-name')
  const reached = ['0.0.0.0', '::'].includes(host) ? [] : [host]
  return {
    run: basename(path),
    host,
    port: port === 0 ? await freePort(host) : port,
    names: [...names, ...reached],
    tls,
  }
}

const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
