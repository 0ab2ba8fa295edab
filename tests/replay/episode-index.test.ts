/** @file An index of a log that grows: as good as one that is made anew, and what was read once is not read again. */
import fs from 'node:fs'
import { afterAll, expect, it, vi } from 'vitest'
import { EpisodeIndex, indexEpisodes, readIndexed } from '../../src/replay/episode-index.ts'
import { FrameReader } from '../../src/replay/frames.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { expectSame } from './same.ts'
import { aFolder, aRobot, episodeOf, record } from './scenes.ts'

const folder = aFolder()
afterAll(() => fs.rmSync(folder, { recursive: true }))

it('goes on where it stood, in the middle of an episode and over segments', async () => {
  const log = EpisodeLog.open(folder, aRobot(), { segmentBytes: 2000 })
  const index = new EpisodeIndex(folder)
  const episodes = [3, 5, 4, 2, 6].map((steps, k) => episodeOf(k, steps))
  const frames = vi.spyOn(FrameReader.prototype, 'next')
  const agree = async () => expect(await index.look()).toEqual(await indexEpisodes(folder))
  await agree()
  for (const episode of episodes) {
    const { start, observations, steps } = episode
    log.begin(start, observations[0]!)
    log.step(steps[0]!, observations[1]!)
    await agree()
    for (const [t, step] of steps.slice(1).entries()) log.step(step, observations[t + 2]!)
    log.end(episode.end)
    await agree()
  }
  expect(fs.readdirSync(folder).length).toBeGreaterThan(1) // segments

  frames.mockClear()
  const all = await index.look()
  expect(frames).not.toHaveBeenCalled()
  for (const [k, one] of all.entries()) expectSame((await readIndexed(one)).episode, episodes[k]!)
  record(log, episodeOf(5, 2))
  expect((await index.look()).map(({ length }) => length)).toEqual([3, 5, 4, 2, 6, 2])
  expect(all).toHaveLength(5) // what was given before does not grow
  log.close()
})

it('begins anew where another log lies, or a damage was found', async () => {
  const other = aFolder()
  const write = (...lengths: number[]) => {
    const log = EpisodeLog.open(other, aRobot())
    for (const [k, steps] of lengths.entries()) record(log, episodeOf(k, steps))
    log.close()
  }
  const index = new EpisodeIndex(other)
  const lengths = async () => (await index.look()).map(({ length }) => length)
  expect(await lengths()).toEqual([])
  write(2, 3)
  expect(await Promise.all([lengths(), lengths()])).toEqual([
    [2, 3],
    [2, 3],
  ])
  fs.rmSync(other, { recursive: true })
  expect(await lengths()).toEqual([])
  write(4)
  expect(await lengths()).toEqual([4])
  const [file] = fs.readdirSync(other).map((name) => `${other}/${name}`)
  const whole = fs.readFileSync(file!)
  fs.writeFileSync(file!, Buffer.from('no log'))
  await expect(lengths()).rejects.toThrow(file)
  fs.writeFileSync(file!, whole)
  expect(await lengths()).toEqual([4])
  fs.rmSync(other, { recursive: true })
})
