/**
 * @file A long time of a fleet's learner in a short one: the real learner and broker, updates, checkpoints and journals, and robots
 * that make up what they saw at many times the rate of a robot. Prints, by tenths: memory of both processes and of the robots', how
 * far the learner is behind, what lies on disk. `npx tsx scripts/fleet-soak.ts [--steps 300000] [--robots 4] [--rate 100]`
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bytesBelow } from '../bench/on-disk.ts'
import { FleetFolder } from '../src/fleet/folder.ts'
import { readInvitation } from '../src/fleet/invitation.ts'
import { readStatus } from '../src/fleet/status.ts'
import { connectBroker } from '../src/link/nats/connect.ts'
import { formatTable } from '../src/metrics/summary.ts'
import { aboutRobot } from '../src/policies/about.ts'
import { describeRobot } from '../src/robots/index.ts'
import { RunFolder } from '../src/run/folder.ts'
import { translatorSettings } from '../src/run/label-rule.ts'
import { openMinds } from '../src/run/session.ts'
import { openTranslator } from '../src/talk/translator.ts'
import { actAsOne } from './fleet-traffic/made-up-robot.ts'

const { values: given } = parseArgs({
  options: {
    steps: { type: 'string', default: '300000' },
    robots: { type: 'string', default: '4' },
    rate: { type: 'string', default: '100' }, // Hz, of each
  },
})
const [steps, count, rate] = [given.steps, given.robots, given.rate].map(Number) as [number, number, number]
const CAPACITY = 20_000 // transitions that the replay holds: full after a fifteenth of the time
const PARTS = 10
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const runs = mkdtempSync(join(tmpdir(), 'duet-soak-'))
const run = join(runs, 'soak')

const SETTINGS = [
  ...['robot.arm=gantry', 'tasks=[pick]', 'demonstrations.perTask=1', 'networks.sees=h', 'warmUp.updates=10'],
  ...[`replay.capacity=${CAPACITY}`, `online.robotMinutes=${steps / count / 600}`, 'checkpointEveryRobotMinutes=10'],
]
const fleet = spawn(
  process.execPath,
  [
    ...[duet, 'fleet', 'up', run, '--preset', 'tiny', '--robots', '0', '--port', '0', '--json'],
    ...SETTINGS.flatMap((one) => ['--set', one]),
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
const ended = new Promise<number | null>((end) => fleet.once('close', end))
const pids = new Map<string, number>()
createInterface({ input: fleet.stdout }).on('line', (line) => {
  const { from, started } = JSON.parse(line)
  if (started !== undefined) pids.set(from, started)
})

const MIB = 2 ** 20
/** Resident memory of a process, MiB. */
function memoryOf(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4096) / MIB
}

const onDisk = (folder: string): number => bytesBelow(folder) / MIB

async function untilThere(child: ChildProcess): Promise<void> {
  const { status } = new FleetFolder(run)
  while (!readdirSync(runs).includes('soak') || !statSync(status, { throwIfNoEntry: false })) {
    if (child.exitCode !== null) throw new Error('the fleet ended before its learner was there')
    await sleep(200)
  }
}

await untilThere(fleet)
const { config } = RunFolder.open(run)
const spec = describeRobot(config.robot, config.robot.cells[0]!)
const { encoder } = await openMinds(config, spec, openTranslator(translatorSettings(config, spec)))
const { name, hash, cameras, embeddingWidth, featureShape } = encoder.description
await encoder.close()

let made = 0
const one = async (robot: string) => {
  const { url, seed, ca } = readInvitation(
    execFileSync(process.execPath, [duet, 'fleet', 'invite', run, robot], { encoding: 'utf8' }),
  )
  const wire = connectBroker({ url, seed, ca }, robot)
  const done = await actAsOne({
    ...{ wire, run: 'soak', robot, rate, steps: steps / count },
    is: { robot: aboutRobot(spec, cameras), encoder: { name, hash } },
    sight: { embeddingWidth, featureShape, proprioWidth: spec.channels.length, copies: config.replay.shiftedCopies },
    onTick: () => made++,
  })
  await (await wire).close()
  return done
}
const names = Array.from({ length: count }, (_, k) => `r${k}`)
const acting = Promise.all(names.map(one))

const rows: string[][] = []
const started = performance.now()
for (let part = 1; part <= PARTS; part++) {
  while (made < (part * steps) / PARTS && fleet.exitCode === null) await sleep(200)
  const { robots, versions } = readStatus(new FleetFolder(run))
  const told = robots.reduce((sum, { steps }) => sum + steps, 0)
  const lag = Math.max(...robots.map(({ lag }) => lag ?? 0))
  rows.push([
    ...[`${made}`, `${((performance.now() - started) / 1000).toFixed(0)}`, `${told}`, `${versions.newest ?? 0}`],
    lag.toFixed(2),
    ...[pids.get('learner')!, pids.get('broker')!, process.pid].map((pid) => memoryOf(pid).toFixed(0)),
    ...[join(run, 'fleet'), run].map((folder) => onDisk(folder).toFixed(0)),
  ])
  process.stderr.write(`${rows.at(-1)!.join('  ')}\n`)
}
const done = await acting
const code = await ended
const header = [
  ...['steps made', 'after s', 'with the learner', 'updates', 'lag, s'],
  ...['learner, MiB', 'broker, MiB', 'robots, MiB', 'journals, MiB', 'all of the run, MiB'],
]
process.stdout.write(`${formatTable(header, rows)}\n`)
process.stdout.write(
  `all acknowledged: ${done.every(({ whole }) => whole) ? 'yes' : 'no'}; the learner ended with code ${code}\n`,
)
rmSync(runs, { recursive: true, force: true })
