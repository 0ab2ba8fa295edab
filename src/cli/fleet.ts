/** @file `duet fleet`: several robots, one learner, and the broker between them. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { InputError } from '../errors.ts'
import { FleetFolder } from '../fleet/folder.ts'
import { invitationText } from '../fleet/invitation.ts'
import type { Heard } from '../fleet/kept-running.ts'
import { readStatus, statusInWords } from '../fleet/status.ts'
import type { FleetUpOptions } from '../fleet/up.ts'
import { goOnWithNewest, readChoice, readVersions, rollBack } from '../fleet/versions.ts'
import { whoIsThere } from '../robot/order-log.ts'
import { RunFolder } from '../run/folder.ts'
import { requireEncoder } from '../vla/open.ts'
import { fleetRun, type RunOptions, runOptions } from './fleet-run.ts'
import { portNumber, wholeNumber } from './options.ts'

type UpOptions = RunOptions & {
  robots?: number
  host?: string
  port?: number
  hostName: string[]
  json?: boolean
  console?: boolean
  broker?: string
  brokerCa?: string
}

export function register(program: Command): void {
  const group = program
    .command('fleet')
    .description('several robots, one learner, a broker between them; docs/fleet.md')
  runOptions(group.command('up'))
    .description('broker, learner and simulated robots on this machine, each a process of its own')
    .argument('<run>', 'folder of the run, which is made where there is none')
    .option('--robots <n>', 'simulated robots on this machine; by default one a cell of the settings', wholeNumber)
    .option('--host <address>', 'on which the broker listens, 127.0.0.1 unless given; beyond this machine with TLS')
    .option('--port <number>', 'of the broker, 4222 unless given; 0 takes a free one', portNumber)
    .option(
      '--host-name <name>',
      'under which other machines reach it, may be repeated; the first one stands in invitations',
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option('--broker <url>', 'a NATS broker that you run yourself, nats:// or tls://; none is started')
    .option('--broker-ca <file>', 'certificates that vouch for it (PEM), where the system does not')
    .option('--console', 'show the fleet in the browser of this machine')
    .option('--json', 'print what happens as lines of JSON on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet fleet up runs/two --set robot.cells=[A,B]
  duet fleet up runs/arms --config lab.yaml --robots 0 --host 0.0.0.0 --host-name learner.lab
`,
    )
    .action(up)
  runOptions(group.command('invite'))
    .description('a key for one robot: prints the line that its `duet actor` joins with. Whoever has it is the robot')
    .argument('<run>', 'folder of the run; with --broker one that is not there yet is made, with the settings given')
    .argument('<robot>', 'its name in the fleet')
    .option('--anew', 'in place of the key that it has, which is good for nothing from then on')
    .option('--broker <url>', 'the first time: a NATS broker that you run yourself, nats:// or tls://')
    .option('--broker-ca <file>', 'certificates that vouch for it (PEM), where the system does not')
    .action(invite)
  group
    .command('status')
    .description('how the robots of a fleet are, as its learner says: those that need help first')
    .argument('<run>', 'folder of the run, on the machine of its learner')
    .option('--json', 'as JSON')
    .action(status)
  group
    .command('versions')
    .description('the weights that one can go back to')
    .argument('<run>', 'folder of the run, on the machine of its learner')
    .action(versions)
  group
    .command('roll-back')
    .description('gives the robots earlier weights, until further notice; the learner goes on learning')
    .argument('<run>', 'folder of the run, on the machine of its learner')
    .argument('<version>', 'one that `duet fleet versions` lists; `newest` lets the newest out again')
    .action(goBack)
}

async function up(
  path: string,
  { robots, host, port, hostName, json, console, broker, brokerCa, ...options }: UpOptions,
): Promise<void> {
  const { fleetUp } = await import('../fleet/up.ts')
  const { folder, config, changes } = fleetRun(path, options, (line) => void process.stderr.write(`${line}\n`))
  await requireEncoder(config.vla, config.vlaPath, config.device)
  const simulated = config.robot.kind === 'workcell' ? config.robot.cells.length : 0
  const tell = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`)
  const stop = new AbortController()
  const heard: Heard = {
    onLine: (who, line, forPeople) => {
      if (forPeople) process.stderr.write(`${who}: ${line}\n`)
      else if (json) tell({ from: who, said: parsed(line) })
      else process.stdout.write(`${who}: ${line}\n`)
    },
    onStarted: (who, pid) => void (json && tell({ from: who, started: pid })),
  }
  const opened: FleetUpOptions = {
    ...{ robots: robots ?? simulated, changes, host, port, names: hostName, broker, brokerCa },
    ...{ json: json === true, console: console === true },
  }
  const interrupted = () => stop.abort()
  process.once('SIGINT', interrupted) // once more ends it at once, as any other signal does
  try {
    await fleetUp(folder, config, opened, heard, stop.signal)
  } finally {
    process.off('SIGINT', interrupted)
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

const fleetOf = (path: string) => new FleetFolder(RunFolder.open(path).folder.path)

async function status(path: string, { json }: { json?: boolean }): Promise<void> {
  const told = readStatus(fleetOf(path))
  const lines = json ? [JSON.stringify(told)] : statusInWords(told, Date.now())
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function versions(path: string): Promise<void> {
  const fleet = fleetOf(path)
  const chosen = readChoice(fleet)
  for (const { version, hash, at, trial } of readVersions(fleet)) {
    const passed = trial ? `  ${trial.successes} of ${trial.trials} trials` : ''
    const now = hash === chosen?.hash ? '  what the robots have' : ''
    process.stdout.write(`${String(version).padStart(8)}  ${hash.slice(0, 12)}  ${at}${passed}${now}\n`)
  }
}

async function goBack(path: string, wanted: string): Promise<void> {
  const fleet = fleetOf(path)
  if (wanted === 'newest') {
    goOnWithNewest(fleet)
    process.stdout.write('The robots get the newest weights again.\n')
    return
  }
  if (!/^\d+$/.test(wanted)) throw new InputError('version', `is "${wanted}"`, 'Give its number, or `newest`')
  const { version } = rollBack(fleet, Number(wanted), whoIsThere())
  process.stdout.write(
    `The robots get version ${version} from now on, or when the learner is there; \`duet fleet roll-back ${path} newest\` ends that.\n`,
  )
}

/** One that is not there yet is made, where it can have a robot. @throws InputError */
function invitedTo(path: string, { preset, config, set }: RunOptions, mayBeMade: boolean): void {
  const asked = preset !== undefined || config !== undefined || set.length > 0
  const there = existsSync(new RunFolder(path).config)
  if (there && asked)
    throw new InputError(path, 'is there, and has its settings', 'Leave --preset, --config and --set to `duet learner`')
  if (there || !asked || !mayBeMade) RunFolder.open(path)
  else fleetRun(path, { preset, config, set }, () => {})
}

