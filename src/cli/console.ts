/** @file `duet console`: runs that are over, replayed in the browser. A run that goes on has its own: `duet train --console`. */
import type { Command } from 'commander'
import { type Identity, vouchesFor } from '../console/server/identity.ts'
import { isLocal, LOOPBACK, type Names } from '../console/server/names.ts'
import type { Address, Console } from '../console/server/open.ts'
import { DEFAULT_PORT } from '../console/server/port.ts'
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
  duet console runs/quick --host 0.0.0.0 --tls --host-name robot.local    for other machines
`,
    )
    .action(run)
}

const collect = (text: string, all: string[] = []) => [...all, text]

/** Options of everything that opens a console. */
export function consoleOptions(command: Command): Command {
  return command
    .option('--port <number>', `of the console's page (default: ${DEFAULT_PORT}, or a free one)`, portNumber)
    .option(
      '--host <address>',
      'address to listen on, 0.0.0.0 for all; any but this machine itself asks for a token',
      LOOPBACK,
    )
    .option('--host-name <name>', 'a further name of this machine, such as robot.local; may be repeated', collect)
    .option('--token <text>', 'what a page has to know; drawn at random where one is needed and none is given')
    .option('--tls', 'serve https, with a certificate that this machine makes and keeps')
    .option('--tls-cert <file>', 'serve https with this certificate (PEM) ...')
    .option('--tls-key <file>', '... and its key (PEM, not encrypted)')
}

async function run(folder: string | undefined, options: Address & { runs: string }): Promise<void> {
  const { openReplayConsole } = await import('../console/server/open.ts') // a run without a console shares this file
  const opened = await openReplayConsole(folder === undefined ? { runs: options.runs } : { run: folder }, options)
  process.stdout.write(`${whereabouts(opened)}Ctrl-C ends it.\n`)
  await new Promise<void>((resolve) => process.once('SIGINT', resolve))
  await opened.server.close()
}

/**
 * Beside what goes on in the folder at `path`: says where the page is, on lines of their own, not on the output that is meant for
 * programs. A line at the terminal says that a scene is laid.
 */
export async function openConsoleBeside(
  path: string,
  options: Address & { runs: string; json?: boolean },
  say: (line: string) => void,
): Promise<Console> {
  const { openLiveConsole } = await import('../console/server/open.ts')
  const operating = await openLiveConsole(path, options.runs, options, say)
  const lines = whereabouts(operating)
  if (options.json) process.stderr.write(lines)
  else process.stdout.write(lines)
  hearEnter(operating)
  return operating
}

/** It keeps no program from ending. */
function hearEnter({ observer }: Console): void {
  if (!process.stdin.isTTY) return
  process.stdin.on('data', (typed) => typed.includes('\n') && observer.sceneIsReady('at the terminal'))
  process.stdin.unref()
}

/** Somebody at a terminal who still looks at the page may go on: episodes can be replayed. */
export async function untilClosed({ server }: Console): Promise<void> {
  if (!process.stdout.isTTY || server.viewers === 0) return
  process.stdout.write('The console stays open for replay; Ctrl-C ends it.\n')
  await new Promise<void>((resolve) => process.once('SIGINT', resolve))
}

/** Where the page is, here and for other machines, and what their browsers will say: whole lines. */
export function whereabouts({ server }: Console): string {
  const { names, identity } = server
  const lines = [`Console: ${server.address}`]
  const known = identity ? vouchedElsewhere(names, identity) : names.elsewhere
  for (const name of known) lines.push(`From other machines: ${server.addressAt(name)}`)
  if (identity) lines.push(...certificateWords(names, identity))
  if (identity && names.local) lines.push('It listens to this machine alone: --host 0.0.0.0 lets others in.')
  if (!identity && !names.local)
    lines.push('On other machines gamepad, SpaceMouse and microphone need https: add --tls (docs/console-remote.md).')
  return `${lines.join('\n')}\n`
}

/** Names at which no browser warns of another name; where there are none, all. */
function vouchedElsewhere({ local, elsewhere }: Names, { file, names }: Identity): readonly string[] {
  const written = file === null || local ? [] : names.filter((name) => !name.startsWith('*') && !isLocal(name))
  const vouched = [...new Set([...elsewhere.filter((name) => vouchesFor(names, name)), ...written])]
  return vouched.length > 0 ? vouched : elsewhere
}

function certificateWords({ given }: Names, { file, names, fingerprint, until }: Identity): string[] {
  const end = until.toISOString().slice(0, 10)
  const lines = [`Certificate: ${file ?? 'made here'}, until ${end}; SHA-256 ${fingerprint}`]
  const unnamed = given.filter((name) => !vouchesFor(names, name))
  if (unnamed.length > 0) lines.push(`It does not name ${unnamed.join(', ')}: browsers warn of that.`)
  if (file === null)
    lines.push(
      'The browser warns, for nobody else has signed it: compare the SHA-256 that it shows with this one, then go on (docs/console-remote.md).',
    )
  return lines
}
