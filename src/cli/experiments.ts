/** @file `duet experiments`: the published experiments, from config to table and plot. */
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { InputError } from '../errors.ts'
import { formatTable } from '../metrics/summary.ts'
import { type PresetName, presets, USUAL_PRESET } from '../run/presets.ts'
import { mergeSettings, parseOverride, resolveConfig } from '../run/resolve.ts'
import type { Experiment, ExperimentOptions, Section } from '../studies/experiment.ts'
import { inRegime } from '../studies/in-regime.ts'
import { experiments } from '../studies/index.ts'
import { checkSeeds, PROTOCOL, type Purpose } from '../studies/protocol.ts'
import { commandOf, type Making, printed, publish, writePlots } from '../studies/publish.ts'
import { type Recipe, Recipes } from '../studies/recipe.ts'
import { type RegimeName, regimeCalled } from '../studies/regimes.ts'
import { withMethods } from '../studies/with-methods.ts'
import { DiskWorkbench } from '../studies/workbench.ts'
import { workers } from '../studies/workers.ts'
import { countNumber, regimeOption } from './options.ts'
import { RunsDisplay } from './runs-display.ts'

type Options = {
  preset?: PresetName
  regime?: RegimeName
  methods?: string[]
  seeds?: number[]
  trials?: number
  robotMinutes?: number
  set: string[]
  runs: string
  jobs: number
  tuning?: boolean
  reporting?: boolean
  publish?: boolean
  freeze?: boolean
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
    .option(
      '--methods <list>',
      'methods to compare beside the dual actor and the control, e.g. silent,dsrl; all of the regime where it is left out',
      (text) => text.split(','),
    )
    .option('--seeds <list>', 'training seeds, e.g. 0,1,2', seedList)
    .option('--trials <n>', 'evaluation episodes per task and seed', countNumber)
    .option('--robot-minutes <minutes>', 'online budget of one run', minutes)
    .option(
      '--set <name=value>',
      'one setting of every run, may be repeated',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--jobs <n>', 'runs that train at the same time', countNumber, 1)
    .addOption(
      new Option(
        '--tuning',
        'on the seeds and starts that settings are chosen on; the default, unless published',
      ).conflicts('reporting'),
    )
    .option(
      '--reporting',
      'on the seeds and starts that figures are published of, by the frozen recipe; the default with --publish',
    )
    .option('--publish', 'write the section into the page of results')
    .option('--freeze', 'make the commit that is checked out the recipe that reporting seeds are run by')
    .option('--docs <folder>', 'where that page, results.md, lies, and recipe.json', 'docs')
    .addHelpText(
      'after',
      `
Everything made is kept under <runs>/experiments and found again: the same command goes on after a stop or a crash.

Settings are chosen on training seeds ${PROTOCOL.tuning.seeds.join(', ')}, figures published of ${PROTOCOL.reporting.seeds.join(', ')}: those wait until the recipe is
frozen, and are run by no other. Commit the recipe.json that --freeze writes.

Examples:
  duet experiments
  duet experiments regimes --jobs 2                          while settings are chosen
  duet experiments --freeze                                  once they are
  duet experiments regimes --jobs 2 --publish
  duet experiments regimes --regime hard                     one regime of it, by the same runs, under a name of its own
  duet experiments regimes --regime hard --methods silent    a table before all of its methods have run
  duet experiments curves --regime hard                      any other experiment in that regime
  duet experiments regimes --preset tiny --seeds 0           a few minutes, to try it
`,
    )
    .action(run)
}

async function run(names: string[], options: Options): Promise<void> {
  const recipes = new Recipes(options.docs)
  if (options.freeze) {
    const { commit } = recipes.freeze()
    process.stdout.write(
      `Reporting seeds are run by what trains as in ${commit}. Commit ${options.docs}/recipe.json.\n`,
    )
  }
  if (names.length === 0) return options.freeze ? undefined : list()
  const regime = options.regime && regimeCalled(options.regime)
  const { methods } = options
  const chosen = names.map(find).map((found) => {
    const placed = regime ? inRegime(found, regime) : found
    return { experiment: methods ? withMethods(placed, methods) : placed, options: resolveOptions(found, options) }
  })
  const recipe = purposeOf(options) === 'reporting' ? recipes.frozen() : undefined // before anything is written
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
    for (const { experiment, options: resolved } of chosen) {
      const { section, making } = await runOne(
        experiment,
        resolved,
        options,
        { recipes, recipe },
        abort.signal,
        display,
      )
      tell(experiment, section, { ...making, recipe }, options)
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error
    process.stderr.write('Stopped. The same command goes on from here.\n')
    process.exitCode = 130
  } finally {
    process.off('SIGINT', stop)
  }
}

async function runOne(
  experiment: Experiment,
  options: ExperimentOptions,
  { preset = USUAL_PRESET, regime, methods, runs, jobs, docs }: Options,
  { recipes, recipe }: { recipes: Recipes; recipe: Recipe | undefined },
  signal: AbortSignal,
  display: RunsDisplay,
): Promise<{ section: Section; making: Making }> {
  const bench = new DiskWorkbench({
    experiment,
    options,
    preset,
    regime: regime && regimeCalled(regime),
    methods,
    runs,
    kept: recipe && join(docs, 'results', 'runs', recipe.commit),
    jobs,
    workers,
    signal,
    mayMake: recipe && (() => recipes.refuseOtherCode(recipe)),
    mayCount: recipe && ((what, version) => recipes.refuseMade(what, version, recipe)),
    onProgress: (run, progress) => display.show(experiment.name, run, progress),
  })
  const section = await experiment.run(bench).finally(() => bench.settled())
  writePlots(bench.path, experiment.name, section)
  process.stdout.write(`Plots and values: ${bench.path}\n`)
  return { section, making: { preset, options, wallMinutes: bench.wallMinutes, runs: bench.used } }
}

function tell(experiment: Experiment, section: Section, making: Making, { publish: published, docs }: Options): void {
  process.stdout.write(`${printed(experiment, section, making)}\n\n`)
  if (published) process.stdout.write(`Published in ${publish(docs, experiment, section, making)}\n`)
  else
    process.stdout.write(
      `Publish with: ${commandOf(experiment.asked ?? experiment.name, making.preset, making.options)}\n`,
    )
}

const purposeOf = ({ tuning, reporting, publish }: Options): Purpose =>
  reporting || (publish && !tuning) ? 'reporting' : 'tuning'

/** @throws InputError for training seeds of the other purpose */
function resolveOptions(experiment: Experiment, options: Options): ExperimentOptions {
  const purpose = purposeOf(options)
  const { seeds, trials } = PROTOCOL[purpose]
  const own = options.preset && resolveConfig(options.preset)
  const resolved = {
    purpose,
    seeds: options.seeds ?? seeds,
    trials: options.trials ?? presets[options.preset ?? USUAL_PRESET].evaluation?.trials ?? experiment.trials ?? trials,
    robotMinutes: options.robotMinutes ?? own?.online.robotMinutes ?? experiment.robotMinutes,
    overrides: mergeSettings(...options.set.map(parseOverride)),
  }
  checkSeeds(purpose, resolved.seeds)
  return resolved
}

function find(name: string): Experiment {
  const found = experiments.find((experiment) => experiment.name === name)
  if (found) return found
  const known = experiments.map((experiment) => experiment.name).join(', ')
  throw new InputError(`experiment "${name}"`, 'is unknown', `There are: ${known}`)
}

function list(): void {
  const rows = experiments.map(({ name, title, trials, robotMinutes }) => [
    name,
    title,
    trials === undefined ? `${PROTOCOL.tuning.trials}, ${PROTOCOL.reporting.trials}` : String(trials),
    String(robotMinutes),
  ])
  process.stdout.write(`${formatTable(['name', 'title', 'trials', 'robot min'], rows)}\n`)
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
