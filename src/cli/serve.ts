/** @file `duet serve`: the simulated workcell as a robot of somebody else's program, or a policy for somebody else's robot. */
import { type Command, Option } from 'commander'
import { InputError } from '../errors.ts'
import { countNumber, portNumber, wholeNumber } from './options.ts'
import { register as registerPolicy } from './serve-policy.ts'
import { untilInterrupted } from './until-interrupted.ts'

type Options = {
  api: 'serl' | 'rosbridge'
  ros?: '1' | '2'
  port?: number
  camerasPort?: number
  fps?: number
  host: string
  task: string
  seed: number
  arm: 'panda' | 'gantry'
  testTruth?: boolean
}

export function register(program: Command): void {
  const group = program.command('serve').description('offer a simulated robot, or a policy, to other programs')
  registerPolicy(group)
  group
    .command('workcell')
    .description('offer the simulated workcell to programs that drive a robot over HTTP or through ROS, in real time')
    .addOption(new Option('--api <name>', 'the interface').choices(['serl', 'rosbridge']).default('serl'))
    .addOption(
      new Option('--ros <version>', 'rosbridge: of ROS, as which it speaks; 2 unless given').choices(['1', '2']),
    )
    .option('--port <number>', 'of the interface; 0 takes a free one; 5000 of serl, 9090 of rosbridge', portNumber)
    .option('--cameras-port <number>', 'serl: of the camera streams, by default that of the interface', portNumber)
    .option('--fps <n>', 'serl: pictures a second of each camera at most; 30 unless given', countNumber)
    .option('--host <address>', 'address to listen on; whoever reaches it moves the arm', '127.0.0.1')
    .option('--task <name>', 'whose start states a joint reset brings', 'pick')
    .option('--seed <n>', 'of the first start state; each joint reset takes the next one', wholeNumber, 0)
    .addOption(
      new Option('--arm <name>', 'seven joints, or the fast test double').choices(['panda', 'gantry']).default('panda'),
    )
    .option('--test-truth', 'also answer POST below /truth: outcome and poses as they truly are, and faults, for tests')
    .addHelpText(
      'after',
      `
Examples:
  duet serve workcell --task place
  duet serve workcell --port 0 --test-truth
  duet serve workcell --api rosbridge --ros 1
`,
    )
    .action(run)
}

/** What only one of the two has. */
const OWN = { serl: ['cameras-port', 'fps'], rosbridge: ['ros'] } as const

/** @throws InputError for an option of the other interface */
function expectOwn({ api, camerasPort, fps, ros }: Options): void {
  const given = { 'cameras-port': camerasPort, fps, ros }
  const other = api === 'serl' ? 'rosbridge' : 'serl'
  const stray = OWN[other].find((name) => given[name] !== undefined)
  if (stray !== undefined)
    throw new InputError(`--${stray}`, `is given with --api ${api}`, `Leave it out: it is of --api ${other}`)
}

async function run(options: Options): Promise<void> {
  expectOwn(options)
  const server = await (options.api === 'serl' ? serl(options) : rosbridge(options))
  await untilInterrupted()
  await server.close()
}

const onTrouble = (line: string) => void process.stderr.write(`${line}\n`)

type ServedApi = { close(): Promise<void> }

async function serl({ arm, testTruth, port = 5000, ...options }: Options): Promise<ServedApi> {
  const { serveWorkcell } = await import('../robots/workcell/serve/server.ts')
  const server = await serveWorkcell({ ...options, port, cell: { arm }, truth: testTruth, onTrouble })
  process.stdout.write(`SERL interface: ${server.url}\n`)
  for (const camera of Object.keys(server.plant.cell.spec.cameras))
    process.stdout.write(`Camera: ${server.camerasUrl}/cameras/${camera}.mjpg\n`)
  return server
}

async function rosbridge({ arm, ros, host, port, task, seed, testTruth }: Options): Promise<ServedApi> {
  const { serveRosbridge } = await import('../robots/ros/serve/workcell.ts')
  const version = ros === '1' ? 1 : 2
  const cell = { arm }
  const server = await serveRosbridge({ task, seed, host, port, version, cell, truth: testTruth, onTrouble })
  process.stdout.write(`rosbridge of ROS ${version}: ${server.address}\n`)
  return server
}
