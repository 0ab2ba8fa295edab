/**
 * @file Kills `duet export lerobot` fifty times with SIGKILL while it writes, and opens the set each time as LeRobot's loader does.
 * `npx tsx scripts/kill-lerobot.ts [kills] [seed]`
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { RandomStream } from '../src/random/stream.ts'
import { EpisodeLog } from '../src/replay/log.ts'
import type { Observation, RobotSpec } from '../src/robot/robot.ts'

const KILLS = Number(process.argv[2] ?? 50)
const EPISODES = 100 // of the log; a set that has them all gives way to a new one
const STEPS = 12
const AFTER = 400 // ms of writing, at most, before a kill
const SIZE = { width: 64, height: 64 }
const duet = fileURLToPath(new URL('../bin/duet.mjs', import.meta.url))
const random = new RandomStream(Number(process.argv[3] ?? 0), 'kill')
const root = mkdtempSync(join(tmpdir(), 'duet-kill-lerobot-'))
const [log, set] = [join(root, 'log'), join(root, 'set')]

function record(): void {
  const spec: RobotSpec = {
    ...{ name: 'arm', rate: 10, actionFrame: 'base', actionScale: { translation: 0.01, rotation: 0.1 } },
    ...{ cameras: { front: SIZE, wrist: SIZE }, channels: [{ name: 'x', unit: 'm' }], tasks: {} },
  }
  const data = Uint8Array.from({ length: 3 * SIZE.width * SIZE.height }, (_, i) => i % 251)
  const seen = (t: number): Observation => ({
    images: { front: { ...SIZE, data }, wrist: { ...SIZE, data } },
    ...{ proprio: Float32Array.of(t), time: t / 10 },
  })
  const written = EpisodeLog.open(log, spec, { plans: true })
  const action = new Float32Array(7)
  for (let episode = 0; episode < EPISODES; episode++) {
    written.begin({ episode, task: 'pick', source: 'online', seed: episode }, seen(0))
    for (let step = 0; step < STEPS; step++) {
      const terminated = step === STEPS - 1
      const told = { action, planned: action, reward: Number(terminated), terminated, truncated: false, command: null }
      written.step({ id: written.nextId, step, ...told, by: 'robot', actor: 'primary' }, seen(step + 1))
    }
    written.end({ ending: 'success' })
  }
  written.close()
}

async function rowsIn(folder: string): Promise<Record<string, unknown>[]> {
  const names = (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.parquet'))
    .sort()
  const rows: Record<string, unknown>[] = []
  for (const name of names) {
    const columns = folder.endsWith('data') ? ['index', 'episode_index', 'next.reward'] : ['length', 'dataset_to_index']
    rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, name)), columns })))
  }
  return rows
}

/** Episodes that info.json counts. Throws unless every shard can be read, and they are all there. */
async function open(): Promise<number> {
  if (!existsSync(join(set, 'meta/info.json'))) return 0
  const { total_episodes, total_frames } = JSON.parse(readFileSync(join(set, 'meta/info.json'), 'utf8'))
  JSON.parse(readFileSync(join(set, 'meta/stats.json'), 'utf8'))
  const frames = (await rowsIn(join(set, 'data'))).slice(0, total_frames)
  const episodes = (await rowsIn(join(set, 'meta/episodes'))).slice(0, total_episodes)
  const rewards = frames.reduce((sum, row) => sum + Number(row['next.reward']), 0)
  const inOrder = frames.every(({ index }, i) => Number(index) === i)
  const whole = frames.length === total_frames && episodes.length === total_episodes && rewards === total_episodes
  const last = episodes.at(-1)?.dataset_to_index
  if (!inOrder || !whole || Number(last) !== total_frames || total_frames !== STEPS * total_episodes)
    throw new Error(`info.json counts ${total_episodes} episodes and ${total_frames} frames, the files hold other ones`)
  return total_episodes
}

record()
let [before, written, sets] = [0, 0, 1]
for (let kill = 1; kill <= KILLS; kill++) {
  const child = spawn(process.execPath, [duet, 'export', 'lerobot', log, '--out', set], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let failure = ''
  const writing = new Promise<void>((resolve) =>
    child.stderr.on('data', (text) => {
      if (String(text).startsWith('exporting'))
        resolve() // its first episode
      else failure = String(text)
    }),
  )
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await Promise.race([writing, ended])
  await sleep(random.uniform(0, AFTER))
  child.kill('SIGKILL')
  await ended
  if (failure) throw new Error(failure)
  const episodes = await open()
  if (episodes < before) throw new Error(`after kill ${kill}: ${episodes} episodes, ${before} before`)
  process.stdout.write(`kill ${kill}: the set opens with ${episodes} episodes, ${episodes - before} of them new\n`)
  written += episodes - before
  before = episodes
  if (episodes < EPISODES) continue
  rmSync(set, { recursive: true })
  before = 0
  sets++
}
process.stdout.write(
  `${KILLS} kills, ${written} episodes written in ${sets} ${sets === 1 ? 'set' : 'sets'}: each opened, none was lost\n`,
)
rmSync(root, { recursive: true })
