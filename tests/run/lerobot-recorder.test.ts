import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import type { Metric, MetricsWriter } from '../../src/metrics/metrics.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { repairLog } from '../../src/replay/repair.ts'
import { recordLerobot } from '../../src/run/lerobot-recorder.ts'
import { openSet } from '../formats/lerobot/write/read-set.ts'
import { aRobot, episodeOf, record } from '../replay/scenes.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-recorder-'))
afterAll(() => fs.rmSync(root, { recursive: true }))
const onTrouble = ({ message }: Error) => expect.unreachable(message)

it('an episode is in the set soon after its end, while the next one goes on; at the end all are', async () => {
  const [run, set] = [join(root, 'log'), join(root, 'set')]
  const recorder = await recordLerobot(run, set, { onTrouble })
  let tell = (_: Metric) => {}
  const listen = (listener: typeof tell) => {
    tell = listener
  }
  recorder.listener.started!({ config: {}, metrics: { listen }, past: [] } as unknown as Started)
  const log = EpisodeLog.open(run, aRobot(), { plans: true })
  record(log, episodeOf(0, 4))
  record(log, episodeOf(1, 5), 3)
  tell({ kind: 'episode' } as Metric)
  await expect.poll(async () => (await openSet(set))?.frames.length, { timeout: 50_000 }).toBe(4)
  log.close()
  expect(await recorder.close()).toMatchObject({ episodes: 2, frames: 7 })
  expect((await openSet(set))!.frames).toHaveLength(7)
  expect(fs.readdirSync(set).sort()).toEqual(['README.md', 'data', 'meta'])
}, 60_000) // a thread is started

type Started = Parameters<NonNullable<Awaited<ReturnType<typeof recordLerobot>>['listener']['started']>>[0] & {
  metrics: MetricsWriter
}

it('looks at no log before the run is open, which may repair it until then', async () => {
  const [run, set] = [join(root, 'damaged'), join(root, 'set-of-damaged')]
  const log = EpisodeLog.open(run, aRobot())
  for (const number of [0, 1, 2]) record(log, episodeOf(number, 4))
  log.close()
  const file = join(run, 'segment-000001.duetlog')
  const bytes = fs.readFileSync(file)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  fs.writeFileSync(file, bytes)
  const recorder = await recordLerobot(run, set, { onTrouble })
  await sleep(500) // in which it would come upon the damage
  await repairLog(run)
  recorder.listener.started!({ config: {}, metrics: { listen: () => {} }, past: [] } as unknown as Started)
  expect(await recorder.close()).toMatchObject({ episodes: 2, frames: 8 })
}, 60_000) // a thread is started

it('refuses a folder that holds something else before the run begins', async () => {
  const set = join(root, 'photos')
  fs.mkdirSync(set)
  fs.writeFileSync(join(set, 'a.jpg'), 'x')
  await expect(recordLerobot(join(root, 'log'), set, { onTrouble })).rejects.toThrow(
    'photos: is there already, and is no dataset',
  )
}, 60_000) // a thread is started
