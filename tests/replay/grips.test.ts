/** @file The gripper in a log of version 1, which wrote what a step asked: read back, it is what is asked for from that step on. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { indexEpisodes, readIndexed } from '../../src/replay/episode-index.ts'
import { readEpisodes } from '../../src/replay/log-reader.ts'

const older = fileURLToPath(new URL('../fixtures/log/version-1', import.meta.url))

/** Its robot told -1 before the first step and after it, then 1; the first action of each episode says 0, as a hand that presses nothing. */
const CANONICAL = [
  [-1, 1],
  [-1, 1, 1],
  [-1, 1],
]

it('an episode of an older log asks in each step for what its robot told after it', async () => {
  const episodes = [...readEpisodes(older)]
  expect(episodes.map(({ steps }) => steps.map(({ action }) => action[6]))).toEqual(CANONICAL)
  for (const { steps, observations } of episodes)
    expect(steps.map(({ action }) => action[6])).toEqual(observations.slice(1).map(({ proprio }) => proprio[13]))
  const indexed = await Promise.all((await indexEpisodes(older)).map(readIndexed))
  expect(indexed.map(({ episode }) => episode.steps)).toEqual(episodes.map(({ steps }) => steps))
})
