/**
 * @file What passes between robots and the learner of a fleet, measured: how long a step takes to the replay, what broker and
 * learner spend on it, and what a network that loses, delays or cuts does to that. The broker, the session, the journal and
 * the replay are the real ones; robots make up what they saw, as large as nano sees two cameras, and nobody learns.
 * `npx tsx scripts/fleet-traffic.ts [--robots 4] [--seconds 30] [--shifted 0] [--loss 5] [--delay 100] [--cut 10] [--json]`
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Liaison, type Told } from '../src/fleet/liaison.ts'
import { FleetPlaces } from '../src/fleet/places.ts'
import { Reception } from '../src/fleet/reception.ts'
import { stepMessage } from '../src/link/messages.ts'
import { connectBroker } from '../src/link/nats/connect.ts'
import { Failure } from '../src/loop/failure.ts'
import { quantile } from '../src/metrics/statistics.ts'
import { RandomStream } from '../src/random/stream.ts'
import type { EncodedObservation } from '../src/replay/assembler.ts'
import { ReplayBuffer } from '../src/replay/buffer.ts'
import type { EpisodeStart, Step } from '../src/replay/episode.ts'
import { builtInCommandEncoder } from '../src/talk/embedding.ts'
import { LABEL_DEFAULTS } from '../src/talk/labels.ts'
import { ruleTranslator } from '../src/talk/translator.ts'

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
const EPISODE = 60 // steps
const WEIGHTS = 250_000 // numbers, published ...
const WEIGHTS_EVERY = 2000 // ms
const LEAVE = 120 // s for the robots to bring what is missing
const SHAPE = { embeddingWidth: 256, featureShape: [2, 4, 4, 128] as const, proprioWidth: 19 }
const ABOUT = {
  name: 'an arm',
  rate: RATE,
  actionFrame: 'base' as const,
  actionScale: { translation: 0.05, rotation: 0.2 },
  cameras: {},
  channels: [{ name: 'tcp.x', unit: 'm' }],
}
const ENCODER = { name: 'made up', hash: 'none' }

/** µs on a clock that all processes of a machine share. */
const now = () => Number(process.hrtime.bigint() / 1000n)
const told = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Any numbers; a new array each time, for bytes are moved. */
function seen(random: RandomStream): EncodedObservation {
  const numbers = (length: number) => Float32Array.from({ length }, () => random.uniform())
  const features = SHAPE.featureShape.reduce((product, size) => product * size, 1)
  return {
    h: numbers(SHAPE.embeddingWidth),
    proprio: numbers(SHAPE.proprioWidth),
    features: Array.from({ length: 1 + shifted }, () => numbers(features)),
  }
}

/** The step's id is when it was made: what arrives tells how long it took. */
const stepAt = (step: number): Step => ({
  id: now(),
  step,
  action: new Float32Array(7),
  reward: 0,
  terminated: false,
  truncated: step === EPISODE - 1,
  by: 'clock',
  actor: 'primary',
  command: null,
})