type InviteOptions = RunOptions & { anew?: boolean; broker?: string; brokerCa?: string }

async function invite(path: string, robot: string, { anew, broker, brokerCa, ...run }: InviteOptions): Promise<void> {
  const { expectSameBroker, invitationOf, newKeys, ownBroker, readKeys, saveKeys, withRobot } = await import(
    '../fleet/keys.ts'
  )
  const { reloadBroker, writeBrokerFiles } = await import('../fleet/broker.ts')
  const fleet = new FleetFolder(path)
  const kept = readKeys(fleet)
  if (kept && broker !== undefined) expectSameBroker(path, kept, broker)
  const known = kept ?? (broker === undefined ? undefined : newKeys(ownBroker(basename(fleet.run), broker, brokerCa)))
  const keys = known && withRobot(known, robot, anew)
  invitedTo(path, run, keys !== undefined)
  if (!keys)
    throw new InputError(path, 'has no broker yet', 'Start one with `duet fleet up` first, or name yours with --broker')
  saveKeys(fleet, keys)
  await writeBrokerFiles(fleet, keys)
  if (keys.own)
    process.stderr.write(`Your broker lets in whom ${fleet.brokerUsers} names, once it has read that again.\n`)
  else if (!reloadBroker(fleet))
    process.stderr.write('The broker does not run here; it lets the robot in from its next start on.\n')
  process.stdout.write(`${invitationText(invitationOf(fleet, keys, robot))}\n`)
}
