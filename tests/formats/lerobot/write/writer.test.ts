import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DatasetWriter } from '../../../../src/formats/lerobot/write/writer.ts'
import { EpisodeLog } from '../../../../src/replay/log.ts'
import { RunExport } from '../../../../src/run/lerobot.ts'
import { aRobot, episodeOf, record } from '../../../replay/scenes.ts'
import { jsonOf, openSet } from './read-set.ts'

const root = fs.mkdtempSync(join(tmpdir(), 'duet-lerobot-'))
afterAll(() => fs.rmSync(root, { recursive: true }))
beforeEach(() => void vi.spyOn(fs, 'fsyncSync').mockReturnValue()) // hundreds of them
afterEach(() => vi.restoreAllMocks())

const LENGTHS = [4, 6, 5]

/** Episodes 0 (a demonstration), 1 (online), 2 (a demonstration), as `scenes` has them: the operator acts in steps 2 and 5. */
function aLog(name: string, lengths = LENGTHS): string {
  const folder = join(root, name)
  const log = EpisodeLog.open(folder, aRobot(), { plans: true })
  lengths.forEach((length, n) => {
    const episode = episodeOf(n, length)
    const planned = Float32Array.from({ length: 7 }, (_, i) => i / 8)
    record(log, { ...episode, steps: episode.steps.map((step) => (n === 1 ? { ...step, planned } : step)) })
  })
  log.close()
  return folder
}

async function exported(log: string, folder: string, options = {}) {
  const exporting = await RunExport.open(log, folder, options)
  try {
    return await exporting.advance()
  } finally {
    exporting.close()
  }
}

it('an exported log opens: lengths, rewards, ends, interventions, who acted, what was planned and said', async () => {
  const folder = join(root, 'whole')
  await exported(aLog('log'), folder)
  const { info, episodes, frames, tasks } = (await openSet(folder))!
  expect(info).toMatchObject({ fps: 10, robot_type: 'test arm', total_frames: 15, splits: { train: '0:3' } })
  expect(info.features['observation.images.front'].shape).toEqual([8, 16, 3])
  expect(tasks).toMatchObject([{ task: 'place' }])
  expect(episodes.map(({ length }) => Number(length))).toEqual(LENGTHS)
  expect(episodes.map((row) => row['duet/source'])).toEqual(['demonstration', 'online', 'demonstration'])
  const online = frames.filter(({ episode_index }) => Number(episode_index) === 1)
  const column = (name: string) => online.map((row) => row[name])
  expect(column('next.reward')).toEqual([0, 0, 0, 0, 0, 1])
  expect(column('next.success')).toEqual([false, false, false, false, false, true])
  expect(column('intervention')).toEqual([false, false, true, false, false, true])
  expect(column('complementary_info.is_intervention')).toEqual(column('intervention'))
  expect(column('actor')).toEqual(['primary', 'refinement', 'operator', 'primary', 'refinement', 'operator'])
  expect(column('policy_plan')[3]).toEqual([0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75])
  expect(column('policy_planned')).toEqual(online.map(() => true))
  expect(column('command')).toEqual(['move left', '', 'déplace-toi 左へ "{}"', '', '[null]', ''])
  const [said] = column('language_events') as { content: string; style: string; role: string }[][]
  expect(said).toEqual([{ role: 'user', content: 'move left', style: 'interjection', camera: null, tool_calls: null }])
  expect(column('language_events')[1]).toEqual([])
  // 5 cm a unit: sin(1+2)=0.14, sin(4)=-0.76, sin(5)=-0.96 and sin(6)=-0.28, sin(7)=0.66, sin(8)=0.99, all beyond 1 mm
  const motions = [
    { content: 'move right and forward and down', timestamp: Math.fround(0.2) },
    { content: 'move left and backward and up', timestamp: 0.5 },
  ]
  for (const row of column('language_persistent')) expect(row).toMatchObject(motions)
  for (const row of frames.filter(({ episode_index }) => Number(episode_index) !== 1))
    expect([row.intervention, row.language_persistent, row.policy_planned]).toEqual([false, [], false])
})

it('pictures are JPEG files that show what was seen, and the numbers are those of the log', async () => {
  const folder = join(root, 'pictures')
  await exported(aLog('seen', [3]), folder)
  const { frames } = (await openSet(folder))!
  const { observations, steps } = episodeOf(0, 3)
  const { bytes } = frames[1]!['observation.images.front'] as { bytes: Uint8Array }
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, info.format]).toEqual([16, 8, 'raw'])
  const seen = observations[1]!.images.front!.data
  const error = data.reduce((sum, value, i) => sum + Math.abs(value - seen[i]!), 0) / data.length
  expect(error).toBeLessThan(4)
  expect(frames.map((row) => row['observation.state'])).toEqual([0, 1, 2].map((t) => [...observations[t]!.proprio]))
  expect(frames[2]!.action).toEqual([...steps[2]!.action])
})

