/**
 * @file What happens when something fails while a robot moves in real time: each fault is put into a served robot, or a process is
 * killed, and the robot says when the last command to move came. `npm run faults -- --robot serl|so101|ros [fault ...]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { formatTable } from '../src/metrics/summary.ts'
import { FaultFile } from '../src/robot/fault-file.ts'
import { epochNow } from '../src/robot/test-channel.ts'
import { Page } from '../tests/console/page.ts'
import { type Process, startScript } from './end-to-end/processes.ts'
import { Proof } from './end-to-end/proof.ts'
import { ROBOTS, type RobotName, TASK_OF } from './end-to-end/robots.ts'

const WATCHED = 5 // s after a fault
const GOAL = 300 // ms
const LOST = 'the page: Connection lost. What you see is old'
const SEEN = 30 // s until what went on is told at the console

const LOSES = fileURLToPath(new URL('./end-to-end/lose-learner.mjs', import.meta.url))

/** One kind of trouble; what it is called in the served robot, or what is killed. */
type Trouble = { title: string; put?: string; kills?: 'training' | 'robot' | 'person' | 'learner' }

const ALL: Record<string, Trouble & { of?: readonly RobotName[] }> = {
  training: { title: 'kill -9 of the training', kills: 'training' },
  person: { title: 'kill -9 of the person’s page, hand on', kills: 'person' },
  learner: { title: 'a learner that dies', kills: 'learner' },
  frozen: { title: 'a camera that sends the same picture', put: 'frozen' },
  black: { title: 'a black camera', put: 'black' },
  stopped: { title: 'a camera that stops', put: 'stopped' },
  nan: { title: 'a force that is no number', put: 'nan', of: ['serl', 'ros'] },
  silent: { title: 'a robot that is silent', put: 'silent' },
  stalled: { title: 'a joint, or an arm, that stands', put: 'stalled' },
  unplugged: { title: 'a bus that is unplugged', put: 'unplugged', of: ['so101'] },
  robot: { title: 'kill -9 of the robot’s server', kills: 'robot' }, // the last: it is not served again
}

const program = new Command('faults')
  .addOption(new Option('--robot <kind>', 'which is served and driven').choices(ROBOTS).default('serl'))
  .option('--folder <path>', 'where the run is kept; by default a new one among temporary files')
  .option('--set <name=value>', 'as of duet train', (text, all: string[]) => [...all, text], [])
  .argument('[faults...]', `${Object.keys(ALL).join(', ')}; all of them where none is named`)
  .parse()
const { robot, set, ...options } = program.opts<{ robot: RobotName; folder?: string; set: string[] }>()
const known = Object.entries(ALL).filter(([, { of }]) => !of || of.includes(robot))
const asked = program.args.length > 0 ? known.filter(([name]) => program.args.includes(name)) : known

const folder = options.folder ? resolve(options.folder) : mkdtempSync(join(tmpdir(), 'duet-faults-'))
const lost = join(folder, 'lose-learner')
const task = TASK_OF[robot]
const demonstrations = 1
const proof = await Proof.open({
  ...{ robot, folder, demonstrations, set: ['warmUp.updates=20', ...set] },
  ...{ tasks: [task], minutes: 600, trials: 1, preset: 'tiny' },
})
const faults = new FaultFile(proof.robot.name, join(folder, 'state', 'faults'))

type Row = { title: string; after: string; met: boolean; message: string; clears: string }

/** Trains until the robot moves, lets the trouble happen, and sees what comes of it. */
async function measure({ title, put, kills }: Trouble): Promise<Row> {
  rmSync(lost, { force: true })
  const training = proof.train(['--import', LOSES], { DUET_LOSE_LEARNER: lost })
  const address = await training.says(/Console: (\S+)/)
  const person = startScript('the person', 'pusher.ts', [
    address,
    proof.robot.truth,
    robot,
    task,
    String(demonstrations),
  ])
  const page = await Page.open(address, { brief: true })
  await person.says(/(moving)\n/)
  const before = epochNow()
  await happen()
  const at = epochNow()
  await sleep(1000 * WATCHED)
  const motions = kills === 'robot' ? [] : (await proof.channel.commands(before)).filter(({ motion }) => motion)
  const message = await told(page, training)
  const clears = await clearing(training)
  if (put) await proof.channel.put(put, false)
  for (const process of [training, person] as Process[]) {
    process.kill()
    await process.end()
  }
  page.close()
  if (faults.read()) faults.clearForNext()
  const last = motions.at(-1)?.at ?? at
  const after = Math.max(0, last - at)
  return {
    title,
    after: kills === 'robot' ? 'nobody is there to take one' : `${after.toFixed(0)} ms`,
    met: after < GOAL,
    message,
    clears,
  }

  async function happen(): Promise<void> {
    if (put) await proof.channel.put(put, true)
    else if (kills === 'learner') writeFileSync(lost, '')
    else ({ training, person, robot: proof.robot.process })[kills as 'training' | 'person' | 'robot'].kill()
  }
}

/** What the operator reads: at the console, else at the terminal. */
async function told(page: Page, training: Process): Promise<string> {
  for (const end = Date.now() + 1000 * SEEN; Date.now() < end && training.alive; await sleep(50)) {
    const { error } = page.last('ended') ?? {}
    if (error) return error
    const { status, why } = page.last('robot') ?? {}
    if (why && (status === 'paused' || status === 'stopped')) return why
  }
  return page.last('ended')?.error || page.last('robot')?.why || (page.closed ? LOST : '')
}

async function clearing(training: Process): Promise<string> {
  await Promise.race([training.end(), sleep(2000)])
  const kept = faults.read() ? '`duet robot clear`, then ' : ''
  return training.alive ? 'the console' : `${kept}\`duet train --resume\``
}

const rows: Row[] = []
try {
  for (const [, trouble] of asked) {
    const row = await measure(trouble)
    rows.push(row)
    process.stdout.write(`${row.title}: ${row.after}; ${row.message}; ${row.clears}\n`)
  }
} finally {
  proof.close()
}
const table = rows.map(({ title, after, met, message, clears }) => [title, after, met ? '' : 'missed', message, clears])
process.stdout.write(
  `\n${formatTable(['fault', 'last motion command after', `goal ${GOAL} ms`, 'message', 'cleared by'], table)}\n`,
)
writeFileSync(join(folder, 'faults.json'), `${JSON.stringify({ robot, rows }, null, 2)}\n`)
process.exit(0)
