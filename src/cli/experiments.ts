/** @file `duet experiments`: the published experiments, from config to table and plot. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { InputError } from '../errors.ts'
import { formatTable } from '../metrics/summary.ts'
import { mergeSettings, type PresetName, parseOverride, presets, resolveConfig } from '../run/config.ts'
import type { Experiment, ExperimentOptions } from '../studies/experiment.ts'
import { experiments } from '../studies/index.ts'
import { commandOf, printed, publish, writePlots } from '../studies/publish.ts'
import { inRegime, REGIMES, type RegimeName } from '../studies/regimes.ts'
import { DiskWorkbench } from '../studies/workbench.ts'
import { workers } from '../studies/workers.ts'
import { regimeOption, wholeNumber } from './options.ts'
import { RunsDisplay } from './runs-display.ts'

type Options = {
  preset?: PresetName
  regime?: RegimeName
  seeds?: number[]
  trials?: number
  robotMinutes?: number
  set: string[]
  runs: string
  jobs: number
  publish?: boolean
  docs: string
}

export function register(program: Command): void {
  program
    .command('experiments')
    .description('run published experiments, each from its settings to its tables and plots; without a name, list them')
    .argument('[names...]', 'experiments to run, one after the other')
    .addOption(
      new Option('--preset <name>', 'settings to start from; its own budget is then the default').choices(
        Object.keys(presets),
      ),
    )
    .addOption(regimeOption())
    .option('--seeds <list>', 'training seeds, e.g. 0,1,2', seedList)
    .option('--trials <n>', 'evaluation episodes per task and seed', wholeNumber)
    .option('--robot-minutes <minutes>', 'online budget of one run', minutes)
    .option(
      '--set <name=value>',
      'one setting of every run, may be repeated',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--jobs <n>', 'runs that train at the same time', wholeNumber, 1)
    .option('--publish', 'write the section into the page of results')
    .option('--docs <folder>', 'where that page, results.md, lies', 'docs')
    .addHelpText(
      'after',
      `
Everything made is kept under <runs>/experiments and found again: the same command goes on after a stop or a crash.

Examples:
  duet experiments
  duet experiments table1 --seeds 0,1,2 --jobs 2 --publish
  duet experiments table1 --regime hard        the same in another regime, under a name of its own
  duet experiments table1 --preset tiny --seeds 0           a few minutes, to try it
`,
    )
    .action(run)
}

async function run(names: string[], options: Options): Promise<void> {
  if (names.length === 0) return list()
  if (options.jobs < 1) throw new InputError('--jobs', 'is 0', 'Give 1 or more')
  const chosen = names.map(find).map((found) => (options.regime ? inRegime(found, options.regime) : found))
  const abort = new AbortController()
  const display = new RunsDisplay()
  const stop = () => {
    if (abort.signal.aborted) process.exit(130)
    abort.abort()
    process.stderr.write(
      '\nStopping after the episodes under way; once more to stop at once (nothing logged is lost).\n',
    )
  }
  process.on('SIGINT', stop)
  try {
    for (const experiment of chosen) await runOne(experiment, options, abort.signal, display)
  } catch (error) {
    if (!abort.signal.aborted) throw error
    process.stderr.write('Stopped. The same command goes on from here.\n')
    process.exitCode = 130
  } finally {
    process.off('SIGINT', stop)
  }
}

async function runOne(experiment: Experiment, options: Options, signal: AbortSignal, display: RunsDisplay) {
  const bench = new DiskWorkbench({
    experiment,
    options: resolveOptions(experiment, options),
    preset: options.preset ?? 'quick',
    regime: options.regime && REGIMES[options.regime].settings,
    runs: options.runs,
    jobs: options.jobs,
    workers,
    signal,
    onProgress: (run, progress) => display.show(experiment.name, run, progress),
  })
  const section = await experiment.run(bench).finally(() => bench.settled())
  const made = { wallMinutes: bench.wallMinutes, preset: options.preset ?? ('quick' as const), runs: bench.used }
  writePlots(bench.path, experiment.name, section)
  process.stdout.write(`${printed(experiment, section)}\n\nPlots and values: ${bench.path}\n`)
  if (options.publish) {
    const page = publish(options.docs, experiment, section, { ...made, options: bench.options })
    process.stdout.write(`Published in ${page}\n`)
  } else
    process.stdout.write(
      `Publish with: ${commandOf(experiment.asked ?? experiment.name, made.preset, bench.options)}\n`,
    )
}

function resolveOptions({ defaults }: Experiment, options: Options): ExperimentOptions {
  const overrides = mergeSettings(defaults.overrides, ...options.set.map(parseOverride))
  const own = options.preset && resolveConfig(options.preset)
  return {
    seeds: options.seeds ?? defaults.seeds,
    trials: options.trials ?? own?.evaluation.trials ?? defaults.trials,
    robotMinutes: options.robotMinutes ?? own?.online.robotMinutes ?? defaults.robotMinutes,
    overrides,
  }
}

function find(name: string): Experiment {
  const found = experiments.find((experiment) => experiment.name === name)
  if (found) return found
  const known = experiments.map((experiment) => experiment.name).join(', ')
  throw new InputError(`experiment "${name}"`, 'is unknown', `There are: ${known}`)
}

function list(): void {
  const rows = experiments.map(({ name, title, defaults }) => [
    name,
    title,
    defaults.seeds.join(','),
    String(defaults.trials),
    String(defaults.robotMinutes),
  ])
  process.stdout.write(`${formatTable(['name', 'title', 'seeds', 'trials', 'robot min'], rows)}\n`)
}

function seedList(text: string): number[] {
  const seeds = text.split(',').map(Number)
  if (seeds.some((seed) => !Number.isInteger(seed) || seed < 0) || new Set(seeds).size < seeds.length)
    throw new InvalidArgumentError('Give different whole numbers with commas between them, e.g. 0,1,2.')
  return seeds
}

function minutes(text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new InvalidArgumentError('Give minutes, 0 or more.')
  return value
}
