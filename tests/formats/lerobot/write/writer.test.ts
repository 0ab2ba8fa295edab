import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest'
import { dataFile, episodesFile, videoFile } from '../../../../src/formats/lerobot/write/layout.ts'
import { episodesTable } from '../../../../src/formats/lerobot/write/tables.ts'
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

it('each of several tasks has its own index, and stats.json counts every frame of the set once', async () => {
  const tasks = { ...aRobot().tasks, turn: { instruction: 'turn it', maxSteps: 80 } }
  const [logged, folder] = [join(root, 'two-tasks'), join(root, 'two-tasks-set')]
  const log = EpisodeLog.open(logged, { ...aRobot(), tasks }, { plans: true })
  const episodes = ['turn', 'place', 'turn'].map((task, n) => {
    const episode = episodeOf(n, LENGTHS[n]!)
    return { ...episode, start: { ...episode.start, task } }
  })
  for (const episode of episodes) record(log, episode)
  log.close()
  await exported(logged, folder)
  const { frames, tasks: told } = (await openSet(folder))!
  expect(told.map(({ task }) => task)).toEqual(['turn', 'place'])
  const indices = LENGTHS.flatMap((length, n) => Array<number>(length).fill(n % 2))
  expect(frames.map(({ task_index }) => Number(task_index))).toEqual(indices)

  const stats = jsonOf(join(folder, 'meta/stats.json'))
  const steps = episodes.flatMap((episode) => episode.steps)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(stats.action.count).toEqual([15])
  for (const k of [0, 6]) expect(stats.action.mean[k]).toBeCloseTo(mean(steps.map(({ action }) => action[k]!)), 9)
  expect(stats['observation.state'].max.slice(0, 2)).toEqual([2, 5]) // episodes 0 to 2; steps 0 to 5
  expect(stats['next.reward']).toMatchObject({ count: [15], mean: [3 / 15], max: [1] })
  expect(stats.intervention.mean[0]).toBeCloseTo(2 / 15, 9) // steps 2 and 5 of the one that is no demonstration
  // of the pictures of an episode the first one counts, and every tenth
  const red = episodes.flatMap(({ observations: [first] }) =>
    [...first!.images.front!.data].filter((_, i) => i % 3 === 0),
  )
  expect(stats['observation.images.front'].count).toEqual([3])
  expect(stats['observation.images.front'].mean[0][0][0]).toBeCloseTo(mean(red) / 255, 9)
})

it('the row of an episode says where its frames and pictures are, beyond the first thousand too', async () => {
  const rest = { task: 'place', log: 'x', source: 'online', ending: 'success', judge: 'robot' }
  const rows = Array.from({ length: 1002 }, (_, k) => ({ ...rest, length: (k % 3) + 1, logged: k }))
  const key = 'observation.images.front'
  const { buffer } = Uint8Array.from(episodesTable(rows, 1000, [key], 10))
  const table = (await parquetReadObjects({ file: buffer as ArrayBuffer })) as Record<string, unknown>[]
  const column = (name: string) => table.map((row) => Number(row[name]))
  expect(column('episode_index')).toEqual([1000, 1001])
  // 333 times 1 + 2 + 3, and 1 more, are before them
  expect([column('dataset_from_index'), column('dataset_to_index')]).toEqual([
    [1999, 2001],
    [2001, 2004],
  ])
  for (const place of ['data', `videos/${key}`])
    expect([column(`${place}/chunk_index`), column(`${place}/file_index`)]).toEqual([
      [1, 1],
      [0, 1],
    ])
  expect([column('meta/episodes/chunk_index'), column('meta/episodes/file_index')]).toEqual([
    [0, 0],
    [1, 1],
  ])
  expect([column(`videos/${key}/from_timestamp`), column(`videos/${key}/to_timestamp`)]).toEqual([
    [0, 0],
    [0.2, 0.3],
  ])
  expect([dataFile(1001), videoFile(key, 1001), episodesFile(1001)]).toEqual([
    'data/chunk-001/file-001.parquet',
    `videos/${key}/chunk-001/file-001.mp4`,
    'meta/episodes/chunk-000/file-001.parquet',
  ])
})

it('a video has the pictures of its episode in their order, at the rate of the robot', async () => {
  const bin = join(root, 'bin') // what stands in for ffmpeg keeps what it is given
  fs.mkdirSync(bin)
  fs.writeFileSync(join(bin, 'ffmpeg'), '#!/bin/sh\nfor file; do :; done\necho "$@" > "$file.asked"\ncat > "$file"\n', {
    mode: 0o755,
  })
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
  const folder = join(root, 'filmed')
  await exported(aLog('to-film', [3, 2]), folder, { video: true })
  vi.unstubAllEnvs()
  const { info, episodes } = (await openSet(folder))!
  expect(info.features['observation.images.wrist']).toMatchObject({ dtype: 'video', info: { 'video.fps': 10 } })
  for (const [n, length] of [3, 2].entries())
    for (const camera of ['front', 'wrist']) {
      const file = join(folder, videoFile(`observation.images.${camera}`, n))
      const seen = episodeOf(n, length).observations.slice(0, length)
      expect(fs.readFileSync(file).equals(Buffer.concat(seen.map(({ images }) => images[camera]!.data)))).toBe(true)
      const asked = fs.readFileSync(`${file}.draft.asked`, 'utf8')
      expect(asked).toContain(`-s 16x${camera === 'front' ? 8 : 16} -r 10 -i -`)
      expect(Number(episodes[n]![`videos/observation.images.${camera}/to_timestamp`])).toBeCloseTo(length / 10, 9)
    }
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
