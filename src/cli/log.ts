/** @file `duet log`: is a log whole, and how to go on with what is. */
import type { Command } from 'commander'
import type { FileCheck } from '../replay/check.ts'
import { checkEncodings, type EncodingsCheck } from '../replay/encodings.ts'
import { lock, lockedFolder } from '../run/lock.ts'
import { checkLogs, describeDamage, describeRepair, logsAt, placeIn, repairCommand, repairLogs } from '../run/logs.ts'
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
  const logs = logsAt(path)
  const checks = await withProgress('checking the log', (onShare) => checkLogs(logs, onShare))
  const files = checks.flatMap((one) => one.files)
  const damaged = logs.filter((_, k) => checks[k]!.files.some(({ damage }) => damage.length > 0))
  const whole = damaged.length === 0
  const remedies = new Set(damaged.map((log) => `Repair: ${repairCommand(log, path)}`))
  const encodings = logs.flatMap(({ folder }) => checkEncodings(folder))
  if (options.json)
    process.stdout.write(`${JSON.stringify({ folder: path, whole, files: files.map(brief), encodings })}\n`)
  else {
    const lines = [...files.map((file) => describeFile(path, file)), ...remedies]
    process.stdout.write(`${[...lines, ...encodings.map((one) => describeEncodings(path, one))].join('\n')}\n`)
  }
  if (!whole) process.exitCode = 2
}

async function repair(path: string, options: Options): Promise<void> {
  const logs = logsAt(path)
  const release = lock(lockedFolder(path))
  try {
    const repairs = await withProgress('repairing the log', (onShare) => repairLogs(logs, onShare))
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ folder: path, repaired: repairs.map(({ check, original }) => ({ ...brief(check), original })) })}\n`,
      )
    else process.stdout.write(`${repairs.flatMap(describeRepair).join('\n') || 'Nothing is damaged.'}\n`)
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

const brief = ({ file, bytes, episodes, damage, changed, cut }: FileCheck) => ({
  file,
  bytes,
  episodes: episodes.length,
  steps: stepsIn(episodes),
  damage,
  changed,
  cut,
})

const stepsIn = (episodes: FileCheck['episodes']) => episodes.reduce((sum, { steps }) => sum + steps, 0)

function describeFile(path: string, { file, episodes, damage, changed, cut }: FileCheck): string {
  const held = `whole episodes: ${episodes.length}, their steps: ${stepsIn(episodes)}`
  const lines = damage.map((one) => `  damaged: ${describeDamage(one)}`)
  if (changed > 0)
    lines.push(`  changed: of ${changed} pictures this version makes other pixels than those that the policy saw`)
  if (cut)
    lines.push(
      `  cut short: ${cut.bytes} bytes at byte ${cut.offset}, a write that was not finished; the next resume removes it`,
    )
  return [`${placeIn(path, file)}: ${held}${damage.length > 0 ? '' : ', fine'}`, ...lines].join('\n')
}

/** Damage there is none of the log: what is lost is encoded again. */
function describeEncodings(path: string, { file, encoder, observations, damaged }: EncodingsCheck): string {
  if (encoder === undefined) return `${placeIn(path, file)}: damaged; the next resume makes it anew, or delete it`
  const places = damaged > 0 ? `, damaged places: ${damaged}, which are encoded again` : ''
  return `${placeIn(path, file)}: what ${encoder} made of observations: ${observations}${places}; may be deleted`
}
