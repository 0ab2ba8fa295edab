/** @file One flipped bit, or worse, anywhere in a log: it is found, and all other episodes are kept as they were. */
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkLog } from '../../src/replay/check.ts'
import { frame } from '../../src/replay/frames.ts'
import { EpisodeLog, type LoggedEpisode, readEpisodes } from '../../src/replay/index.ts'
import { repairLog } from '../../src/replay/repair.ts'
import { aFolder, aRobot, episodeOf, interrupted, record } from './scenes.ts'

const robot = aRobot(8)
const folder = aFolder()
afterAll(() => fs.rmSync(folder, { recursive: true }))

/** As in the scenes, with finite numbers only. */
function finite(episode: number, steps: number): LoggedEpisode {
  const made = episodeOf(episode, steps, robot)
  const observations = made.observations.map((one) => ({ ...one, proprio: one.proprio.map((value) => value || 0) }))
  return { ...made, observations }
}

const episodes = [1, 2, 3, 4, 5].map((n) => finite(n, 5))
function write(options = {}, some = episodes) {
  const log = EpisodeLog.open(folder, robot, options)
  for (const episode of some) record(log, episode)
  log.close()
  const names = fs.readdirSync(folder)
  return names.map((name) => ({ name, path: path.join(folder, name), bytes: fs.readFileSync(path.join(folder, name)) }))
}
const clear = () => {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name))
}
beforeEach(clear)

const read = () => [...readEpisodes(folder, robot)]
const numbersOf = (some: readonly LoggedEpisode[]) => some.map(({ start }) => start.episode)
const findings = async () => {
  const { files } = await checkLog(folder)
  return { damage: files.flatMap(({ damage }) => damage), cut: files.some(({ cut }) => cut !== null) }
}

/** Offset of each frame in a segment, by its length field (frames.ts: mark, length, checksum, payload). */
function framesOf(bytes: Buffer): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = []
  for (let at = 0; at < bytes.length; ) {
    const to = at + 12 + bytes.readUInt32LE(at + 4)
    found.push({ from: at, to })
    at = to
  }
  return found
}
const RECORDS = 7 // of an episode of five steps: start, steps, end

describe('a flipped bit', () => {
  it('anywhere is found; a repair keeps all other episodes, and the log goes on with numbers of its own', async () => {
    vi.spyOn(fs, 'fsyncSync').mockReturnValue() // hundreds of them
    const short = [1, 2, 3].map((n) => finite(n, 2))
    const fourth = finite(4, 1)
    const [segment] = write({}, short)
    const frames = framesOf(segment!.bytes)
    expect(frames).toHaveLength(1 + 3 * 4) // a start, two steps and an end each
    // in each record a bit of the mark, the length (low and high), the checksum, and of the content at its ends and within
    for (const [index, { from, to }] of frames.entries())
      for (const at of [from, from + 4, from + 7, from + 9, from + 12, (from + to) >> 1, to - 1]) {
        clear()
        const bytes = Buffer.from(segment!.bytes)
        bytes[at]! ^= 1 << (at % 8)
        fs.writeFileSync(segment!.path, bytes)
        const { damage, cut } = await findings()
        expect(damage.length > 0 || (cut && at === from + 4), `byte ${at}`).toBe(true)
        await repairLog(folder)
        const hit = index === 0 ? undefined : 1 + Math.floor((index - 1) / 4)
        // a length that is now beyond the end of the file looks like a write cut short: its steps stay, as after a kill
        const found = cut ? read().slice(0, 2) : read()
        expect(found, `byte ${at}`).toEqual(short.filter(({ start }) => start.episode !== hit))
        const log = EpisodeLog.open(folder, robot)
        expect(log.nextEpisode).toBe(4)
        expect(log.nextId).toBeGreaterThan(hit === 3 ? 3000 : 3001)
        record(log, fourth)
        log.close()
        expect(numbersOf(read()).at(-1)).toBe(4)
        expect(await findings()).toEqual({ damage: [], cut: false })
      }
    vi.restoreAllMocks()
  }, 60_000)

  it('is told by episode, step and offset', async () => {
    const [segment] = write()
    const { from } = framesOf(segment!.bytes)[1 + RECORDS + 1 + 3]! // the second episode, step 3
    segment!.bytes[from + 40]! ^= 4
    fs.writeFileSync(segment!.path, segment!.bytes)
    expect((await findings()).damage).toEqual([
      { offset: from, episode: 2, step: 3, what: expect.stringContaining('bytes are not what was written') },
    ])
  })
})

