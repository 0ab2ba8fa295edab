/** @file What every place promises that gives and takes episodes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Episode, type EpisodeSink, type EpisodeSource, writeEpisode } from '../../src/replay/source.ts'
import type { Observation } from '../../src/robot/robot.ts'
import { aRobot, episodeOf } from './scenes.ts'

export type Place = { sink: EpisodeSink; source: () => EpisodeSource; remove: () => void }

const all = async <T>(given: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const one of given) list.push(one)
  return list
}

export const episodePlaceSpec = (name: string, make: () => Place) =>
  describe(name, () => {
    let place: Place
    const given = [episodeOf(0, 3), episodeOf(1, 2), episodeOf(2, 4)].map((episode, k) => ({
      ...episode,
      start: { ...episode.start, task: k === 1 ? 'pick' : 'place' },
      end: { ending: k === 2 ? ('timeout' as const) : ('success' as const) },
    }))
    const fill = () => {
      for (const { start, observations, steps, end } of given) writeEpisode(place.sink, start, observations, steps, end)
      place.sink.close()
    }
    const numbersOf = async (episodes: AsyncIterable<Episode>) =>
      (await all(episodes)).map(({ start }) => start.episode)

    beforeEach(() => {
      place = make()
    })
    afterEach(() => {
      place.sink.close()
      place.remove()
    })

    it('gives nothing before anything was taken', async () => {
      place.sink.close()
      expect(await all(place.source().episodes())).toEqual([])
    })

    it('gives what it took, in that order, with every observation as it was', async () => {
      fill()
      const back = await all(place.source().episodes())
      expect(back.map(({ start, end }) => [start.task, start.source, start.seed, end.ending])).toEqual(
        given.map(({ start, end }) => [start.task, start.source, start.seed, end.ending]),
      )
      for (const [k, episode] of back.entries()) {
        const seen: Observation[] = await all(episode.observations())
        expect(seen.map(({ proprio, images }) => ({ proprio, images }))).toEqual(
          given[k]!.observations.map(({ proprio, images }) => ({ proprio, images })),
        )
        expect(episode.steps.map(({ action, command, actor }) => ({ action, command, actor }))).toEqual(
          given[k]!.steps.map(({ action, command, actor }) => ({ action, command, actor })),
        )
      }
    })

    it('numbers episodes and steps so that both increase', async () => {
      fill()
      const back = await all(place.source().episodes())
      expect(back.map(({ start }) => start.episode)).toEqual([0, 1, 2])
      const ids = back.flatMap(({ steps }) => steps.map(({ id }) => id))
      expect(ids).toEqual([...ids].sort((a, b) => a - b))
      expect(new Set(ids).size).toBe(9)
    })

    it('gives only what is asked for', async () => {
      fill()
      const source = place.source()
      expect(await numbersOf(source.episodes({ tasks: ['pick'] }))).toEqual([1])
      expect(await numbersOf(source.episodes({ sources: ['demonstration'] }))).toEqual([0, 2])
      expect(await numbersOf(source.episodes({ sources: ['demonstration'], endings: ['success'] }))).toEqual([0])
      expect(await numbersOf(source.episodes({ tasks: [] }))).toEqual([])
    })

    it('can be gone through twice, and left in the middle', async () => {
      fill()
      const source = place.source()
      for await (const { start } of source.episodes()) if (start.episode === 1) break
      const [first] = await all(source.episodes())
      expect(await all(first!.observations())).toEqual(await all(first!.observations()))
    })

    it('gives one that is cut short as far as it came', async () => {
      const { start, observations, steps } = given[0]!
      place.sink.begin({ ...start, episode: place.sink.nextEpisode }, observations[0]!)
      place.sink.step({ ...steps[0]!, id: place.sink.nextId }, observations[1]!)
      place.sink.close()
      const [back] = await all(place.source().episodes())
      expect([back!.end.ending, back!.steps.length, back!.steps[0]!.truncated]).toEqual(['interrupted', 1, true])
      expect(await all(back!.observations())).toHaveLength(2)
    })

    it('names itself and its robot', () => {
      const source = place.source()
      expect(source.name.length).toBeGreaterThan(0)
      expect(source.spec).toEqual(aRobot())
    })
  })
