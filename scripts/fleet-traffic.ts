/**
 * @file What passes between robots and the learner of a fleet, measured: how long a step takes to the replay, what broker and
 * learner spend on it, and what a network that loses, delays or cuts does to that. The broker, the session, the journal and
 * the replay are the real ones; robots make up what they saw, as large as nano sees two cameras, and nobody learns.
 * `npx tsx scripts/fleet-traffic.ts [--robots 4] [--seconds 30] [--shifted 0] [--loss 5] [--delay 100] [--cut 10] [--json]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FleetPlaces } from '../src/fleet/places.ts'
import { Reception } from '../src/fleet/reception.ts'
import { stepMessage } from '../src/link/messages.ts'
import { connectBroker } from '../src/link/nats/connect.ts'
import { Failure } from '../src/loop/failure.ts'
import { quantile } from '../src/metrics/statistics.ts'
import { RandomStream } from '../src/random/stream.ts'
import { ReplayBuffer } from '../src/replay/buffer.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../src/talk/labels.ts'
import { ruleTranslator } from '../src/talk/translator.ts'
import { Cable } from './fleet-traffic/cable.ts'
import { actAsOne, madeUp, now, stepAt } from './fleet-traffic/made-up-robot.ts'

const { values: given } = parseArgs({
  options: {
    robots: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '30' },
    shifted: { type: 'string', default: '0' },
    loss: { type: 'string', default: '0' }, // %, each way
    delay: { type: 'string', default: '0' }, // ms, each way
    cut: { type: 'string', default: '0' }, // s in the middle in which nothing passes
    json: { type: 'boolean', default: false },
    role: { type: 'string', default: 'all' }, // the processes that it starts itself
    url: { type: 'string', default: '' },
    folder: { type: 'string', default: '' },
  },
})
const [robots, seconds, shifted, loss, delay, cut] = [
  ...[given.robots, given.seconds, given.shifted, given.loss, given.delay, given.cut].map(Number),
] as [number, number, number, number, number, number]

const RATE = 10 // Hz
const WEIGHTS = 250_000 // numbers, published ...
const WEIGHTS_EVERY = 2000 // ms
const LATE = 2_000_000 // µs from a step to the replay: what takes longer was waiting for a line
const SIGHT = { embeddingWidth: 256, featureShape: [2, 4, 4, 128] as const, proprioWidth: 19, copies: shifted }
const ABOUT = {
  name: 'an arm',
  rate: RATE,
  actionFrame: 'base' as const,
  actionScale: { translation: 0.05, rotation: 0.2 },
  cameras: {},
  channels: [{ name: 'tcp.x', unit: 'm' }],
}
const ENCODER = { name: 'made up', hash: 'none' }

const told = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

async function actAsLearner(): Promise<void> {
  const lags: number[] = []
  let [lateFrom, lateUntil] = [0, 0] // when the first and the last one that were late arrived
  const replay = new ReplayBuffer({
    ...SIGHT,
    tasks: ['pick'],
    discount: 0.98,
    returnSteps: 1,
    clones: 'interventions',
    translator: ruleTranslator({ ...LABEL_DEFAULTS, metresPerUnit: 0.05 }),
    commands: builtInCommandEncoder(),
    demonstrationCapacity: 1000,
    onlineCapacity: Math.max(10_000, 2 * robots * RATE * seconds),
  })
  const failure = new Failure()
  failure.onFailure((error) => {
    process.stderr.write(`${error}\n`)
    process.exit(1)
  })
  const reception = await Reception.open({
    run: 'traffic',
    folder: given.folder,
    places: new FleetPlaces(join(given.folder, 'places.json')),
    about: {
      config: {},
      robot: ABOUT,
      encoder: ENCODER,
      normalisers: { h: { mean: [0], deviation: [1] }, proprio: { mean: [0], deviation: [1] } },
      firstEpisode: 0,
    },
    intake: () => ({
      shape: SIGHT,
      tasks: ['pick'],
      experience: {
        begin: (start, observation) => void replay.begin(start, observation),
        step: (episode, step, next) => {
          replay.step(episode, step, next)
          const lag = now() - step.id
          lags.push(lag / 1000)
          if (lag > LATE) {
            lateFrom ||= now()
            lateUntil = now()
          }
        },
        end: (episode, end) => replay.end(episode, end),
        room: async () => {},
      },
    }),
    failure,
    onTrouble: (line) => process.stderr.write(`learner: ${line}\n`),
  })
  const wire = await connectBroker({ url: given.url }, 'learner')
  const leave = await reception.begin(wire)
  const random = new RandomStream(0, 'weights')
  let version = 0
  const publishing = setInterval(() => {
    const head = Float32Array.from({ length: WEIGHTS }, () => random.uniform())
    reception.publish({ version: ++version, values: { head } })
  }, WEIGHTS_EVERY)
  const before = { cpu: cpuSeconds(), at: performance.now() }
  told({ ready: true })
  await new Promise<void>((resolve) => process.once('SIGTERM', resolve))
  const wall = (performance.now() - before.at) / 1000
  const { transitions } = replay.stats()
  const [p50, p99, most] = lags.length === 0 ? [null, null, null] : [0.5, 0.99, 1].map((share) => quantile(lags, share))
  told({ transitions, told: lags.length, p50, p99, most, lateFrom, lateUntil, cpu: (cpuSeconds() - before.cpu) / wall })
  clearInterval(publishing)
  leave()
  await reception.close()
  await wire.close()
}

async function actAsRobots(): Promise<void> {
  const connecting = connectBroker({ url: given.url }, 'robots')
  const late: number[] = [] // ms of ticks
  const one = (robot: string) =>
    actAsOne({
      ...{ wire: connecting, run: 'traffic', robot, rate: RATE, steps: RATE * seconds },
      ...{ is: { robot: ABOUT, encoder: ENCODER }, sight: SIGHT, onTick: (ms) => late.push(ms) },
    })
  const made = await Promise.all(Array.from({ length: robots }, (_, i) => one(`r${i}`)))
  const bytes = stepMessage(
    { run: 'traffic', robot: 'r0' },
    64,
    stepAt(0),
    madeUp(new RandomStream(0, 'size'), SIGHT),
  ).byteLength
  told({
    made: made.reduce((sum, { made }) => sum + made, 0),
    whole: made.every(({ whole }) => whole),
    bytes,
    tick: Math.max(...late),
  })
  await (await connecting).close()
  process.exit(0)
}

const self = fileURLToPath(import.meta.url)

function start(role: string, url: string, folder: string, before: readonly string[] = []): ChildProcess {
  const numbers = ['robots', 'seconds', 'shifted'].flatMap((name) => [`--${name}`, String(given[name as 'robots'])])
  const words = [
    ...before,
    process.execPath,
    ...process.execArgv,
    self,
    '--role',
    role,
    '--url',
    url,
    '--folder',
    folder,
    ...numbers,
  ]
  return spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** What a process says, line by line. */
