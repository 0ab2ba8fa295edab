/** @file `duet train`: a whole run, or the rest of one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { describeSettings, type PresetName, parseOverride, presets, resolveConfig } from '../run/config.ts'
import { RunFolder } from '../run/folder.ts'
import { formatSummary } from '../run/summary.ts'
import { train } from '../run/train.ts'
import { ProgressDisplay } from './progress.ts'

type Options = {
  preset: PresetName
  config?: string
  set: string[]
  name?: string
  runs: string
  resume?: string
  seed?: number
  lockstep?: boolean
  json?: boolean
}

const EXAMPLES = `
Examples:
  duet train                                   the quick preset, about 25 minutes on two cores
  duet train --preset tiny --name try          about a minute
  duet train --set online.robotMinutes=60 --set learner.discount=0.97
  duet train --config lab.yaml --seed 3
  duet train --resume runs/quick               after a stop, a crash or a power cut
`

export function register(program: Command): void {
  program
    .command('train')
    .description('warm up on demonstrations, then learn online with corrections; ends with a table and a report')
    .addOption(new Option('--preset <name>', 'settings to start from').choices(Object.keys(presets)).default('quick'))
    .option('--config <file>', 'YAML file with settings that differ from the preset')
    .option('--set <name=value>', 'one setting, may be repeated', (text, all: string[]) => [...all, text], [])
    .option('--seed <number>', 'all random streams of the run derive from it', Number)
    .option('--lockstep', 'tie updates to robot steps, so that a seed gives one curve')
    .option('--no-lockstep', 'let the learner run at its own pace')
    .option('--name <name>', 'folder of the run; by default the preset, numbered if it is taken')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--resume <run>', 'continue the run in this folder')
    .option('--json', 'print the summary as JSON on standard output')
    .addHelpText('after', () => `\nSettings (name, default, meaning):\n${settingsTable()}\n${EXAMPLES}`)
    .action(run)
}

async function run(options: Options): Promise<void> {
  const { folder, config } = options.resume ? RunFolder.open(options.resume) : create(options)
  const display = new ProgressDisplay()
  let stopping = false
  const stop = () => {
    if (stopping) process.exit(130)
    stopping = true
    process.stderr.write('\nStopping after this episode; once more to stop at once (nothing logged is lost).\n')
  }
  process.on('SIGINT', stop)
  if (!options.json) process.stdout.write(`Run ${folder.path}\n`)
  try {
    const summary = await train(folder, config, {
      onProgress: (progress) => display.show(progress),
      onHealth: ({ appeared, cleared }) => {
        for (const { sign, words, figure, advice } of appeared)
          display.say(`Health: ${sign}. ${words} (${figure}.) ${advice}.`)
        for (const { sign } of cleared) display.say(`Health: ${sign}: cleared.`)
      },
      stopping: () => stopping,
    })
    display.close()
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else
      process.stdout.write(
        `\n${formatSummary(summary)}\n\nReport: ${folder.report}\n${stopping ? `Continue: duet train --resume ${folder.path}\n` : ''}`,
      )
  } finally {
    display.close()
    process.off('SIGINT', stop)
  }
}

function create(options: Options) {
  const overrides = options.set.map(parseOverride)
  if (options.seed !== undefined) overrides.push({ seed: options.seed })
  if (options.lockstep !== undefined) overrides.push({ online: { lockstep: options.lockstep } })
  const config = resolveConfig(options.preset, options.config, overrides)
  const path = options.name ? join(options.runs, options.name) : freeFolder(options.runs, options.preset)
  const command = ['duet', ...process.argv.slice(2)].join(' ')
  return { folder: RunFolder.create(path, config, command), config }
}

function freeFolder(runs: string, preset: string): string {
  for (let i = 1; ; i++) {
    const path = join(runs, i === 1 ? preset : `${preset}-${i}`)
    if (!existsSync(path)) return path
  }
}

function settingsTable(): string {
  return describeSettings()
    .map(({ name, value, text }) => `  ${name.padEnd(36)} ${JSON.stringify(value ?? null).padEnd(28)} ${text}`)
    .join('\n')
}
