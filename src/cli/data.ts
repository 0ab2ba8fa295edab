/** @file `duet data`: datasets of others: what is in one, what its columns mean to a robot, and how that looks. */
import { writeFileSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { stringify } from 'yaml'
import { InputError } from '../errors.ts'
import { animation, contactSheet } from '../formats/images.ts'
import { LerobotDataset } from '../formats/lerobot/dataset.ts'
import { contactSheetOf, type FeatureLook, inspect, type SetLook } from '../formats/lerobot/inspect.ts'
import { SetMapping } from '../formats/lerobot/mapping.ts'
import { formatTable } from '../metrics/summary.ts'
import type { RobotSpec } from '../robot/robot.ts'
import { describeRobot, openRig } from '../robots/index.ts'
import type { RunConfig } from '../run/config.ts'
import { openMapped, proposeMapping } from '../run/demonstrations-in.ts'
import { absolutePaths } from '../run/paths.ts'
import { type PresetName, presets, USUAL_PRESET } from '../run/presets.ts'
import { replayMapped } from '../run/replay-mapped.ts'
import { parseOverride, resolveConfig } from '../run/resolve.ts'
import { wholeNumber } from './options.ts'
import { ProgressDisplay } from './progress.ts'

type RobotOptions = { preset: PresetName; config?: string; set: string[]; json?: boolean }

export function register(program: Command): void {
  const data = program
    .command('data')
    .description('LeRobot datasets (2.0, 2.1, 3.0): look into them, map them to a robot')
  data
    .command('inspect')
    .description('what the files hold, and what contradicts; draws what the cameras saw')
    .argument('<dataset>', 'the folder above "meta"')
    .option('--out <file>', 'contact sheet to write; by default the name of the dataset and .png')
    .option('--no-sheet', 'without a contact sheet')
    .option('--json', 'print one JSON object on standard output')
    .action(look)
  robotOptions(data.command('map'))
    .description("propose what the dataset's columns mean to the robot, as the section of a config")
    .argument('<dataset>', 'the folder above "meta"')
    .addHelpText(
      'after',
      `
Examples:
  duet data map sets/cubes --config arm.yaml
  duet data map sets/cubes --config arm.yaml > mapping.yaml     what to check stays in its comments

The exit code is 2 if the dataset cannot be mapped to the robot. docs/data.md has what a mapping is made of.
`,
    )
    .action(map)
  robotOptions(data.command('replay'))
    .description('play a mapped episode in a simulated robot, and draw what its cameras see')
    .argument('<dataset>', 'the folder above "meta"')
    .requiredOption('--episode <n>', 'its index in the dataset', wholeNumber)
    .option('--seed <n>', 'start state of the simulation', wholeNumber, 0)
    .option('--out <file>', 'picture to write, .png or .gif')
    .action(replay)
}

const robotOptions = (command: Command) =>
  command
    .addOption(
      new Option('--preset <name>', 'settings to start from').choices(Object.keys(presets)).default(USUAL_PRESET),
    )
    .option('--config <file>', 'YAML file with the robot, and the mapping')
    .option('--set <name=value>', 'one setting, may be repeated', (text, all: string[]) => [...all, text], [])
    .option('--json', 'print one JSON object on standard output')

async function look(folder: string, options: { out?: string; sheet: boolean; json?: boolean }): Promise<void> {
  const dataset = await LerobotDataset.open(folder)
  const display = new ProgressDisplay()
  let found: SetLook
  try {
    found = await inspect(dataset, (share) =>
      display.show({ stage: 'reading the dataset [%]', done: Math.round(100 * share), total: 100 }),
    )
  } finally {
    display.close()
  }
  const out = options.out ?? `${basename(resolve(folder))}.png`
  const sheet = options.sheet ? await contactSheetOf(dataset) : undefined
  if (sheet?.png) writeFileSync(out, sheet.png)
  const drawn = sheet?.png ? out : null
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...found, sheet: drawn, untold: sheet?.untold ?? [] })}\n`)
    return
  }
  process.stdout.write(`${describe(found)}\n`)
  for (const line of sheet?.untold ?? []) process.stdout.write(`No pictures: ${line}\n`)
  if (drawn) process.stdout.write(`${drawn}: row by row ${sheet!.rows.join('; ')}\n`)
}

function describe(found: SetLook): string {
  const { folder, version, robotType, fps, episodes, frames, tasks, features, lookedAt, oddities } = found
  const rows = features.map(({ name, kind, dtype, shape }) => [name, kind, dtype || '-', shape.join(' × ')])
  const ranges = features.filter((feature) => feature.ranges.length > 0)
  const shown = tasks.slice(0, 5).map((task) => `  ${task}`)
  if (tasks.length > shown.length) shown.push(`  and ${tasks.length - shown.length} more`)
  return [
    `${folder}: LeRobot ${version ?? 'dataset of no version'}, robot ${robotType ?? 'not named'}`,
    `episodes ${episodes}, frames ${frames}, ${fps} frames a second, tasks ${tasks.length}`,
    ...shown,
    formatTable(['feature', 'kind', 'declared', 'shape'], rows),
    lookedAt < episodes ? `Ranges in ${lookedAt} of the episodes:` : 'Ranges:',
    ...ranges.map((feature) => `  ${feature.name}: ${rangesOf(feature)}`),
    ...oddities.map((line) => `Note: ${line}`),
  ].join('\n')
}

function rangesOf({ ranges, names }: FeatureLook): string {
  const told = ranges.map(
    ({ low, high }, i) =>
      `${names.length === ranges.length && names.length > 1 ? `${names[i]} ` : ''}${brief(low)}..${brief(high)}`,
  )
  return told.length > 16 ? `${told.slice(0, 16).join(', ')}, and ${told.length - 16} more` : told.join(', ')
}

const brief = (value: number) => (Number.isInteger(value) ? String(value) : value.toPrecision(3))

const configOf = ({ preset, config, set }: RobotOptions): RunConfig =>
  resolveConfig(
    preset,
    config,
    set.map((text) => absolutePaths(parseOverride(text), process.cwd())),
  )

async function map(folder: string, options: RobotOptions): Promise<void> {
  const dataset = await LerobotDataset.open(folder)
  const config = configOf(options)
  const spec = describeRobot(config.robot, config.robot.cells[0]!)
  const { mapping, because, check, refused } = await proposeMapping(dataset, config, spec)
  const section = mapping && { demonstrations: { path: resolve(folder), mapping } }
  const tried = mapping && (await tryOut(dataset, withMapping(config, SetMapping.parse(mapping)), spec, check))
  if (options.json)
    process.stdout.write(`${JSON.stringify({ robot: spec.name, section, because, check, refused, tried })}\n`)
  else {
    const comments = [
      `# ${folder} as ${spec.name} would take it`,
      ...because.map((line) => `# because: ${line}`),
      ...check.map((line) => `# check: ${line}`),
      ...(tried ? [`# the first episode: ${tried}`] : []),
      ...refused.map((line) => `# refused: ${line}`),
    ]
    process.stdout.write(`${comments.join('\n')}\n${section ? stringify(section) : ''}`)
  }
  if (!mapping) process.exitCode = 2
}

