/** @file `duet console`: runs that are over, replayed in the browser. A run that goes on has its own: `duet train --console`. */
import type { Command } from 'commander'
import { type Address, openReplayConsole } from '../console/server/open.ts'
import { DEFAULT_PORT } from '../console/server/server.ts'
import { portNumber } from './options.ts'

export function register(program: Command): void {
  consoleOptions(program.command('console'))
    .description('replay finished runs in the browser: episodes, who acted, what was said, curves')
    .argument('[run]', 'folder of one run; without it all of --runs')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .addHelpText(
      'after',
      `
Examples:
  duet console runs/quick
  duet console --runs runs --port 9000
  duet train --console          a run that goes on, with its controls
`,
    )
    .action(run)
}

/** Options of everything that opens a console. */
export function consoleOptions(command: Command): Command {
  return command
    .option('--port <number>', `of the console's page (default: ${DEFAULT_PORT}, or a free one)`, portNumber)
    .option('--host <address>', 'address to listen on; any but this machine itself asks for a token', '127.0.0.1')
    .option('--token <text>', 'what a page has to know; drawn at random where one is needed and none is given')
}

async function run(folder: string | undefined, options: Address & { runs: string }): Promise<void> {
  const { server } = await openReplayConsole(folder === undefined ? { runs: options.runs } : { run: folder }, options)
  process.stdout.write(`Console: ${server.address}\nCtrl-C ends it.\n`)
  await new Promise<void>((resolve) => process.once('SIGINT', resolve))
  await server.close()
}
