/**
 * @file Step 0 on the same demonstrations out of three places: our own log, our LeRobot 3.0 of it (JPEG), and a 2.1 as somebody else
 * writes it (scripts/mapped-step0/foreign-set.ts), mapped as `duet data map` proposes and a person then mends. Nothing else differs.
 * `npx tsx scripts/mapped-step0.ts <folder> [trials] [setting=value ...]`; what is in the folder already is taken as it is.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { percent } from '../src/metrics/percent.ts'
import { wilsonInterval } from '../src/metrics/statistics.ts'
import { formatTable } from '../src/metrics/summary.ts'
import { describeRobot } from '../src/robots/index.ts'
import { demonstrationsIn } from '../src/run/demonstrations-in.ts'
import { parseOverride, resolveConfig } from '../src/run/resolve.ts'
import { textOf, writeForeignSet } from './mapped-step0/foreign-set.ts'

const [folder, trials = '40', ...settings] = process.argv.slice(2)
if (!folder) throw new Error('Give a folder for demonstrations, sets and runs')
const [log, ours, foreign] = ['demonstrations', 'set-3.0', 'set-2.1-av1'].map((name) => join(folder, name))
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const config = resolveConfig('quick', undefined, settings.map(parseOverride))
const { perTask, noise } = config.demonstrations
const spec = describeRobot(config.robot, config.robot.cells[0]!)

function run(...args: string[]): string {
  const { status, stdout } = spawnSync(process.execPath, [duet, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`duet ${args.join(' ')} ended with ${status}`)
  return stdout
}

/** What is proposed, and what a person says to its questions: the state is the robot's own channels, and which text is which task. */
function mapped(set: string): string {
  const proposal = run('data', 'map', set)
  const { demonstrations } = parse(proposal)
  demonstrations.mapping.proprio = 'state'
  demonstrations.mapping.tasks = Object.fromEntries(
    config.tasks.map((task) => [textOf(spec.tasks[task]!.instruction), task]),
  )
  const file = join(folder!, 'mapped.yaml')
  const questions = proposal.split('\n').filter((line) => line.startsWith('#'))
  writeFileSync(file, `${questions.join('\n')}\n${stringify({ demonstrations: { perTask, ...demonstrations } })}`)
  return file
}

/** The warm-up alone, and how many trials of each task its policy does. */
function stepZero(name: string, ...more: string[]): number[] {
  const path = join(folder!, name)
  const only = ['online.robotMinutes=0', 'evaluation.trials=1', ...settings]
  const set = only.flatMap((setting) => ['--set', setting])
  const begin = ['--preset', 'quick', '--runs', folder!, '--name', name, ...set, ...more]
  if (!existsSync(join(path, 'summary.json')))
    run('train', '--no-console', '--json', ...(existsSync(path) ? ['--resume', path] : begin))
  const { tasks } = JSON.parse(run('eval', '--checkpoint', path, '--trials', trials, '--json'))
  return config.tasks.map((task) => Math.round(tasks[task].success * tasks[task].trials))
}

/** By how much a set tells its demonstrations otherwise than the log: the largest difference of actions and readings, the mean of pixels. */
async function differences(set: string, settings: object): Promise<string> {
  const theirs = await demonstrationsIn(set, { ...config, ...settings }, spec)
  const own = (await demonstrationsIn(log!, config, spec)).episodes()[Symbol.asyncIterator]()
  let [action, reading, pixels, values] = [0, 0, 0, 0]
  for await (const episode of theirs.episodes()) {
    const other = (await own.next()).value!
    if (episode.steps.length !== other.steps.length || episode.start.task !== other.start.task)
      throw new Error(
        `${set}: episode ${episode.start.episode} has ${episode.steps.length} steps, ${other.steps.length} in the log`,
      )
    for (const [t, step] of episode.steps.entries())
      for (const [i, value] of step.action.entries())
        action = Math.max(action, Math.abs(value - other.steps[t]!.action[i]!))
    const seen = other.observations()[Symbol.asyncIterator]()
    let left = episode.steps.length // the observation after the last step is not in a set
    for await (const { images, proprio } of episode.observations()) {
      if (left-- === 0) break
      const meant = (await seen.next()).value!
      for (const [i, value] of proprio.entries()) reading = Math.max(reading, Math.abs(value - meant.proprio[i]!))
      for (const [camera, { data }] of Object.entries(images)) {
        const other = meant.images[camera]!.data
        for (let i = 0; i < data.length; i++) pixels += Math.abs(data[i]! - other[i]!)
        values += data.length
      }
    }
  }
  return `actions differ by ${action.toExponential(1)} at most, readings by ${reading.toExponential(1)}, pixels by ${(pixels / values).toFixed(1)} of 255 on average`
}

mkdirSync(folder, { recursive: true })
if (!existsSync(log!))
  run('demo', 'record', log!, '--task', ...config.tasks, '--count', String(perTask), '--noise', String(noise))
if (!existsSync(ours!)) run('export', 'lerobot', log!, '--out', ours!)
if (!existsSync(foreign!)) await writeForeignSet(log!, spec, foreign!)
const file = mapped(foreign!)
process.stdout.write(readFileSync(file, 'utf8'))
process.stdout.write(`LeRobot 3.0, JPEG: ${await differences(ours!, {})}\n`)
process.stdout.write(`LeRobot 2.1, AV1, mapped: ${await differences(foreign!, resolveConfig('quick', file))}\n`)
const rows = (
  [
    ['our own log', 'from-log', ['--set', `demonstrations.path=${log}`]],
    ['LeRobot 3.0, JPEG', 'from-3.0', ['--set', `demonstrations.path=${ours}`]],
    ['LeRobot 2.1, 20 Hz, AV1, mapped', 'from-2.1', ['--config', file]],
  ] as const
).map(([title, name, args]) => {
  const successes = stepZero(name, ...args)
  const sum = successes.reduce((a, b) => a + b, 0)
  const [low, high] = wilsonInterval(sum, successes.length * Number(trials))
  const all = `${percent(sum / successes.length / Number(trials))} (${percent(low)} to ${percent(high)})`
  process.stdout.write(`${title}: ${successes} of ${trials}\n`)
  return [title, ...successes.map((wins) => `${wins} of ${trials}`), all]
})
process.stdout.write(`${formatTable(['demonstrations from', ...config.tasks, 'all, 95 % interval'], rows)}\n`)