const withMapping = (config: RunConfig, mapping: SetMapping): RunConfig => ({
  ...config,
  demonstrations: { ...config.demonstrations, mapping },
})

/** What becomes of the first episode. What stands in its way is one more thing to check: the proposal is worth having. */
async function tryOut(
  dataset: LerobotDataset,
  config: RunConfig,
  spec: RobotSpec,
  check: string[],
): Promise<string | undefined> {
  try {
    const source = await openMapped(dataset, config, spec)
    for await (const { steps, unusable, start } of source.episodes())
      return `${steps.length} steps of task "${start.task}"${unusable === undefined ? '' : `; it cannot be learned from: ${unusable}`}`
    return 'there is none of a task that the robot has'
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    check.push(`the dataset cannot be taken as it is: ${error.message}`)
    return undefined
  }
}

async function replay(
  folder: string,
  options: RobotOptions & { episode: number; seed: number; out?: string },
): Promise<void> {
  const { out = `episode-${options.episode}.gif` } = options
  const draw = { '.png': (frames: Parameters<typeof animation>[0]) => contactSheet(frames, 10), '.gif': animation }
  const kind = extname(out).toLowerCase()
  if (kind !== '.png' && kind !== '.gif')
    throw new InputError(`--out ${out}`, 'is neither .png nor .gif', 'Choose one of these endings')
  const config = configOf(options)
  const cell = config.robot.cells[0]!
  const spec = describeRobot(config.robot, cell)
  const source = await openMapped(await LerobotDataset.open(folder), config, spec)
  const episode = await source.episode(options.episode)
  const rig = await openRig(config.robot, cell)
  try {
    const { frames, ...replayed } = await replayMapped(rig, episode, options.seed)
    if (frames.length > 0) writeFileSync(out, draw[kind](frames))
    if (options.json) process.stdout.write(`${JSON.stringify({ ...replayed, out: frames.length > 0 ? out : null })}\n`)
    else process.stdout.write(`${told(replayed, episode.steps.length)}${frames.length > 0 ? `, ${out}` : ''}\n`)
  } finally {
    await rig.close()
  }
}

const told = (
  { task, steps, succeeded, parted }: Omit<Awaited<ReturnType<typeof replayMapped>>, 'frames'>,
  recorded: number,
) =>
  [
    `${steps} of ${recorded} steps of "${task}" played, ${succeeded ? 'the task was done' : 'the task was not done'}`,
    ...(parted === null ? [] : [`the tool's way parts by ${(1000 * parted).toFixed(1)} mm at most`]),
  ].join('; ')
