/**
 * @file Kills processes of a fleet at random moments, broker, learner and robots alike, and counts what was acknowledged
 * and is gone, and what counts twice. `npx tsx scripts/kill-fleet.ts [seed] [kills]`
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bytesBelow } from '../bench/on-disk.ts'
import { decodeMessage } from '../src/link/codec.ts'
import type { ToLearner } from '../src/link/messages.ts'
import { RandomStream } from '../src/random/stream.ts'
import { FrameReader } from '../src/replay/frames.ts'
import { readEpisodes } from '../src/replay/log-reader.ts'

const [seed = 0, kills = 20] = process.argv.slice(2).map(Number)
const ROBOTS = ['A', 'B']
const SETTINGS = [
  ...['robot.arm=gantry', `robot.cells=[${ROBOTS}]`, 'tasks=[pick]', 'demonstrations.perTask=1', 'networks.sees=h'],
  ...['warmUp.updates=10', 'online.startAfter=10', 'online.robotMinutes=1000', 'online.pace=1'],
]
const PAUSE = [1, 6] as const // s between two kills, when all are there again
const PATIENCE = 900 // s until all are there again

const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const random = new RandomStream(seed, 'kill fleet')
const runs = mkdtempSync(join(tmpdir(), 'duet-kill-fleet-'))
const run = join(runs, 'arms')
const pids = new Map<string, number>()
/** By robot: the newest step that it was told is kept, and when. */
const kept = new Map<string, { episode: number; steps: number; at: number }>()

const settings = SETTINGS.flatMap((one) => ['--set', one])
const fleet = spawn(
  process.execPath,
  [duet, 'fleet', 'up', run, '--preset', 'tiny', ...settings, '--port', '0', '--json'],
  {
    stdio: ['ignore', 'pipe', 'pipe'],
  },
)
const errors: string[] = []
createInterface({ input: fleet.stderr }).on('line', (line) => errors.push(line))
createInterface({ input: fleet.stdout }).on('line', (line) => hear(JSON.parse(line)))
const ended = new Promise<number | null>((resolve) => fleet.once('exit', resolve))

type Line = { from: string; started?: number; said?: { kind?: string; episode?: number; steps?: number } }

function hear({ from, started, said }: Line): void {
  if (started !== undefined) pids.set(from, started)
  const before = kept.get(from)
  const { kind, episode = 0, steps = 0 } = said ?? {}
  if (kind !== 'kept') return
  const further = !before || episode > before.episode || (episode === before.episode && steps >= before.steps)
  kept.set(from, { ...(further ? { episode, steps } : before), at: performance.now() })
}

/** A robot's log grows by each step before the next one: how long it did not, at most, and since when. */
const still = new Map(ROBOTS.map((robot) => [robot, { bytes: -1, since: performance.now(), killed: 0, spared: 0 }]))
let victim = ''

function watch(): void {
  for (const [robot, state] of still) {
    const bytes = bytesBelow(join(runs, `arms-${robot}`, 'log'))
    const now = performance.now()
    const kind = victim === robot ? 'killed' : 'spared'
    if (state.bytes >= 0) state[kind] = Math.max(state[kind], now - state.since)
    if (bytes !== state.bytes) Object.assign(state, { bytes, since: now })
  }
}

/** Seconds until this process is another one, and every robot has had something acknowledged since: words of before may be on their way. */
async function recovered(who?: string, killed?: number): Promise<number> {
  const from = performance.now()
  let since = who ? Number.POSITIVE_INFINITY : from
  while (!ROBOTS.every((robot) => (kept.get(robot)?.at ?? 0) > since)) {
    if (who && since === Number.POSITIVE_INFINITY && pids.get(who) !== killed) since = performance.now()
    if (fleet.exitCode !== null || performance.now() - from > 1000 * PATIENCE)
      throw new Error(`not all of the fleet came back\n${errors.slice(-20).join('\n')}`)
    await sleep(50)
  }
  return (performance.now() - from) / 1000
}

const keyOf = (episode: number, step: number) => `${episode} ${step}`

/** The steps that the learner has of a robot, each as often as it has it. */
function journalled(robot: string): string[] {
  const reader = new FrameReader(join(run, 'fleet', `${robot}.experience`))
  const steps: string[] = []
  reader.next() // its head
  for (let next = reader.next(); next; next = reader.next()) {
    const { head } = decodeMessage<ToLearner>(new Uint8Array(next.payload).buffer)
    if (head.kind === 'step') steps.push(keyOf(head.episode, head.step.step))
  }
  reader.close()
  return steps
}

function count(robot: string) {
  const steps = journalled(robot)
  const known = new Set(steps)
  const logged = [...readEpisodes(join(runs, `arms-${robot}`, 'log'))]
  const acknowledged = kept.get(robot)!
  const due = logged.flatMap(({ start: { episode }, steps }) =>
    steps
      .filter(
        ({ step }) => episode < acknowledged.episode || (episode === acknowledged.episode && step < acknowledged.steps),
      )
      .map(({ step }) => keyOf(episode, step)),
  )
  const inLog = new Set(logged.flatMap(({ start, steps }) => steps.map(({ step }) => keyOf(start.episode, step))))
  return {
    robot,
    logged: inLog.size,
    acknowledged: due.length,
    lost: due.filter((step) => !known.has(step)).length,
    twice: steps.length - known.size,
    unknownToTheRobot: [...known].filter((step) => !inLog.has(step)).length,
  }
}

process.stdout.write(`${runs}, seed ${seed}\n`)
await recovered()
const watching = setInterval(watch, 20)
const times: number[] = []
try {
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(1000 * random.uniform(...PAUSE))
    const victims = ['broker', 'learner', ...ROBOTS]
    const who = victims[random.integer(victims.length)]!
    victim = who
    const pid = pids.get(who)!
    process.kill(pid, 'SIGKILL')
    const seconds = await recovered(who, pid)
    times.push(seconds)
    process.stdout.write(`kill ${kill}, ${who}: every robot was acknowledged again after ${seconds.toFixed(1)} s\n`)
  }
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`) // what came until then is counted
  process.exitCode = 1
}
clearInterval(watching)
fleet.kill('SIGINT')
process.stdout.write(`the fleet ended with code ${await ended}\n`)
for (const robot of ROBOTS) process.stdout.write(`${JSON.stringify(count(robot))}\n`)
for (const [robot, { killed, spared }] of still)
  process.stdout.write(
    `${robot}: longest time without a step ${(spared / 1000).toFixed(1)} s, ${(killed / 1000).toFixed(1)} s where it was killed itself\n`,
  )
const metrics = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line.includes('"kind":"episode"'))
const episodes = metrics.map((line) => JSON.parse(line) as { robot: string; episode: number })
const distinct = new Set(episodes.map(({ robot, episode }) => `${robot} ${episode}`))
process.stdout.write(
  `episodes in the metrics: ${episodes.length}, of these twice: ${episodes.length - distinct.size}\n`,
)
if (times.length > 0)
  process.stdout.write(
    `time to recover: median ${times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!.toFixed(1)} s, longest ${times.at(-1)!.toFixed(1)} s\n`,
  )
