/** @file `duet train`: a whole run, or the rest of one. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Address } from '../console/server/open.ts'
import { InputError } from '../errors.ts'
import { DEVICES, type Device } from '../graph/index.ts'
import { Failure } from '../loop/failure.ts'
import { formatSummary, type Summary } from '../metrics/summary.ts'
import { type HealthChange, healthListener } from '../review/health/watch.ts'
import { reportListener } from '../review/report/index.ts'
import { RunFolder } from '../run/folder.ts'
import type { Exported } from '../run/lerobot.ts'
import type { LerobotRecorder } from '../run/lerobot-recorder.ts'
import { absolutePaths } from '../run/paths.ts'
import { type PresetName, presets, USUAL_PRESET } from '../run/presets.ts'
import { fileSettings, mergeSettings, parseOverride, resolveConfig } from '../run/resolve.ts'
import { describeChange, presetInFull, resumeConfig, resumeListener } from '../run/resume.ts'
import { describeSettings } from '../run/settings.ts'
import { train } from '../run/train.ts'
import { duetVersion } from '../run/version.ts'
import { type RegimeName, regimeCalled } from '../studies/regimes.ts'
import { ENCODERS, type EncoderName } from '../vla/encoders.ts'
import { requireEncoder } from '../vla/open.ts'
import { commandLine } from './command-line.ts'
import { consoleOptions, openConsoleBeside, untilClosed } from './console.ts'
import { endBySteps, endWith } from './ends.ts'
import { regimeOption, wholeNumber } from './options.ts'
import { ProgressDisplay } from './progress.ts'

type Options = Address & {
  preset?: PresetName
  regime?: RegimeName
  config?: string
  set: string[]
  name?: string
  runs: string
  resume?: string
  withoutDamaged?: boolean
  vla?: EncoderName
  vlaPath?: string
  device?: Device
  seed?: number
  lockstep?: boolean
  json?: boolean
  recordLerobot?: string
  console?: boolean
}

const EXAMPLES = `
Examples:
  duet train                                   the quick preset, about a quarter of an hour on two cores
  duet train --preset tiny --name try          about a minute
  duet train --set online.robotMinutes=60 --set learner.discount=0.97
  duet train --config lab.yaml --seed 3
  duet train --regime hard                     flat tips, rough and narrow slots
  duet train --vla smolvla --device cuda       another encoder: duet pull smolvla
  duet train --console                         watch, take over, talk and judge in the browser
  duet train --record-lerobot bolts            what is recorded, as a LeRobot dataset, too
  duet train --resume runs/quick               after a stop, a crash or a power cut
  duet train --resume runs/quick --set online.robotMinutes=90
`

export function register(program: Command): void {
  consoleOptions(program.command('train'))
    .description('warm up on demonstrations, then learn online with corrections; ends with a table and a report')
    .addOption(
      new Option('--preset <name>', `settings to start from, "${USUAL_PRESET}" unless given`).choices(
        Object.keys(presets),
      ),
    )
    .addOption(regimeOption())
    .option('--config <file>', 'YAML file with settings that differ from the preset')
    .option('--set <name=value>', 'one setting, may be repeated', (text, all: string[]) => [...all, text], [])
    .addOption(new Option('--vla <name>', 'the frozen encoder, fetched by `duet pull`').choices(ENCODERS))
    .option(
      '--vla-path <folder>',
      "the encoder's published files, or the name of a pulled model, where they are not the usual ones",
    )
    .addOption(new Option('--device <name>', 'where the encoder runs').choices(DEVICES))
    .option('--seed <number>', 'all random streams of the run derive from it', wholeNumber)
    .option('--lockstep', 'tie updates to robot steps, so that a seed gives one curve')
    .option('--no-lockstep', 'let the learner run at its own pace')
    .option('--name <name>', 'folder of the run; by default the preset (and the regime), numbered if it is taken')
    .option('--runs <folder>', 'where runs are kept', 'runs')
    .option('--resume <run>', 'continue the run in this folder; settings given with it change those that may change')
    .option('--without-damaged', 'with --resume: repair a damaged log first, as `duet log repair` does')
    .option('--record-lerobot <folder>', 'keep a LeRobot dataset of the run here while it goes on, episode by episode')
    .option('--console', 'open the operator console: watch, take over, talk, judge and stop in the browser')
    .option('--no-console', 'without it (`npm start` has one)')
    .option('--json', 'print the summary as JSON on standard output')
    .addHelpText(
      'after',
      () =>
        `\nSettings (name, default, meaning; with * those that may change with --resume):\n${settingsTable()}\n${EXAMPLES}`,
    )
    .action(run)
}

async function run(options: Options): Promise<void> {
  const { path, config, listeners, open } = options.resume ? await reopen(options.resume, options) : await plan(options)
  const display = new ProgressDisplay()
  const operating = options.console ? await openConsoleBeside(path, options, (line) => display.say(line)) : undefined // its port may be taken
  const failure = new Failure()
  failure.onFailure((error) => {
    display.close()
    endWith(error)
  })
  const say = (line: string) => display.say(line)
  const { stop, takeBack } = endBySteps(failure, say, () => operating?.observer.dismiss())
  let recording: LerobotRecorder | undefined
  try {
    const folder = open()
    recording = await recorded(folder, options, display)
    if (!options.json) process.stdout.write(`Run ${folder.path}\n`)
    const summary = await train(folder, config, {
      onProgress: (progress) => display.show(progress),
      onNotice: say,
      stop,
      failure,
      observer: operating?.observer,
      listeners: [
        ...listeners,
        healthListener((change) => tellHealth(change, display)),
        reportListener,
        ...(recording ? [recording.listener] : []),
      ],
      withoutDamaged: options.withoutDamaged,
    })
    display.close()
    if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
    else process.stdout.write(closingWords(folder, summary, stop.aborted))
    takeBack()
    if (operating && !options.json && !stop.aborted) await untilClosed(operating)
  } finally {
    display.close()
    tellRecorded(await recording?.close(), options)
    takeBack()
    await operating?.server.close()
    if (options.resume === undefined) new RunFolder(path).removeUnused()
  }
}

/** What the run records goes into a dataset, too, if that is wanted. */
async function recorded({ path }: RunFolder, { recordLerobot: folder }: Options, display: ProgressDisplay) {
  if (folder === undefined) return undefined
  const { recordLerobot } = await import('../run/lerobot-recorder.ts')
  const remedy = `Later: duet export lerobot ${path} --out ${folder}`
  const onTrouble = (error: Error) => display.say(`Dataset: ${error.message} The run goes on without. ${remedy}`)
  return recordLerobot(path, folder, { onTrouble })
}

