import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { EpisodeLog } from '../../src/replay/log.ts'
import { LogFollower } from '../../src/replay/log-follower.ts'
import { aFolder, aRobot, episodeOf, record } from './scenes.ts'

const numbersOf = (follower: LogFollower) => [...follower.next()].map(({ episode }) => episode.start.episode)

it('gives each episode once, when it has ended, over all segments', () => {
  const folder = aFolder()
  const follower = new LogFollower(folder, aRobot())
  expect(numbersOf(follower)).toEqual([])
  const log = EpisodeLog.open(folder, aRobot(), { segmentBytes: 2000 })
  expect(numbersOf(follower)).toEqual([])
  record(log, episodeOf(0, 3))
  record(log, episodeOf(1, 3))
  const [zero, one] = [...follower.next()]
  expect([zero!.episode, one!.episode]).toEqual([episodeOf(0, 3), episodeOf(1, 3)])
  record(log, episodeOf(2, 4), 2)
  expect(numbersOf(follower)).toEqual([])
  log.end({ ending: 'abort' })
  expect([...follower.next()].map(({ episode }) => [episode.start.episode, episode.steps.length, episode.end])).toEqual(
    [[2, 2, { ending: 'abort' }]],
  )
  expect(numbersOf(follower)).toEqual([])
  expect(fs.readdirSync(folder).length).toBeGreaterThan(1)
  log.close()
  fs.rmSync(folder, { recursive: true })
})

it('waits for a record that is half written, and names one that is damaged', () => {
  const folder = aFolder()
  const log = EpisodeLog.open(folder, aRobot())
  record(log, episodeOf(0, 3))
  log.close()
  const file = path.join(folder, 'segment-000001.duetlog')
  const whole = fs.readFileSync(file)
  const follower = new LogFollower(folder, aRobot())
  fs.writeFileSync(file, whole.subarray(0, whole.length - 5))
  expect(numbersOf(follower)).toEqual([])
  const damaged = Buffer.from(whole)
  damaged[whole.length - 200]! ^= 1
  fs.writeFileSync(file, damaged)
  expect(() => numbersOf(follower)).toThrow('is damaged')
  fs.writeFileSync(file, whole)
  expect(numbersOf(follower)).toEqual([0])
  fs.rmSync(folder, { recursive: true })
})
