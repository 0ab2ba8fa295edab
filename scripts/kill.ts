/**
 * @file Kills a tiny run five times with SIGKILL at random moments and resumes it each time; says what the log kept.
 * `npx tsx scripts/kill.ts [seed]`
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readMetrics } from '../src/metrics/metrics.ts'
import { ofKind } from '../src/metrics/of-kind.ts'
import { RandomStream } from '../src/random/stream.ts'
import { readEpisodes } from '../src/replay/log-reader.ts'

const KILLS = 5
const LENGTH = ['--set', 'online.robotMinutes=3'] // long enough to be killed five times
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const random = new RandomStream(Number(process.argv[2] ?? 0), 'kill')
const runs = mkdtempSync(join(tmpdir(), 'duet-kill-'))
const run = join(runs, 'tiny')

function start() {
  const target = existsSync(join(run, 'config.yaml'))
    ? ['--resume', run]
    : ['--preset', 'tiny', '--runs', runs, '--name', 'tiny', ...LENGTH]
  const child = spawn(process.execPath, [duet, 'train', ...target, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { text: '', errors: '' }
  child.stdout.on('data', (chunk) => (output.text += chunk))
  child.stderr.on('data', (chunk) => (output.errors += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return { child, output, ended }
}

/** Online steps in the log, and those of the episodes that the metrics report as finished. */
function count() {
  const logged = existsSync(join(run, 'log')) ? [...readEpisodes(join(run, 'log'))] : []
  const metrics = existsSync(join(run, 'metrics.jsonl')) ? readMetrics(join(run, 'metrics.jsonl')) : []
  const lengths = new Map(logged.map(({ start, steps }) => [start.episode, steps.length]))
  const lost = ofKind(metrics, 'episode').filter(({ episode, length }) => lengths.get(episode) !== length)
  return { steps: logged.reduce((sum, { steps }) => sum + steps.length, 0), episodes: logged.length, lost: lost.length }
}

let before = 0
for (let kill = 1; kill <= KILLS; kill++) {
  const { child, output, ended } = start()
  const seconds = random.uniform(3, 10)
  const early = await Promise.race([ended.then(() => true), sleep(1000 * seconds).then(() => false)])
  if (early) {
    process.stdout.write(`kill ${kill}: the run had ended by itself before ${seconds.toFixed(1)} s\n${output.errors}`)
    break
  }
  child.kill('SIGKILL')
  await ended
  const { steps, episodes, lost } = count()
  if (lost > 0 || steps < before)
    throw new Error(`after kill ${kill}: ${lost} finished episodes are not whole, ${steps} steps, ${before} before`)
  process.stdout.write(
    `kill ${kill} after ${seconds.toFixed(1)} s: log holds ${steps} steps of ${episodes} episodes, none lost\n`,
  )
  before = steps
}
const { output, ended } = start()
const code = await ended
if (code !== 0) throw new Error(`the last resume ended with code ${code}\n${output.errors}`)
const { steps, lost } = count()
process.stdout.write(`resumed to the end: ${steps} steps in the log, ${lost} finished episodes damaged\n`)
process.stdout.write(readFileSync(join(run, 'summary.json'), 'utf8'))