describe('worse damage', () => {
  it.each([
    [
      'a block of the disk over the border of two episodes',
      [2, 3],
      (frames: ReturnType<typeof framesOf>) => frames[14]!.from - 60,
    ],
    ['a block within one', [4], (frames: ReturnType<typeof framesOf>) => frames[24]!.from + 5],
  ])('%s costs these alone', async (_, hit, from) => {
    const [segment] = write()
    segment!.bytes.fill(0xa5, from(framesOf(segment!.bytes)), from(framesOf(segment!.bytes)) + 120)
    fs.writeFileSync(segment!.path, segment!.bytes)
    const { damage } = await findings()
    expect([...new Set(damage.map(({ episode }) => episode))]).toEqual(hit)
    await repairLog(folder)
    expect(read()).toEqual(episodes.filter(({ start }) => !hit.includes(start.episode)))
  })

  it('of a header that is lost altogether is mended by another segment, or by the robot', async () => {
    const segments = write({ segmentBytes: 2500 })
    expect(segments.length).toBeGreaterThan(1)
    for (const { path, bytes } of segments.slice(0, -1)) fs.writeFileSync(path, Buffer.from(bytes).fill(0, 0, 40))
    await repairLog(folder)
    expect(read()).toEqual(episodes)
    for (const { path, bytes } of segments) fs.writeFileSync(path, Buffer.from(bytes).fill(0, 0, 40))
    await expect(repairLog(folder)).rejects.toThrow('has lost its header, and there is none of the same robot')
    await repairLog(folder, robot)
    expect(read()).toEqual(episodes)
  })

  it('of a file whose records two writers mixed keeps what is in order', async () => {
    const [segment] = write()
    const frames = framesOf(segment!.bytes)
    const second = segment!.bytes.subarray(frames[8]!.from, frames[15]!.from)
    fs.writeFileSync(segment!.path, Buffer.concat([segment!.bytes, second]))
    expect((await findings()).damage).toMatchObject([{ episode: 2, what: 'has a number that was used before' }])
    await repairLog(folder)
    expect(read()).toEqual(episodes)
  })

  it('of numbers that are none is found, with a right checksum', async () => {
    const [segment] = write()
    const { from, to } = framesOf(segment!.bytes)[11]! // episode 2, step 2
    const payload = Buffer.from(segment!.bytes.subarray(from + 12, to))
    const proprio = payload.indexOf(Buffer.from(Float32Array.of(2, 3).buffer)) // tcp.x and tcp.y of its observation
    payload.writeFloatLE(Number.NaN, proprio)
    fs.writeFileSync(
      segment!.path,
      Buffer.concat([segment!.bytes.subarray(0, from), frame(payload), segment!.bytes.subarray(to)]),
    )
    expect((await findings()).damage).toEqual([{ offset: from, episode: 2, step: 2, what: 'has NaN in proprio[0]' }])
    await repairLog(folder)
    expect(numbersOf(read())).toEqual([1, 3, 4, 5])
  })
})

describe('a repair', () => {
  it('leaves a whole log, and one that a kill cut short, as they are', async () => {
    const [segment] = write()
    expect(await repairLog(folder)).toEqual([])
    fs.truncateSync(segment!.path, segment!.bytes.length - 3)
    expect(await findings()).toEqual({ damage: [], cut: true })
    expect(await repairLog(folder)).toEqual([])
    fs.truncateSync(segment!.path, segment!.bytes.length) // a disk that lost its power fills up with zeros
    fs.truncateSync(segment!.path, segment!.bytes.length + 100)
    expect(await findings()).toEqual({ damage: [], cut: true })
    expect(fs.readdirSync(folder)).toEqual([segment!.name])
    EpisodeLog.open(folder, robot).close()
    expect(read()).toEqual([...episodes.slice(0, 4), interrupted(episodes[4]!, 5)])
  })

  it('keeps the damaged file beside the new one, and its whole records byte for byte', async () => {
    const [segment] = write()
    const frames = framesOf(segment!.bytes)
    segment!.bytes[frames[3]!.from + 20]! ^= 1
    fs.writeFileSync(segment!.path, segment!.bytes)
    const [repair] = await repairLog(folder)
    expect(repair!.original).toMatch(/segment-000001\.duetlog\.damaged-\d{8}T\d{6}$/)
    expect(fs.readFileSync(repair!.original)).toEqual(segment!.bytes)
    const rest = segment!.bytes.subarray(frames[1 + RECORDS]!.from)
    expect(fs.readFileSync(segment!.path).subarray(-rest.length)).toEqual(rest)
    expect(await repairLog(folder)).toEqual([])
  })

  it.each(['writeSync', 'fsyncSync', 'linkSync', 'renameSync'] as const)(
    'that is ended at its %s can be done again, with nothing lost and nothing twice',
    async (call) => {
      const [segment] = write()
      segment!.bytes[framesOf(segment!.bytes)[3]!.from + 20]! ^= 1
      fs.writeFileSync(segment!.path, segment!.bytes)
      const ended = vi.spyOn(fs, call).mockImplementationOnce(() => {
        throw new Error('ended here')
      })
      if (call === 'linkSync')
        vi.spyOn(fs, 'copyFileSync').mockImplementationOnce(() => void fs.writeFileSync(folder, ''))
      await expect(repairLog(folder)).rejects.toThrow()
      ended.mockRestore()
      expect(fs.readFileSync(segment!.path)).toEqual(segment!.bytes)
      await repairLog(folder)
      expect(numbersOf(read())).toEqual([2, 3, 4, 5])
      expect(fs.readdirSync(folder)).toHaveLength(2)
      vi.restoreAllMocks()
    },
  )

  it('copies the damaged file where the disk knows no links', async () => {
    const [segment] = write()
    segment!.bytes[framesOf(segment!.bytes)[3]!.from + 20]! ^= 1
    fs.writeFileSync(segment!.path, segment!.bytes)
    vi.spyOn(fs, 'linkSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
    })
    const [repair] = await repairLog(folder)
    expect(fs.readFileSync(repair!.original)).toEqual(segment!.bytes)
    expect(numbersOf(read())).toEqual([2, 3, 4, 5])
    vi.restoreAllMocks()
  })
})

it('what is no file is named, by a check, a repair and a reader alike', async () => {
  write()
  const strange = path.join(folder, 'segment-000009.duetlog')
  fs.mkdirSync(strange)
  const words = `${strange}: is no file. Move it out of the folder`
  await expect(checkLog(folder)).rejects.toThrow(words)
  await expect(repairLog(folder)).rejects.toThrow(words)
  expect(read).toThrow(words)
  fs.rmdirSync(strange)
  fs.symlinkSync(path.join(folder, 'gone'), strange)
  await expect(checkLog(folder)).rejects.toThrow(`${strange}: failed to open: no such file or directory (ENOENT)`)
})
