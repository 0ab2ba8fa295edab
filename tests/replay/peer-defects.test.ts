/** @file The peers' replay defects, each as its own test: the same numbered frames that showed them there. */
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import { aReplay, checkRows, feed, frameOf, rows } from './numbered.ts'

/** Human segments at steps 10-14, 40-44 and 70-74 of 100, as in the measurement of the peers. */
const human = (t: number) => [10, 40, 70].some((first) => t >= first && t < first + 5)
const COUNT = 10_240

function twentyEpisodes() {
  const replay = aReplay()
  for (let episode = 1; episode <= 20; episode++) feed(replay, { episode, steps: 100, operator: human })
  return replay
}

describe('20 episodes of 100 numbered frames with three human segments each', () => {
  it('pairs every intervention sample with its own image and its true successor (peers: 19.4-20 % wrong)', () => {
    const replay = twentyEpisodes()
    const out = rows(COUNT)
    const cloned = replay.sampleTransitions(
      { task: 'place', count: COUNT, demonstrationShare: 1 },
      new RandomStream(1, 'sampling'),
      out,
    )
    expect(cloned).toBe(COUNT)
    const frames = checkRows(out, 0, COUNT)
    expect(frames.every((frame) => human(frame % 1000))).toBe(true)
    expect(new Set(frames).size).toBe(20 * 15) // each of them is drawn: first and last steps of segments too
  })

  it('never bootstraps a timed-out step from the next episode (peer: 0.97 % of samples), and lets it bootstrap', () => {
    const out = rows(COUNT)
    twentyEpisodes().sampleTransitions(
      { task: 'place', count: COUNT, demonstrationShare: 0 },
      new RandomStream(2, 'sampling'),
      out,
    )
    const frames = checkRows(out, 0, COUNT)
    const lastSteps = frames.flatMap((frame, row) => (frame % 1000 === 99 ? [row] : []))
    expect(lastSteps.length).toBeGreaterThan(50)
    for (const row of lastSteps) {
      expect(out.terminated[row]).toBe(0)
      expect(out.nextH[3 * row]).toBe(frames[row]! + 1) // its own final observation, frame 100 of the episode
    }
  })

  it('does not bootstrap a step that terminated, also when the clock ran out on it', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 4, last: { reward: 1, terminated: true, truncated: true } })
    const out = rows(64)
    replay.sampleTransitions({ task: 'place', count: 64 }, new RandomStream(3, 'sampling'), out)
    const terminated = checkRows(out, 0, 64).map((frame) => (frame === frameOf(1, 3) ? 1 : 0))
    expect([...out.terminated]).toEqual(terminated)
    expect(terminated).toContain(1)
  })
})

describe('memory', () => {
  it('keeps features in two bytes each, an observation once (peer: 393,216 B a transition)', () => {
    const featureShape = [2, 4, 4, 512] as const // 2 cameras of a ResNet
    const replay = aReplay({ featureShape, copies: 0, embeddingWidth: 384, proprioWidth: 19 })
    const features = 2 * 4 * 4 * 512 * 2
    const rest = 4 * (384 + 19 + 7)
    expect(replay.stats().bytesPerTransition).toBeGreaterThanOrEqual(features + rest)
    expect(replay.stats().bytesPerTransition).toBeLessThan(features + rest + 64)
  })

  it('stops growing at its capacity, however long the run (peer: 40 MB/s of leaked frames)', () => {
    const replay = aReplay({ onlineCapacity: 505 })
    const allocated: number[] = []
    for (let episode = 1; episode <= 60; episode++) {
      feed(replay, { episode, steps: 100 })
      allocated.push(replay.stats().allocatedBytes)
    }
    expect(new Set(allocated.slice(5)).size).toBe(1)
    expect(replay.stats().transitions).toBe(500)
    expect(allocated.at(-1)! / 505).toBeLessThan(1.1 * replay.stats().bytesPerTransition)
  })
})