function tellRecorded(exported: Exported | undefined, { json }: Options): void {
  if (exported && !json)
    process.stdout.write(`Dataset: ${exported.folder}, ${exported.episodes} episodes, ${exported.frames} frames\n`)
}

function closingWords(folder: RunFolder, summary: Summary, stopped: boolean): string {
  const scored = Object.keys(summary.tasks).length > 0
  const results = scored ? `\n${formatSummary(summary)}\n` : ''
  const report = existsSync(folder.report) ? `\nReport: ${folder.report}\n` : ''
  const goesOn = stopped && !folder.isUnused
  return `${results}${report}${goesOn ? `Continue: duet train --resume ${folder.path}\n` : ''}`
}

function tellHealth({ appeared, cleared }: HealthChange, display: ProgressDisplay): void {
  for (const { sign, words, figure, advice } of appeared)
    display.say(`Health: ${sign}. ${words} (${figure}.) ${advice}.`)
  for (const { sign } of cleared) display.say(`Health: ${sign}: cleared.`)
}

/** The run goes on as it began, but for settings that may change. */
async function reopen(path: string, options: Options) {
  if (options.name !== undefined)
    throw new InputError('--name', 'is given with --resume', 'Leave it out: a resumed run keeps its name')
  if (options.regime !== undefined)
    throw new InputError('--regime', 'is given with --resume', 'Leave it out: a resumed run keeps its regime')
  const { folder, config: before } = RunFolder.open(path)
  const { preset, config: file } = options
  const asked = mergeSettings(file && fileSettings(file), ...overridesOf(options))
  const given = mergeSettings(preset && presetInFull(preset, mergeSettings({ robot: before.robot }, asked)), asked)
  const { config, changes } = resumeConfig(path, before, given)
  await requireEncoder(config.vla, config.vlaPath, config.device)
  const told = changes.map(describeChange)
  const last = folder.parts().at(-1)?.duet
  if (last !== undefined && last !== duetVersion())
    told.unshift(`Duet ${last} worked on this run, ${duetVersion()} goes on`)
  for (const line of told) (options.json ? process.stderr : process.stdout).write(`${line}\n`)
  return { path, config, listeners: [resumeListener(folder, changes, commandLine())], open: () => folder }
}

/** A run to be: nothing is on disk before `open`. */
async function plan(options: Options) {
  if (options.withoutDamaged)
    throw new InputError('--without-damaged', 'is for a run that is there already', 'Give its folder with --resume')
  const { preset = USUAL_PRESET, regime = 'standard' } = options
  const config = resolveConfig(preset, options.config, overridesOf(options), regimeCalled(regime).settings)
  await requireEncoder(config.vla, config.vlaPath, config.device) // before there is a folder
  const path = options.name
    ? join(options.runs, options.name)
    : freeFolder(options.runs, regime === 'standard' ? preset : `${preset}-${regime}`)
  RunFolder.expectFree(path)
  return { path: resolve(path), config, listeners: [], open: () => RunFolder.create(path, config, commandLine()) }
}

/** What the options say beside preset and file; paths among it are seen from here. */
function overridesOf({ set, vla, vlaPath, device, seed, lockstep }: Options): unknown[] {
  const overrides = set.map(parseOverride)
  for (const [name, value] of Object.entries({ vla, vlaPath, device, seed }))
    if (value !== undefined) overrides.push({ [name]: value })
  if (lockstep !== undefined) overrides.push({ online: { lockstep } })
  return overrides.map((given) => absolutePaths(given, process.cwd()))
}

function freeFolder(runs: string, name: string): string {
  for (let i = 1; ; i++) {
    const path = join(runs, i === 1 ? name : `${name}-${i}`)
    if (!existsSync(path)) return path
  }
}

function settingsTable(): string {
  return describeSettings()
    .map(
      ({ name, value, text, mayChange }) =>
        `${mayChange ? '*' : ' '} ${name.padEnd(36)} ${JSON.stringify(value ?? null).padEnd(28)} ${text}`,
    )
    .join('\n')
}