it('at every moment a kill leaves a set that opens, and the next export makes it whole', async () => {
  const log = aLog('killed', [2, 3])
  const folder = join(root, 'moments')
  const moments: string[] = []
  const rename = fs.renameSync
  const snapshot = () => {
    const copy = join(root, `moment-${moments.length}`)
    fs.cpSync(folder, copy, { recursive: true })
    fs.rmSync(join(copy, 'process.lock')) // of this process, which lives
    moments.push(copy)
  }
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    snapshot() // with the draft of what comes next
    rename(from, to)
    snapshot()
  })
  await exported(log, folder)
  vi.mocked(fs.renameSync).mockRestore()
  const held: number[] = []
  for (const moment of moments) held.push((await openSet(moment))?.episodes.length ?? 0)
  expect(new Set(held)).toEqual(new Set([0, 1, 2]))
  expect(held).toEqual([...held].sort())
  const whole = await openSet(folder)
  for (const moment of moments) {
    await exported(log, moment)
    const again = (await openSet(moment))!
    expect(again.frames.length).toBe(5)
    expect(fs.readdirSync(join(moment, 'data/chunk-000')).sort()).toEqual(['file-000.parquet', 'file-001.parquet'])
    expect(jsonOf(join(moment, 'meta/stats.json'))).toEqual(jsonOf(join(folder, 'meta/stats.json')))
    expect(again.episodes).toEqual(whole!.episodes)
  }
}, 30_000)

it('a robot with one channel has a plain number as its state', async () => {
  const [channel] = aRobot().channels
  const log = EpisodeLog.open(join(root, 'narrow'), { ...aRobot(), channels: [channel!] })
  const episode = episodeOf(0, 2)
  const observations = episode.observations.map((seen, t) => ({ ...seen, proprio: Float32Array.of(t) }))
  record(log, { ...episode, observations })
  log.close()
  await exported(join(root, 'narrow'), join(root, 'narrow-set'))
  expect((await openSet(join(root, 'narrow-set')))!.frames.map((row) => row['observation.state'])).toEqual([0, 1])
})

it('takes an episode once, and goes on where it stopped', async () => {
  const folder = join(root, 'twice')
  const log = aLog('growing', [3])
  expect(await exported(log, folder)).toMatchObject({ episodes: 1, taken: 1 })
  const more = EpisodeLog.open(log, aRobot(), { plans: true })
  more.nextEpisode = 1
  record(more, episodeOf(1, 4))
  record(more, episodeOf(2, 4), 2) // it goes on
  expect(await exported(log, folder, { live: true })).toMatchObject({ episodes: 2, taken: 1, frames: 7 })
  more.close()
  expect(await exported(log, folder)).toMatchObject({ episodes: 3, taken: 1, frames: 9 })
  expect((await openSet(folder))!.frames.map((row) => row['next.truncated']).filter(Boolean)).toHaveLength(1)
})

it('a full disk is named, and what was written before stays', async () => {
  const folder = join(root, 'full')
  await exported(aLog('first', [3]), folder)
  const before = (await openSet(folder))!
  const write = fs.writeFileSync
  vi.spyOn(fs, 'writeFileSync').mockImplementation((...given) => {
    if (typeof given[0] === 'number' && String(given[1]).includes('q99'))
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
    write(...given)
  })
  await expect(exported(aLog('second', [3, 3]), folder)).rejects.toThrow(
    /stats.json: cannot be written \(ENOSPC: no space/,
  )
  vi.restoreAllMocks()
  const after = (await openSet(folder))!
  expect([after.episodes.length, after.frames.length]).toEqual([before.episodes.length, before.frames.length])
  expect(fs.existsSync(join(folder, 'data/chunk-000/file-001.parquet'))).toBe(false)
  expect(JSON.stringify(fs.readdirSync(folder, { recursive: true }))).not.toContain('draft')
})

it('refuses a folder that is something else, another robot, other pictures, and a damaged log, and leaves them as they were', async () => {
  const log = aLog('some', [3])
  const strange = join(root, 'strange')
  fs.mkdirSync(strange)
  fs.writeFileSync(join(strange, 'notes.txt'), 'mine')
  await expect(exported(log, strange)).rejects.toThrow('strange: is there already, and is no dataset')
  expect(fs.readdirSync(strange)).toEqual(['notes.txt'])
  const theirs = join(root, 'theirs')
  fs.mkdirSync(join(theirs, 'meta'), { recursive: true })
  fs.writeFileSync(join(theirs, 'meta/info.json'), '{}')
  await expect(exported(log, theirs)).rejects.toThrow('holds a dataset that this program did not write')
  const set = join(root, 'set')
  await exported(log, set)
  const other = { ...aRobot(), channels: [...aRobot().channels].reverse() }
  const otherLog = EpisodeLog.open(join(root, 'other'), other)
  record(otherLog, episodeOf(0, 2))
  otherLog.close()
  await expect(exported(join(root, 'other'), set)).rejects.toThrow(/feature observation.state: is .*tcp.x.*one robot/)
  const writer = await DatasetWriter.open(set, { video: true })
  const taken = { robot: aRobot(), log: 'x', task: 'place', episode: episodeOf(1, 2), labels: [null, null] }
  await expect(writer.append(taken)).rejects.toThrow('feature observation.images.front: is {"dtype":"image"')
  expect((await openSet(set))!.episodes).toHaveLength(1)
  const segment = join(log, 'segment-000001.duetlog')
  const bytes = fs.readFileSync(segment)
  bytes[bytes.length - 300]! ^= 1
  fs.writeFileSync(segment, bytes)
  await expect(exported(log, join(root, 'none'))).rejects.toThrow(/segment-000001.*duet log repair/)
  expect(fs.existsSync(join(root, 'none'))).toBe(false)
})
