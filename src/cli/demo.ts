/** @file `duet demo`: record demonstrations of the scripted expert, and look at them. */
import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { InputError } from '../errors.ts'
import { animation, contactSheet, sideBySide } from '../formats/images.ts'
import { formatTable } from '../metrics/summary.ts'
import { type LoggedEpisode, readEpisodes } from '../replay/log-reader.ts'
import type { Image, Observation } from '../robot/robot.ts'
import { demonstrator } from '../robots/workcell/demonstrator.ts'
import { guardedWorkcell } from '../robots/workcell/guarded.ts'
import { OPERATIONS } from '../robots/workcell/operations.ts'
import { CELL_OPTIONS, CELLS, type Cell } from '../robots/workcell/options.ts'
import { recordDemonstrations } from '../run/demonstrations.ts'
import { lock, lockedFolder } from '../run/lock.ts'
import { shareNumber, wholeNumber } from './options.ts'
import { ProgressDisplay } from './progress.ts'

const SHEET_COLUMNS = 10 // frames a row
const SCALE = 2 // pixels of the picture for one of the camera

type RecordOptions = {
  task?: string[]
  count: number
  noise: number
  seed: number
  arm: 'panda' | 'gantry'
  cell: Cell
  json?: boolean
}
type ShowOptions = { episode?: number; out?: string; json?: boolean }

export function register(program: Command): void {
  const demo = program.command('demo').description('demonstrations: record and show them')
  demo
    .command('record')
    .description('let the scripted expert, with an unsteady hand, demonstrate tasks in the simulated workcell')
    .argument('<folder>', 'a log folder, made where it is missing; recording goes on where it stopped')
    .option('--task <name...>', 'these tasks, instead of place, pick and assemble')
    .option('--count <n>', 'demonstrations per task', wholeNumber, 20)
    .option('--noise <spread>', 'of the hand, action units, 0 to 0.5', shareNumber(0.5), 0.05)
    .option('--seed <n>', 'fixes the start states and the hand', wholeNumber, 0)
    .option('--arm <kind>', '"panda" or "gantry"', arm, 'panda')
    .addOption(new Option('--cell <name>', 'workcell whose robot demonstrates').choices(CELLS).default('A'))
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet demo record demonstrations
  duet demo record demonstrations --task pick assemble --count 40 --noise 0.1
  duet train --set demonstrations.path=demonstrations
`,
    )
    .action(record)
  demo
    .command('show')
    .description('list the episodes of a log, or draw one as a contact sheet (PNG) or an animation (GIF)')
    .argument('<folder>', 'demonstrations, or the log of a run')
    .option('--episode <n>', 'the episode to draw', wholeNumber)
    .option('--out <file>', 'picture to write, .png or .gif')
    .option('--json', 'print one JSON object on standard output')
    .addHelpText(
      'after',
      `
Examples:
  duet demo show runs/quick/demonstrations
  duet demo show runs/quick/demonstrations --episode 3 --out episode.gif
  duet demo show runs/quick/log --episode 120 --out episode.png
`,
    )
    .action(show)
}

async function record(folder: string, options: RecordOptions): Promise<void> {
  const release = lock(lockedFolder(folder))
  const { robot, workcell } = await guardedWorkcell({ arm: options.arm, ...CELL_OPTIONS[options.cell] })
  const display = new ProgressDisplay()
  const tasks = options.task ?? OPERATIONS
  try {
    await recordDemonstrations(folder, {
      robot,
      demonstrator: (seed, hand) => demonstrator(() => workcell.truth(), seed, hand),
      tasks,
      perTask: options.count,
      noise: options.noise,
      seed: options.seed,
      onEpisode: (done, total) => display.show({ stage: 'recording demonstrations', done, total }),
    })
  } finally {
    display.close()
    workcell.free()
    release()
  }
  const held = [...readEpisodes(folder)].map(summaryOf)
  if (options.json) process.stdout.write(`${JSON.stringify({ folder, episodes: held })}\n`)
  else process.stdout.write(`${folder} holds ${held.length} demonstrations, ${steps(held)} steps\n`)
}

function show(folder: string, options: ShowOptions): void {
  if (options.out !== undefined || options.episode !== undefined) draw(folder, options)
  else list(folder, options)
}

function list(folder: string, options: ShowOptions): void {
  const episodes = Array.from(readEpisodes(folder), summaryOf)
  if (episodes.length === 0)
    throw new InputError(folder, 'holds no episode', 'Record some with `duet demo record`, or give the log of a run')
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ folder, episodes })}\n`)
    return
  }
  const rows = episodes.map(({ episode, task, ending, steps, operatorSteps, seed }) =>
    [episode, task, ending, steps, operatorSteps, seed ?? '-'].map(String),
  )
  process.stdout.write(`${formatTable(['episode', 'task', 'ending', 'steps', 'operator', 'seed'], rows)}\n`)
}

type Summary = ReturnType<typeof summaryOf>

const summaryOf = ({ start, steps, end }: LoggedEpisode) => ({
  episode: start.episode,
  task: start.task,
  ending: end.ending,
  steps: steps.length,
  operatorSteps: steps.filter(({ actor }) => actor === 'operator').length,
  seed: start.seed,
})

const steps = (episodes: readonly Summary[]) => episodes.reduce((sum, { steps }) => sum + steps, 0)

function draw(folder: string, { episode = 0, out = `episode-${episode}.png`, json }: ShowOptions): void {
  const found = find(folder, episode)
  const frames = found.observations.map(allCameras)
  const picture = { '.png': () => contactSheet(frames, SHEET_COLUMNS, SCALE), '.gif': () => animation(frames) }
  const kind = extname(out).toLowerCase()
  if (kind !== '.png' && kind !== '.gif')
    throw new InputError(`--out ${out}`, 'is neither .png nor .gif', 'Choose one of these endings')
  writeFileSync(out, picture[kind]())
  const summary = summaryOf(found)
  const { task, ending, steps } = summary
  process.stdout.write(
    json
      ? `${JSON.stringify({ folder, out, episodes: [summary] })}\n`
      : `${out}: episode ${episode}, ${task}, ${steps} steps, ${ending}\n`,
  )
}

function find(folder: string, episode: number): LoggedEpisode {
  for (const found of readEpisodes(folder)) if (found.start.episode === episode) return found
  throw new InputError(folder, `holds no episode ${episode}`, 'List them with `duet demo show` and the folder alone')
}

/** The images of one moment, cameras in the order of their names. */
const allCameras = ({ images }: Observation): Image =>
  sideBySide(
    Object.keys(images)
      .sort()
      .map((camera) => images[camera]!),
  )

function arm(text: string): 'panda' | 'gantry' {
  if (text !== 'panda' && text !== 'gantry') throw new InvalidArgumentError('Give "panda" or "gantry".')
  return text
}
