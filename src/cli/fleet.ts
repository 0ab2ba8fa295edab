/** @file `duet fleet`: several robots, one learner, and the broker between them. */
import type { Command } from 'commander'
import { InputError } from '../errors.ts'
import { FleetFolder } from '../fleet/folder.ts'
import { invitationText } from '../fleet/invitation.ts'
import { RunFolder } from '../run/folder.ts'
import { requireEncoder } from '../vla/open.ts'
import { fleetRun, type RunOptions, runOptions } from './fleet-run.ts'
import { portNumber, wholeNumber } from './options.ts'

type UpOptions = RunOptions & {
  robots?: number
  host: string
  port: number
  hostName: string[]
  json?: boolean
}

export function register(program: Command): void {
  const group = program
    .command('fleet')
    .description('several robots, one learner, a broker between them; docs/fleet.md')
  runOptions(group.command('up'))
    .description('broker, learner and simulated robots on this machine, each a process of its own')
    .argument('<run>', 'folder of the run, which is made where there is none')
    .option('--robots <n>', 'simulated robots on this machine; by default one a cell of the settings', wholeNumber)
    .option('--host <address>', 'on which the broker listens; beyond this machine with TLS', '127.0.0.1')
    .option('--port <number>', 'of the broker; 0 takes a free one', portNumber, 4222)
    .option(
      '--host-name <name>',
      'under which other machines reach it, may be repeated; the first one stands in invitations',
      (text: string, all: string[]) => [...all, text],
      [],
    )
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
  group
    .command('invite')
    .description('a key for one robot: prints the line that its `duet actor` joins with. Whoever has it is the robot')
    .argument('<run>', 'folder of the run')
    .argument('<robot>', 'its name in the fleet')
    .option('--anew', 'in place of the key that it has, which is good for nothing from then on')
    .action(invite)
}

async function up(path: string, { robots, host, port, hostName, json, ...options }: UpOptions): Promise<void> {
  const { fleetUp } = await import('../fleet/up.ts')
  const { folder, config } = fleetRun(path, options, (line) => void process.stderr.write(`${line}\n`))
  await requireEncoder(config.vla, config.vlaPath, config.device)
  const simulated = config.robot.kind === 'workcell' ? config.robot.cells.length : 0
  const tell = (event: object) => void process.stdout.write(`${JSON.stringify(event)}\n`)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  await fleetUp(
    folder,
    config,
    { robots: robots ?? simulated, host, port, names: hostName, json: json === true },
    {
      onLine: (who, line, forPeople) => {
        if (forPeople) process.stderr.write(`${who}: ${line}\n`)
        else if (json) tell({ from: who, said: parsed(line) })
        else process.stdout.write(`${who}: ${line}\n`)
      },
      onStarted: (who, pid) => json && tell({ from: who, started: pid }),
    },
    stop.signal,
  )
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

async function invite(path: string, robot: string, { anew }: { anew?: boolean }): Promise<void> {
  const { invitationOf, readKeys, saveKeys, withRobot } = await import('../fleet/keys.ts')
  const { reloadBroker, writeBrokerFiles } = await import('../fleet/broker.ts')
  const fleet = new FleetFolder(RunFolder.open(path).folder.path)
  const known = readKeys(fleet)
  if (!known) throw new InputError(path, 'has no broker of its own', 'Start it with `duet fleet up` first')
  const keys = withRobot(known, robot, anew)
  saveKeys(fleet, keys)
  await writeBrokerFiles(fleet, keys)
  if (!reloadBroker(fleet))
    process.stderr.write('The broker does not run here; it lets the robot in from its next start on.\n')
  process.stdout.write(`${invitationText(invitationOf(fleet, keys, robot))}\n`)
}
