/** @file A broker of a run's own: nats-server with a user for the learner and one for each robot, and no others. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { writeWhole } from '../durable.ts'
import { InputError } from '../errors.ts'
import { downSubject, upSubject } from '../link/nats/wire.ts'
import type { FleetFolder } from './folder.ts'
import type { Keys } from './keys.ts'

const HANDSHAKE = 60 // s that a client may take to show its key; by default 2, too few on a machine with much to do
const YEARS = 10 * 365 * 86_400_000 // ms that its certificate lasts: nobody but its invitations vouch for it

/** Who may use it, as nats-server reads it. A robot may say one thing, as itself, and hear what is said to it: nothing else. */
function brokerUsers({ run, learner, robots }: Keys): string {
  const user = (key: string, up: string, down: string) =>
    `    { nkey: ${key}, permissions: { publish: { allow: ["${up}"] }, subscribe: { allow: ["${down}"] } } }`
  const users = [
    user(learner.key, `duet.${run}.>`, `duet.${run}.>`),
    ...Object.entries(robots).map(([robot, { key }]) => user(key, upSubject(run, robot), downSubject(run, robot))),
  ]
  return `users: [\n${users.join(',\n')}\n]\n`
}

function brokerSettings(folder: FleetFolder, keys: Keys): string {
  const { host, port, tls } = keys
  return [
    `host: ${JSON.stringify(host)}`,
    `port: ${port}`,
    `pid_file: ${JSON.stringify(folder.brokerProcess)}`,
    ...(tls
      ? [`tls { cert_file: ${JSON.stringify(folder.certificate)}, key_file: ${JSON.stringify(folder.certificateKey)} }`]
      : []),
    'authorization {',
    `  timeout: ${HANDSHAKE}`,
    brokerUsers(keys),
    '}',
    '',
  ].join('\n')
}

/** Of one that a person runs the users alone. */
export async function writeBrokerFiles(folder: FleetFolder, keys: Keys): Promise<void> {
  if (keys.own) {
    writeWhole(folder.brokerUsers, brokerUsers(keys))
    return
  }
  if (keys.tls && !existsSync(folder.certificate)) {
    const { selfSigned } = await import('../console/server/self-signed.ts') // only who needs it waits for its parser
    const from = Date.now() - 86_400_000 // clocks of other machines may be slow
    const names = [...new Set([...keys.names, 'localhost'])] // what Node asks for where an address is a number
    const made = selfSigned(`Duet fleet ${keys.run}`.slice(0, 64), names, new Date(from), new Date(from + YEARS))
    rmSync(`${folder.certificateKey}.draft`, { force: true })
    writeWhole(folder.certificateKey, made.key, 0o600)
    writeWhole(folder.certificate, made.cert)
  }
  writeWhole(folder.broker, brokerSettings(folder, keys))
}

/** @throws InputError where there is no nats-server */
export function startBroker(folder: FleetFolder): ChildProcess {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' })
  } catch (cause) {
    throw new InputError('nats-server', 'is not on the PATH', 'Install it (Debian: apt-get install nats-server)', {
      cause,
    })
  }
  return spawn('nats-server', ['-c', folder.broker], { stdio: ['ignore', 'ignore', 'pipe'], detached: true }) // a terminal's Ctrl-C is not for it
}

/** A broker that runs reads its users again. False where none runs here. */
export function reloadBroker(folder: FleetFolder): boolean {
  try {
    const pid = Number(readFileSync(folder.brokerProcess, 'utf8'))
    const command = process.platform === 'linux' ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : folder.broker
    if (!command.includes(folder.broker)) return false // its number is another process's by now
    process.kill(pid, 'SIGHUP')
    return true
  } catch {
    return false
  }
}
