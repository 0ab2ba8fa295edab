/** @file `duet log`: is a log whole, and how to go on with what is. */
import { basename } from 'node:path'
import type { Command } from 'commander'
import type { FileCheck, LogCheck } from '../replay/check.ts'
import type { Repair } from '../replay/repair.ts'
import { lock, lockedFolder } from '../run/lock.ts'
import { checkLogs, describeDamage, logsAt, placeIn, repairLogs } from '../run/logs.ts'
import { ProgressDisplay } from './progress.ts'

type Options = { json?: boolean }

export function register(program: Command): void {
  const log = program.command('log').description('the episodes that a run recorded: check them, repair what is damaged')
  log
    .command('check')
    .description('read every record; exit code 2 if one is damaged')
    .argument('<folder>', 'a run, the log of one, or demonstrations')
    .option('--json', 'print one JSON object on standard output')
    .action(check)
  log
    .command('repair')
    .description('drop damaged episodes and keep all others; the damaged file is kept beside the new one')
    .argument('<folder>', 'a run, the log of one, or demonstrations')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet log check runs/quick
  duet log repair runs/quick
  duet train --resume runs/quick --without-damaged     both at once, and on it goes
`,
    )
    .action(repair)
}

async function check(path: string, options: Options): Promise<void> {
  const checks = await withProgress('checking the log', (onShare) => checkLogs(logsAt(path), onShare))
  const files = checks.flatMap((one) => one.files)
  const damaged = files.some(({ damage }) => damage.length > 0)
  if (options.json)
    process.stdout.write(`${JSON.stringify({ folder: path, whole: !damaged, files: files.map(brief) })}\n`)
  else process.stdout.write(`${describe(path, checks)}\n${damaged ? `Repair: duet log repair ${path}\n` : ''}`)
  if (damaged) process.exitCode = 2
}

async function repair(path: string, options: Options): Promise<void> {
  const logs = logsAt(path).filter(({ own }) => own) // what lies elsewhere may be others' too
  const release = lock(lockedFolder(path))
  try {
    const repairs = await withProgress('repairing the log', (onShare) => repairLogs(logs, onShare))
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ folder: path, repaired: repairs.map(({ check, original }) => ({ ...brief(check), original })) })}\n`,
      )
    else process.stdout.write(repairs.length > 0 ? repairs.map(tellRepair(path)).join('') : 'Nothing is damaged.\n')
  } finally {
    release()
  }
}

async function withProgress<T>(stage: string, work: (onShare: (share: number) => void) => Promise<T>): Promise<T> {
  const display = new ProgressDisplay()
  try {
    return await work((share) => display.show({ stage: `${stage} [%]`, done: Math.round(100 * share), total: 100 }))
  } finally {
    display.close()
  }
}

const brief = ({ file, bytes, episodes, damage, cut }: FileCheck) => ({
  file,
  bytes,
  episodes: episodes.length,
  steps: stepsIn(episodes),
  damage,
  cut,
})

const stepsIn = (episodes: FileCheck['episodes']) => episodes.reduce((sum, { steps }) => sum + steps, 0)

const describe = (path: string, checks: readonly LogCheck[]) =>
  checks
    .flatMap(({ files }) => files)
    .map((check) => describeFile(placeIn(path, check.file), check))
    .join('\n')

function describeFile(name: string, { episodes, damage, cut }: FileCheck): string {
  const held = `${episodes.length} whole episodes, ${stepsIn(episodes)} steps`
  const lines = damage.map((one) => `  damaged: ${describeDamage(one)}`)
  if (cut)
    lines.push(
      `  cut short: ${cut.bytes} bytes at byte ${cut.offset}, a write that was not finished; nothing else is lost`,
    )
  return [`${name}: ${held}${damage.length > 0 ? '' : ', fine'}`, ...lines].join('\n')
}

const tellRepair =
  (path: string) =>
  ({ check: { file, episodes, damage }, original }: Repair): string =>
    [
      `${placeIn(path, file)}: kept ${episodes.length} episodes, ${stepsIn(episodes)} steps; dropped`,
      ...damage.map((one) => `  ${describeDamage(one)}`),
      `  as it was: ${basename(original)}\n`,
    ].join('\n')
