/** @file What every transport promises of the Experience port. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { InputError } from '../../src/errors.ts'
import type { Experience } from '../../src/link/ports.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { checkRows, encoded, frameOf, rows, startOf, stepOf } from '../replay/numbered.ts'
import { type OpenLink, StandIn, withLearner } from './stand-in.ts'

function tell(experience: Experience, episode: number, steps = 3): void {
  const plan = { episode, steps }
  experience.begin(startOf(plan), encoded(frameOf(episode, 0)))
  for (let t = 0; t < steps; t++) experience.step(episode, stepOf(plan, t), encoded(frameOf(episode, t + 1)))
  experience.end(episode, { ending: 'timeout' })
}

export const experienceSpec = (name: string, open: OpenLink) =>
  describe(`experience, ${name}`, () => {
    it('brings episodes to the learner, every number as it was', () =>
      withLearner(open, async (link, { replay }) => {
        const experience = link.experience('A')
        tell(experience, 1)
        tell(experience, 2)
        await experience.room(0)
        expect(replay.stats().transitions).toBe(6)
        const out = rows(64)
        const request = { task: 'place', count: 64, offset: 0, demonstrationShare: 0, interventionShare: undefined }
        replay.sampleTransitions(request, new RandomStream(1, 'test'), out)
        expect(new Set(checkRows(out, 0, 64)).size).toBe(6)
      }))

    it('counts what is told twice once', () =>
      withLearner(open, async (link, { replay }) => {
        const experience = link.experience('A')
        tell(experience, 1)
        tell(experience, 1)
        await experience.room(0)
        expect(replay.stats()).toMatchObject({ episodes: 1, transitions: 3 })
      }))

    it('says of a message that it is in flight until the learner has it', () =>
      withLearner(open, async (link, learner) => {
        const experience = link.experience('A')
        let go = () => {}
        learner.during = () => new Promise<void>((resolve) => (go = resolve))
        const learned = link.control.learn('warm-up', 1)
        tell(experience, 1) // the learner is busy: nothing of it is taken in
        await sleep(30)
        expect(experience.inFlight).toBe(5)
        expect(link.experience('B').inFlight).toBe(5) // one learner, one count
        let room = false
        const waiting = experience.room(2).then(() => (room = true))
        await sleep(10)
        expect(room).toBe(false)
        go()
        await learned
        await waiting
        await experience.room(0)
        expect(experience.inFlight).toBe(0)
      }))

    it('refuses a number that two robots have used', async () => {
      const lost: Error[] = []
      const test = withLearner(
        open,
        async (link) => {
          tell(link.experience('A'), 1)
          tell(link.experience('B'), 1)
          await expect(link.control.pause()).rejects.toThrow('episode 1 of robot B: was told by robot A before')
        },
        { onLost: (error) => lost.push(error) },
      )
      await test
      expect(lost).toHaveLength(1)
      expect(lost[0]).toBeInstanceOf(InputError)
    })

    it.each([
      ['a gap', 1, 1, 'episode 4 step 1: arrived where step 0 was due'],
      ['a number that is none', 0, Number.NaN, 'episode 4 step 0 h[0]: is NaN'],
    ])('tells of %s by the class and the words of the replay', (_, t, h, words) =>
      withLearner(open, async (link) => {
        const experience = link.experience('A')
        experience.begin(startOf({ episode: 4, steps: 2 }), encoded(4000))
        const next = { ...encoded(4001), h: Float32Array.of(h, 0, 0) }
        experience.step(4, stepOf({ episode: 4, steps: 2 }, t), next)
        const error = await experience.room(0).catch((error) => error)
        expect(error).toBeInstanceOf(InputError)
        expect(error.message).toContain(words)
        expect(() => experience.end(4, { ending: 'timeout' })).toThrow(words) // and whoever goes on hears it again
      }),
    )

    it('keeps a reward that is no number from becoming one on the way', () =>
      withLearner(open, async (link) => {
        const experience = link.experience('A')
        experience.begin(startOf({ episode: 4, steps: 2 }), encoded(4000))
        experience.step(4, { ...stepOf({ episode: 4, steps: 2 }, 0), reward: Number.NaN }, encoded(4001))
        await expect(experience.room(0)).rejects.toThrow('reward[0]: is NaN')
      }))

    it('waits for a learner that is still being made', async () => {
      let made = (_: StandIn) => {}
      const learner = new StandIn()
      const { link, ready, close } = await open(() => new Promise<StandIn>((resolve) => (made = resolve)))
      tell(link.experience('A'), 1)
      made(learner)
      await ready
      await link.experience('A').room(0)
      expect(learner.replay.stats().transitions).toBe(3)
      await close()
    })
  })
