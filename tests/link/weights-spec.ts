/** @file What every transport promises of the Weights port. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type OpenLink, withLearner } from './stand-in.ts'

export const weightsSpec = (name: string, open: OpenLink) =>
  describe(`weights, ${name}`, () => {
    it('has none before the first publication', () =>
      withLearner(open, async (link) => expect(link.weights.newest).toBeUndefined()))

    it('has the newest parameters, exactly, under the number of updates that they hold', () =>
      withLearner(open, async (link) => {
        await link.control.learn('warm-up', 2)
        expect(link.weights.newest).toEqual({ version: 2, values: { head: Float32Array.of(2, 0.1) } })
        await link.control.learn('warm-up', 3)
        expect(link.weights.newest).toEqual({ version: 5, values: { head: Float32Array.of(5, 0.1) } })
      }))

    it('is published without a request while the learner learns freely', () =>
      withLearner(open, async (link, learner) => {
        learner.canUpdate = () => true
        await link.control.learnFreely(4)
        const versions = new Set<number>()
        for (let ms = 0; versions.size < 3 && ms < 3000; ms++) {
          if (link.weights.newest) versions.add(link.weights.newest.version)
          await sleep(1)
        }
        expect(versions.size).toBe(3)
        await link.control.pause()
        for (const version of versions) expect(version % 4).toBe(0)
        const { version, values } = link.weights.newest!
        expect(values.head![0]).toBe(version)
        expect(version).toBe(learner.updates) // a pause publishes what was not yet due
      }))

    it('never goes back to an older version', () =>
      withLearner(open, async (link, learner) => {
        await link.control.learn('warm-up', 3)
        learner.updates = 1 // as a message that was overtaken
        await link.control.learn('warm-up', 0)
        expect(link.weights.newest!.version).toBe(3)
      }))
  })
