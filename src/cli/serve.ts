/** @file `duet serve`: the simulated workcell as a robot of somebody else's program. */
import { type Command, Option } from 'commander'
import { InputError } from '../errors.ts'
import { portNumber, wholeNumber } from './options.ts'

type Options = {
  api: 'serl'
  port: number
  camerasPort?: number
  host: string
  task: string
  seed: number
  arm: 'panda' | 'gantry'
  testTruth?: boolean
}

export function register(program: Command): void {
  program
    .command('serve')
    .description('offer the simulated workcell to programs that drive a robot over HTTP, in real time')
    .argument('<robot>', 'workcell')
    .addOption(new Option('--api <name>', 'the interface').choices(['serl']).default('serl'))
    .option('--port <number>', 'of the interface; 0 takes a free one', portNumber, 5000)
    .option('--cameras-port <number>', 'of the camera streams, by default that of the interface', portNumber)
    .option('--host <address>', 'address to listen on; whoever reaches it moves the arm', '127.0.0.1')
    .option('--task <name>', 'whose start states a joint reset brings', 'pick')
    .option('--seed <n>', 'of the first start state; each joint reset takes the next one', wholeNumber, 0)
    .addOption(
      new Option('--arm <name>', 'seven joints, or the fast test double').choices(['panda', 'gantry']).default('panda'),
    )
    .option('--test-truth', 'also answer POST /truth: outcome and poses as they truly are, for tests of policies')
    .addHelpText(
      'after',
      `
Examples:
  duet serve workcell --task place
  duet serve workcell --port 0 --test-truth
`,
    )
    .action(run)
}

async function run(robot: string, { arm, testTruth, ...options }: Options): Promise<void> {
  if (robot !== 'workcell') throw new InputError(`duet serve ${robot}`, 'is nothing to serve', 'Give `workcell`')
  const { serveWorkcell } = await import('../robots/workcell/serve/server.ts')
  const server = await serveWorkcell({ ...options, cell: { arm }, truth: testTruth })
  const cameras = Object.keys(server.plant.cell.spec.cameras)
  process.stdout.write(`SERL interface: ${server.url}\n`)
  for (const camera of cameras) process.stdout.write(`Camera: ${server.camerasUrl}/cameras/${camera}.mjpg\n`)
  process.stdout.write('Ctrl-C ends it.\n')
  await new Promise<void>((resolve) => process.once('SIGINT', resolve))
  await server.close()
}
