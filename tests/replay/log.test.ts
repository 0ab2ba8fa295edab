import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EpisodeLog, readEpisodes, transitionsOf } from '../../src/replay/index.ts'
import { ACTORS } from '../../src/replay/transition.ts'
import { aFolder, aRobot, episodeOf, interrupted, observationOf, record } from './scenes.ts'

let folder = ''
beforeEach(() => {
  folder = aFolder()
})
afterEach(() => {
  vi.restoreAllMocks()
  fs.rmSync(folder, { recursive: true })
})
const segments = () => fs.readdirSync(folder).map((name) => path.join(folder, name))
const read = () => [...readEpisodes(folder, aRobot())]

describe('the episode log', () => {
  it('gives back what was written: images, numbers, flags, words, seeds', () => {
    const episodes = [episodeOf(1, 9), episodeOf(2, 0), episodeOf(3, 20)]
    const log = EpisodeLog.open(folder, aRobot())
    for (const episode of episodes) record(log, episode)
    log.close()
    expect(read()).toEqual(episodes)
    expect(transitionsOf(read()[2]!)[7]).toMatchObject({
      episode: 3,
      step: 7,
      task: 'place',
      observation: observationOf(3, 7),
    })
  })

  it('gives back who acted, whoever it was', () => {
    const episode = episodeOf(1, ACTORS.length)
    const steps = episode.steps.map((step, t) => ({ ...step, actor: ACTORS[t]! }))
    const log = EpisodeLog.open(folder, aRobot())
    record(log, { ...episode, steps })
    log.close()
    expect(read()[0]!.steps.map(({ actor }) => actor)).toEqual(['primary', 'refinement', 'operator', 'exploration'])
  })

  it('can be read while it is written, without its end', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const episode = episodeOf(1, 9)
    record(log, episode, 4)
    expect(read()).toEqual([interrupted(episode, 4)])
    log.close()
  })

  it('does not depend on the image memory that the robot may reuse', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const shared = observationOf(1, 0)
    const episode = episodeOf(1, 5)
    log.begin(episode.start, shared)
    episode.steps.forEach((step, t) => {
      for (const camera of ['wrist', 'front'])
        shared.images[camera]!.data.set(observationOf(1, t + 1).images[camera]!.data)
      log.step(step, { ...shared, proprio: observationOf(1, t + 1).proprio, time: observationOf(1, t + 1).time })
    })
    log.end(episode.end)
    log.close()
    expect(read()).toEqual([episode])
  })

  it('applies a verdict that came after the last step', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const episode = episodeOf(1, 2)
    log.begin(episode.start, episode.observations[0]!)
    log.step({ ...episode.steps[0]!, reward: 0, terminated: false }, episode.observations[1]!)
    log.end({ ending: 'failure', verdict: { reward: 0.5, terminated: true } })
    log.close()
    expect(read()[0]!.steps).toMatchObject([{ reward: 0.5, terminated: true, truncated: false }])
  })

  it('goes on in new files, each of whole episodes and complete in itself', () => {
    const episodes = [1, 2, 3, 4, 5].map((n) => episodeOf(n, 6))
    const log = EpisodeLog.open(folder, aRobot(), { segmentBytes: 3000 })
    for (const episode of episodes) record(log, episode)
    log.close()
    expect(segments().length).toBeGreaterThan(2)
    expect(read()).toEqual(episodes)
    const firstFile = [...readEpisodes(folder)].length
    fs.rmSync(segments()[1]!)
    expect([...readEpisodes(folder)].length).toBeLessThan(firstFile)
  })

  it('takes up where it stopped: numbers go on, an open episode is ended as interrupted', () => {
    const [first, second, third] = [episodeOf(1, 6), episodeOf(2, 6), episodeOf(3, 6)]
    const log = EpisodeLog.open(folder, aRobot())
    record(log, first)
    record(log, second, 3)
    const resumed = EpisodeLog.open(folder, aRobot()) // the first one was never closed: its process died
    expect(resumed.recovery).toEqual({ tornBytes: 0, interrupted: 2 })
    expect([resumed.nextEpisode, resumed.nextId]).toEqual([3, 2003])
    record(resumed, third)
    resumed.close()
    expect(read()).toEqual([first, interrupted(second, 3), third])
    const again = EpisodeLog.open(folder, aRobot(), { segmentBytes: 1000 })
    record(again, episodeOf(4, 1))
    again.close()
    expect(EpisodeLog.open(folder, aRobot())).toMatchObject({ nextEpisode: 5, nextId: 4001 })
  })

  it('ignores repeats and refuses gaps, late steps, used numbers and wrong images', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const { start, steps, observations } = episodeOf(1, 3)
    expect(() => log.step(steps[0]!, observations[1]!)).toThrow('while no episode was open')
    log.begin(start, observations[0]!)
    expect(() => log.begin(start, observations[0]!)).toThrow('End that one first')
    expect(log.step(steps[0]!, observations[1]!)).toBe(true)
    expect(log.step(steps[0]!, observations[2]!)).toBe(false)
    expect(() => log.step(steps[2]!, observations[3]!)).toThrow('came where step 1 was due')
    expect(() => log.step({ ...steps[1]!, id: 1000 }, observations[2]!)).toThrow('Number on from 1001')
    const { wrist } = observations[2]!.images
    expect(() => log.step(steps[1]!, { ...observations[2]!, images: { wrist: wrist! } })).toThrow(
      'images.front: is missing',
    )
    expect(() => log.step(steps[1]!, { ...observations[2]!, proprio: new Float32Array(2) })).toThrow(
      'is [2], expected [3]',
    )
    log.step({ ...steps[1]!, truncated: true }, observations[2]!)
    expect(() => log.step(steps[2]!, observations[3]!)).toThrow('after the episode was over')
    expect(() => log.end({ ending: 'success', verdict: { reward: Number.NaN, terminated: true } })).toThrow(
      'verdict.reward',
    )
    log.end({ ending: 'timeout' })
    expect(() => log.begin(start, observations[0]!)).toThrow('Number on from 2')
    log.close()
    expect(read()[0]!.steps.map(({ step }) => step)).toEqual([0, 1])
  })

  it('that gets no further file closes none but its own', () => {
    const log = EpisodeLog.open(folder, aRobot(), { segmentBytes: 1000 })
    record(log, episodeOf(1, 4))
    const full = { code: 'ENOSPC', syscall: 'open' }
    vi.spyOn(fs, 'openSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device, open'), full)
    })
    expect(() => record(log, episodeOf(2, 4))).toThrow('no space left on device (ENOSPC)')
    const other = fs.openSync(path.join(folder, 'other'), 'w') // it gets the number of the file that was full
    log.close()
    expect(fs.fstatSync(other).isFile()).toBe(true)
    fs.closeSync(other)
  })

  it('takes back a record that the disk had room for only in part, and goes on when there is room', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const episode = episodeOf(1, 6)
    log.begin(episode.start, episode.observations[0]!)
    log.step(episode.steps[0]!, episode.observations[1]!)
    const write = fs.writeSync as (fd: number, bytes: Uint8Array, from: number, length: number, at: number) => number
    vi.spyOn(fs, 'writeSync')
      .mockImplementationOnce(((fd: number, bytes: Uint8Array, from: number, _: number, at: number) =>
        write(fd, bytes, from, 40, at)) as never)
      .mockImplementationOnce(() => {
        throw new Error('ENOSPC: no space left on device')
      })
    expect(() => log.step(episode.steps[1]!, episode.observations[2]!)).toThrow('all steps before this one are safe')
    expect(read()).toEqual([interrupted(episode, 1)])
    for (let t = 1; t < 6; t++) log.step(episode.steps[t]!, episode.observations[t + 1]!)
    log.end(episode.end)
    expect(read()).toEqual([episode])
  })
})

