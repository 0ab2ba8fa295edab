/**
 * @file How much sooner several robots learn than one: whole fleets (broker, learner and robots in processes of their own) at the
 * same pace and for the same time on the clock, one after the other; then their checkpoints, tried in every cell.
 * `npx tsx scripts/fleet-speedup.ts [A A+B A+A+A+A ...] [--seeds 0,1,2] [--minutes 6] [--pace 1] [--preset quick] [--folder path]
 * [--only-practise] [--set name=value]`
 * A fleet that has been measured in `--folder` is not measured again, and one that has practised there does not practise again:
 * `--only-practise` leaves the trials, which need no quiet machine, to later calls with some of the seeds each.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeWhole } from '../src/durable.ts'
import { evaluate, scores, trialDraws } from '../src/loop/evaluate.ts'
import { percent } from '../src/metrics/percent.ts'
import { mean } from '../src/metrics/statistics.ts'
import { formatTable } from '../src/metrics/summary.ts'
import { RunFolder } from '../src/run/folder.ts'
import { type RunState, STATE_FILE } from '../src/run/run-state.ts'
import { openTrained } from '../src/run/trained.ts'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '6' }, // on the clock, from the end of the warm-up
    pace: { type: 'string', default: '1' },
    preset: { type: 'string', default: 'quick' },
    trials: { type: 'string', default: '20' }, // of each task, cell and checkpoint
    set: { type: 'string', multiple: true, default: [] },
    folder: { type: 'string' },
    'only-practise': { type: 'boolean', default: false },
  },
})
const fleets = positionals.length > 0 ? positionals : ['A', 'A+B', 'A+A+A+A']
const [minutes, pace, trials] = [given.minutes, given.pace, given.trials].map(Number) as [number, number, number]
const folder = given.folder ? resolve(given.folder) : mkdtempSync(join(tmpdir(), 'duet-speedup-'))
const WANTED = [0.9, 0.95] // mean success over the tasks
const FIRST_SEED = 1_000_000
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))

/** A checkpoint of a fleet: when that was, from the end of the warm-up, what the learner had by then, and what it was worth. */
type Point = { minute: number; steps: number; updates: number; success: Record<string, number> }
type Course = { fleet: string; seed: number; points: Point[] }

const cellsOf = (fleet: string) => [...new Set(fleet.split('+'))]
const allCells = [...new Set(fleets.flatMap(cellsOf))]

/** Until each robot has practised for as long as was asked, through its resets too. */
async function practise(run: string, fleet: string, seed: number): Promise<void> {
  const settings = [
    ...[`seed=${seed}`, `robot.cells=[${cellsOf(fleet)}]`, `online.pace=${pace}`],
    ...[`online.robotMinutes=${minutes * pace}`, `checkpointEveryRobotMinutes=${pace}`, 'keepCheckpoints=1000'],
    ...given.set,
  ]
  const sets = settings.flatMap((one) => ['--set', one])
  const up = ['fleet', 'up', run, '--preset', given.preset, '--port', '0', '--robots', `${fleet.split('+').length}`]
  const child = spawn(process.execPath, [duet, ...up, ...sets], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (part) => (errors += part))
  const code = await new Promise((end) => child.once('close', end))
  if (code !== 0) throw new Error(`${fleet}, seed ${seed} ended with ${code}:\n${errors.slice(-4000)}`)
}

async function measured(fleet: string, seed: number): Promise<Course | null> {
  const run = join(folder, `${fleet.replaceAll('+', '')}-seed${seed}`)
  const kept = `${run}.json`
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'))
  if (!existsSync(`${run}.practised`)) {
    process.stderr.write(`${fleet}, seed ${seed}: practises\n`)
    await practise(run, fleet, seed)
    writeWhole(`${run}.practised`, '')
  }
  if (given['only-practise']) return null
  const { checkpoints } = new RunFolder(run)
  const states = readdirSync(checkpoints)
    .sort()
    .map((name) => {
      const path = join(checkpoints, name)
      const state: RunState = JSON.parse(readFileSync(join(path, STATE_FILE), 'utf8'))
      const steps = Object.values(state.robotSteps ?? {}).reduce((sum, count) => sum + count, 0)
      return { path, steps, seconds: state.wallSeconds, updates: Number(/update-(\d+)/.exec(name)![1]) }
    })
  const begins = states.filter(({ steps }) => steps === 0).at(-1)!
  const points: Point[] = []
  for (const { path, steps, seconds, updates } of states.slice(states.indexOf(begins))) {
    const minute = (seconds - begins.seconds) / 60
    process.stderr.write(`${fleet}, seed ${seed}: tries the policy of minute ${minute.toFixed(1)}\n`)
    const success: Point['success'] = {}
    for (const cell of allCells) success[cell] = await worth(path, cell)
    points.push({ minute, steps, updates: updates - begins.updates, success })
  }
  const course = { fleet, seed, points }
  writeWhole(kept, JSON.stringify(course))
  return course
}

/** Mean success over the tasks, of a checkpoint in a cell. */
async function worth(checkpoint: string, cell: string): Promise<number> {
  const trained = await openTrained(checkpoint, { cells: [cell] })
  const { config, session, perception, policy } = trained
  try {
    const crew = { robot: session.rigs[0]!.robot, perception, policy }
    const draws = trialDraws(config, crew.robot.spec)
    const made = await evaluate(crew, config.tasks, { trials, firstSeed: FIRST_SEED, draws })
    return mean(Object.values(scores(made)).map(({ success }) => success))
  } finally {
    await trained.close()
  }
}

/** Minutes on the clock until it succeeded that often in a cell: at the first of two checkpoints in a row, or at the last one. */
function timeTo(wanted: number, { points }: Course, cell: string): number | undefined {
  const reached = points.map(({ success }) => success[cell]! >= wanted)
  return points.find((_, i) => reached[i] && (reached[i + 1] ?? true))?.minute
}

const stepsAMinute = ({ points }: Course) => points.at(-1)!.steps / points.at(-1)!.minute

mkdirSync(folder, { recursive: true })
const courses: Course[] = []
for (const seed of given.seeds.split(',').map(Number))
  for (const fleet of fleets) {
    const course = await measured(fleet, seed)
    if (course) courses.push(course)
  }
if (given['only-practise']) process.exit(0)

const reference = (seed: number) => courses.find((course) => course.seed === seed)! // the first fleet
const minutesOf = (time: number | undefined) => (time === undefined ? 'not' : time.toFixed(1))
const header = [
  ...['fleet', 'seed', 'steps a minute', `of ${fleets[0]}`, 'updates'],
  ...allCells.map((cell) => `in ${cell}, minute by minute`),
  ...WANTED.flatMap((wanted) => allCells.map((cell) => `${percent(wanted)} in ${cell}, min`)),
]
const rows = courses.map((course) => [
  ...[course.fleet, `${course.seed}`, stepsAMinute(course).toFixed(0)],
  (stepsAMinute(course) / stepsAMinute(reference(course.seed))).toFixed(2),
  `${course.points.at(-1)!.updates}`,
  ...allCells.map((cell) => course.points.map(({ success }) => Math.round(100 * success[cell]!)).join(' ')),
  ...WANTED.flatMap((wanted) => allCells.map((cell) => minutesOf(timeTo(wanted, course, cell)))),
])
process.stdout.write(`${formatTable(header, rows)}\n${folder}\n`)