async function* linesOf(child: ChildProcess): AsyncGenerator<Record<string, number | boolean | null>> {
  for await (const line of createInterface({ input: child.stdout! })) yield JSON.parse(line)
}

/** User and system time of a process, s. */
function cpuOf(pid: number): number {
  const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(after[11]) + Number(after[12])) / 100 // USER_HZ
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'duet-traffic-'))
  mkdirSync(folder, { recursive: true })
  const cable = loss > 0 || delay > 0 || cut > 0 ? await Cable.lay({ loss: loss / 100, delay }) : undefined
  const host = cable ? Cable.broker : '127.0.0.1'
  const port = 20_000 + (process.pid % 20_000)
  const children: ChildProcess[] = []
  try {
    const broker = spawn('nats-server', ['--addr', host, '--port', String(port)], { stdio: 'ignore' })
    children.push(broker)
    const url = `nats://${host}:${port}`
    const learner = start('learner', url, folder)
    children.push(learner)
    const said = linesOf(learner)
    await said.next()
    const before = { cpu: cpuOf(broker.pid!), at: performance.now() }
    const acting = start('robots', url, folder, cable?.beyond)
    children.push(acting)
    let backAt = 0
    if (cut > 0) {
      await sleep((1000 * seconds) / 3)
      cable!.cut = true
      await sleep(1000 * cut)
      cable!.cut = false
      backAt = now()
    }
    const { value: robotsSaid } = await linesOf(acting).next()
    const cpu = (cpuOf(broker.pid!) - before.cpu) / ((performance.now() - before.at) / 1000)
    learner.kill('SIGTERM')
    const { value: learned } = await said.next()
    const since = (at: unknown) => (cut > 0 && Number(at) > 0 ? (Number(at) - backAt) / 1e6 : null)
    const after = { first: since(learned.lateFrom), last: since(learned.lateUntil) }
    report({ ...robotsSaid, brokerCpu: cpu, ...learned, after } as unknown as Row)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    cable?.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Row = Record<'made' | 'bytes' | 'tick' | 'transitions' | 'p50' | 'p99' | 'most' | 'cpu' | 'brokerCpu', number> & {
  whole: boolean
  after: Record<'first' | 'last', number | null> // s from the line's return to a step that came late
}

function report(row: Row): void {
  if (given.json) {
    told({ robots, seconds, loss, delay, cut, ...row })
    return
  }
  const ms = (value: number) => `${value.toFixed(1)} ms`
  const lines = [
    `${robots} robots at ${RATE} Hz for ${seconds} s: ${row.made} steps, ${row.transitions} in the replay${row.whole ? '' : ', not all of them acknowledged'}`,
    `a step is ${row.bytes} bytes`,
    `step to replay: p50 ${ms(row.p50)}, p99 ${ms(row.p99)}, longest ${ms(row.most)}`,
    ...Object.entries(row.after).flatMap(([which, s]) =>
      s === null ? [] : [`the ${which} late step came ${s.toFixed(1)} s after the line was back`],
    ),
    `of a core: broker ${(100 * row.brokerCpu).toFixed(1)} %, learner ${(100 * row.cpu).toFixed(1)} % (intake, journal and replay; 1 MB of weights every 2 s to each)`,
    `a robot's tick came late by at most ${ms(row.tick)}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

if (given.role === 'learner') await actAsLearner()
else if (given.role === 'robots') await actAsRobots()
else await measure()
