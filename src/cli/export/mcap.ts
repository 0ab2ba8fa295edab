/** @file `duet export mcap`: episodes as a file that Foxglove opens. */
import { existsSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { InputError } from '../../errors.ts'
import { exportMcap } from '../../formats/mcap/export.ts'
import { segmentsOf } from '../../replay/log-files.ts'
import { RunFolder } from '../../run/folder.ts'
import { duetVersion } from '../../run/version.ts'
import { wholeNumber } from '../options.ts'
import { ProgressDisplay } from '../progress.ts'

type Options = { out?: string; episode?: number; json?: boolean }

export function registerMcap(group: Command): void {
  group
    .command('mcap')
    .description('episodes as an MCAP file for Foxglove: pictures, poses, actions, rewards, words, who acted')
    .argument(
      '<folder>',
      'a run (its online episodes), or a folder of a log: demonstrations, the log of a further cell',
    )
    .option('--out <file>', 'file to write; by default the name of the folder with .mcap')
    .option('--episode <n>', 'this episode alone', wholeNumber)
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet export mcap runs/quick
  duet export mcap runs/quick --episode 12 --out episode.mcap
  duet export mcap runs/quick/demonstrations
`,
    )
    .action(write)
}

async function write(path: string, { out, episode, json }: Options): Promise<void> {
  const log = logAt(path)
  const file = out ?? `${basename(resolve(path))}${episode === undefined ? '' : `-${episode}`}.mcap`
  const version = duetVersion()
  const display = new ProgressDisplay()
  const onEpisode = (done: number, total: number) => display.show({ stage: 'writing episodes', done, total })
  const notes = { folder: basename(resolve(path)), duet: version }
  const written = await exportMcap(log, { file, library: `duet ${version}`, notes, episode, onEpisode }).finally(() =>
    display.close(),
  )
  const { size } = statSync(file)
  if (json) process.stdout.write(`${JSON.stringify({ file, ...written, bytes: size })}\n`)
  else
    process.stdout.write(
      `${file}: ${written.episodes} episodes, ${written.steps} steps, ${(size / 1e6).toFixed(1)} MB\n`,
    )
}

/** @throws InputError if there is no log */
function logAt(path: string): string {
  const run = new RunFolder(path)
  const log = existsSync(run.config) ? run.log : run.path
  if (segmentsOf(log).length > 0) return log
  throw new InputError(path, 'holds no log', 'Give a run, its demonstrations, or another folder with a log')
}