describe('a torn log', () => {
  it('loses the step in flight and nothing else, wherever the cut is', () => {
    const log = EpisodeLog.open(folder, aRobot())
    const episode = episodeOf(1, 4)
    record(log, episode, 3)
    const before = log.segmentSize
    log.step(episode.steps[3]!, episode.observations[4]!)
    const [file] = segments()
    const whole = fs.readFileSync(file!)
    for (let length = before; length < whole.length; length += length < before + 16 ? 1 : 37) {
      fs.writeFileSync(file!, whole.subarray(0, length))
      expect(read()).toEqual([interrupted(episode, 3)])
      const resumed = EpisodeLog.open(folder, aRobot())
      expect(resumed.recovery).toEqual({ tornBytes: length - before, interrupted: 1 })
      record(resumed, episodeOf(2, 2))
      resumed.close()
      expect(read()).toEqual([interrupted(episode, 3), episodeOf(2, 2)])
    }
  })

  it('is refused where intact records follow the damage, by file and offset', () => {
    const log = EpisodeLog.open(folder, aRobot())
    record(log, episodeOf(1, 4))
    const offset = log.segmentSize
    record(log, episodeOf(2, 4))
    log.close()
    const [file] = segments()
    const bytes = fs.readFileSync(file!)
    bytes[offset + 30]! ^= 1
    fs.writeFileSync(file!, bytes)
    const message = new RegExp(
      `segment-000001.duetlog at byte ${offset}: is damaged for \\d+ bytes, with intact records behind`,
    )
    expect(() => EpisodeLog.open(folder, aRobot())).toThrow(message)
    const episodes = readEpisodes(folder)
    expect(episodes.next().value).toEqual(episodeOf(1, 4))
    expect(() => episodes.next()).toThrow(message)
  })

  it('is refused where a segment is cut short and another follows', () => {
    const log = EpisodeLog.open(folder, aRobot(), { segmentBytes: 1000 })
    record(log, episodeOf(1, 4))
    record(log, episodeOf(2, 4))
    log.close()
    fs.truncateSync(segments()[0]!, fs.statSync(segments()[0]!).size - 1)
    expect(() => read()).toThrow('is cut short, though later segments exist')
  })
})

describe('another log', () => {
  it('of a different robot is refused, naming the entry', () => {
    EpisodeLog.open(folder, aRobot()).close()
    const other = { ...aRobot(), actionScale: { translation: 0.01, rotation: 0.2 } }
    const message =
      'at byte 0: was written by a robot whose actionScale is {"rotation":0.2,"translation":0.05}, this one\'s is'
    expect(() => EpisodeLog.open(folder, other)).toThrow(message)
    expect(() => [...readEpisodes(folder, other)]).toThrow(message)
    const { wrist, front } = aRobot().cameras
    EpisodeLog.open(folder, { ...aRobot(), cameras: { front: front!, wrist: wrist! } }).close()
  })

  it('of another version, or no log at all, is refused', () => {
    EpisodeLog.open(folder, aRobot()).close()
    const [file] = segments()
    fs.writeFileSync(file!, 'nothing of the kind')
    expect(() => EpisodeLog.open(folder, aRobot())).toThrow('segment-000001.duetlog at byte 0: is not a Duet log')
    fs.writeFileSync(file!, '')
    expect(() => EpisodeLog.open(folder, aRobot())).toThrow('Choose another run folder')
  })
})