async function actAsLearner(): Promise<void> {
  const lags: number[] = []
  const replay = new ReplayBuffer({
    ...SHAPE,
    copies: shifted,
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
      shape: { ...SHAPE, copies: shifted },
      tasks: ['pick'],
      experience: {
        begin: (start, observation) => void replay.begin(start, observation),
        step: (episode, step, next) => {
          replay.step(episode, step, next)
          lags.push((now() - step.id) / 1000)
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
  told({ transitions, told: lags.length, p50, p99, most, cpu: (cpuSeconds() - before.cpu) / wall })
  clearInterval(publishing)
  leave()
  await reception.close()
  await wire.close()
}

type Plan = { start: EpisodeStart; first: EncodedObservation; steps: { step: Step; next: EncodedObservation }[] }

async function actAsRobots(): Promise<void> {
  const connecting = connectBroker({ url: given.url }, 'robots')
  const late: number[] = [] // ms of ticks
  const made = await Promise.all(Array.from({ length: robots }, (_, i) => actAsOne(`r${i}`, i, connecting, late)))
  const bytes = stepMessage(
    { run: 'traffic', robot: 'r0' },
    64,
    stepAt(0),
    seen(new RandomStream(0, 'size')),
  ).byteLength
  told({
    made: made.reduce((sum, { steps }) => sum + steps, 0),
    whole: made.every(({ whole }) => whole),
    bytes,
    tick: Math.max(...late),
  })
  await (await connecting).close()
  process.exit(0)
}

async function actAsOne(robot: string, index: number, wire: ReturnType<typeof connectBroker>, late: number[]) {
  const random = new RandomStream(index, 'seen')
  const log: Plan[] = []
  let episode = index
  let welcomed = () => {}
  const there = new Promise<void>((resolve) => (welcomed = resolve))
  const liaison = new Liaison(
    {
      wire,
      run: 'traffic',
      robot,
      most: 5000,
      standing: () => ({ does: 'acts', fault: null, page: null }),
      onSaid: (line) => process.stderr.write(`${robot}: ${line}\n`),
      onWelcome: () => welcomed(),
      onWeights: () => {},
      onKept: () => {},
      onRefused: (error) => {
        process.stderr.write(`${error.message}\n`)
        process.exit(1)
      },
    },
    { robot: ABOUT, encoder: ENCODER },
  )
  async function* missing(have: { episode: number; closed: boolean } | null) {
    for (const { start, first, steps } of log) {
      if (have && (start.episode < have.episode || (start.episode === have.episode && have.closed))) continue
      yield async (to: Told) => {
        to.begin(start, first)
        for (const { step, next } of steps) to.step(start.episode, step, next)
        to.end(start.episode, { ending: 'timeout' })
      }
    }
  }
  await there // who begins before would tell the first episode from its log
  const end = performance.now() + 1000 * seconds
  let due = performance.now()
  let steps = 0
  const live = liaison.experience
  while (performance.now() < end) {
    await liaison.catchUp(missing)
    episode += 64
    const start: EpisodeStart = { episode, task: 'pick', source: 'online', seed: 0 }
    const plan: Plan = { start, first: seen(random), steps: [] }
    live.begin(start, plan.first)
    for (let k = 0; k < EPISODE; k++) {
      due = Math.max(due + 1000 / RATE, performance.now() - 1000)
      await sleep(Math.max(0, due - performance.now()))
      late.push(performance.now() - due)
      const [step, next] = [stepAt(k), seen(random)]
      plan.steps.push({ step, next })
      live.step(episode, step, next)
      steps++
    }
    live.end(episode, { ending: 'timeout' })
    log.push(plan)
  }
  const patience = performance.now() + 1000 * LEAVE
  while (!liaison.toldAll && performance.now() < patience) {
    await liaison.catchUp(missing)
    await sleep(100)
  }
  const whole = liaison.toldAll
  await liaison.close()
  return { steps, whole }
}

/** Two ends of a cable: the broker's in this network, the robots' in one of their own. */
class Cable {
  static readonly broker = '10.203.77.1'
  private readonly name = `duet${process.pid}`

  constructor() {
    const ends = [`${this.name}a`, `${this.name}b`] as const
    ip('netns', 'add', this.name)
    ip('link', 'add', ends[0], 'type', 'veth', 'peer', 'name', ends[1])
    ip('link', 'set', ends[1], 'netns', this.name)
    ip('addr', 'add', `${Cable.broker}/30`, 'dev', ends[0])
    ip('link', 'set', ends[0], 'up')
    ip('-n', this.name, 'addr', 'add', '10.203.77.2/30', 'dev', ends[1])
    ip('-n', this.name, 'link', 'set', ends[1], 'up')
  }

  get beyond(): string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  /** Both ways; what tc is to do with all that is sent. */
  treat(...how: string[]): void {
    execFileSync('tc', ['qdisc', 'replace', 'dev', `${this.name}a`, 'root', ...how], { stdio: 'pipe' })
    execFileSync('tc', ['-n', this.name, 'qdisc', 'replace', 'dev', `${this.name}b`, 'root', ...how], { stdio: 'pipe' })
  }

  remove(): void {
    ip('netns', 'del', this.name) // and both ends with it
  }
}

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' })

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
  const treated = loss > 0 || delay > 0 || cut > 0
  const folder = mkdtempSync(join(tmpdir(), 'duet-traffic-'))
  mkdirSync(folder, { recursive: true })
  const cable = treated ? new Cable() : undefined
  const host = cable ? Cable.broker : '127.0.0.1'
  const port = 20_000 + (process.pid % 20_000)
  const children: ChildProcess[] = []
  try {
    const network = [...(loss > 0 ? ['loss', `${loss}%`] : []), ...(delay > 0 ? ['delay', `${delay}ms`] : [])]
    if (network.length > 0) cable!.treat('netem', ...network, 'limit', '10000')
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
    if (cut > 0) {
      await sleep((1000 * seconds) / 3)
      cable!.treat('blackhole')
      await sleep(1000 * cut)
      if (network.length > 0) cable!.treat('netem', ...network, 'limit', '10000')
      else cable!.treat('pfifo', 'limit', '1000')
    }
    const { value: robotsSaid } = await linesOf(acting).next()
    const cpu = (cpuOf(broker.pid!) - before.cpu) / ((performance.now() - before.at) / 1000)
    learner.kill('SIGTERM')
    const { value: learned } = await said.next()
    report({ ...robotsSaid, brokerCpu: cpu, ...learned } as unknown as Row)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    cable?.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Row = Record<'made' | 'bytes' | 'tick' | 'transitions' | 'p50' | 'p99' | 'most' | 'cpu' | 'brokerCpu', number> & {
  whole: boolean
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
    `of a core: broker ${(100 * row.brokerCpu).toFixed(1)} %, learner ${(100 * row.cpu).toFixed(1)} % (intake, journal and replay; 1 MB of weights every 2 s to each)`,
    `a robot's tick came late by at most ${ms(row.tick)}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

if (given.role === 'learner') await actAsLearner()
else if (given.role === 'robots') await actAsRobots()
else await measure()
