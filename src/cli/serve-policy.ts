/** @file `duet serve policy`: a policy for robots of other programs, over openpi's websocket. */
import { type Command, Option } from 'commander'
import { InputError } from '../errors.ts'
import { DEVICES, type Device } from '../graph/index.ts'
import { parseNames } from '../policies/names.ts'
import { servePolicy } from '../policies/serve/server.ts'
import { servedFile, servedRun } from '../run/served.ts'
import { portNumber, shareNumber, wholeNumber } from './options.ts'
import { untilInterrupted } from './until-interrupted.ts'

type Options = {
  run?: string
  policy?: string
  host: string
  port: number
  name: string[]
  noise?: number
  seed: number
  device?: Device
}

export function register(group: Command): void {
  group
    .command('policy')
    .description('answer observations with actions, as openpi\u2019s policy server does; docs/policies.md')
    .option('--run <path>', 'a run folder, or one of its checkpoints')
    .option('--policy <file>', 'in its place: a file that `duet export policy` wrote')
    .option('--host <address>', 'address to listen on; whoever reaches it may ask', '127.0.0.1')
    .option('--port <number>', '0 takes a free one', portNumber, 8000)
    .option(
      '--name <ours=theirs>',
      'what a client calls a camera, state (several, by commas), prompt or command; can be repeated',
      (pair: string, before: string[]) => [...before, pair],
      [],
    )
    .option(
      '--noise <spread>',
      'of the noise where a client sends none; by default as in the run\u2019s evaluations',
      shareNumber(),
    )
    .option('--seed <n>', 'of that noise', wholeNumber, 0)
    .addOption(new Option('--device <name>', 'where an encoder runs that is not inside the policy').choices(DEVICES))
    .addHelpText(
      'after',
      `
Examples:
  duet serve policy --run runs/quick
  duet serve policy --policy quick.onnx --name front=observation/image --name wrist=observation/wrist_image
`,
    )
    .action(run)
}

async function run({ run, policy, name, noise, seed, device, host, port }: Options): Promise<void> {
  if ((run === undefined) === (policy === undefined))
    throw new InputError('duet serve policy', 'takes one policy', 'Give a run with --run, or a file with --policy')
  const options = { names: parseNames(name), seed, spread: noise, device }
  const served = await (run === undefined ? servedFile(policy!, options) : servedRun(run, options))
  try {
    const onTrouble = (client: number, why: string) => process.stderr.write(`Client ${client}: ${why}\n`)
    const server = await servePolicy(served, { host, port, onTrouble })
    process.stdout.write(`Policy server: ${server.address}\n`)
    await untilInterrupted()
    await server.close()
  } finally {
    await served.close()
  }
}
