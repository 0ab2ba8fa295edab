/** @file What every transport promises of the Control port. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { InputError, ShapeError } from '../../src/errors.ts'
import type { LearnerPort } from '../../src/link/ports.ts'
import { encoded, startOf, stepOf } from '../replay/numbered.ts'
import { type OpenLink, withLearner } from './stand-in.ts'

const soon = () => sleep(20)

export const controlSpec = (name: string, open: OpenLink) =>
  describe(`control, ${name}`, () => {
    it('learns exactly what is asked for, on all that was told before and on nothing that comes after', () =>
      withLearner(open, async (link, learner) => {
        const experience = link.experience('A')
        const tell = (episode: number) => {
          experience.begin(startOf({ episode, steps: 1 }), encoded(1000 * episode))
          experience.step(episode, stepOf({ episode, steps: 1 }, 0), encoded(1000 * episode + 1))
          experience.end(episode, { ending: 'timeout' })
        }
        tell(1)
        const first = link.control.learn('online', 3)
        tell(2)
        const second = link.control.learn('online', 2)
        expect(await first).toEqual({ version: 3, made: 3, cut: 0 })
        expect(await second).toEqual({ version: 5, made: 2, cut: 0 })
        expect(learner.seen).toEqual([1, 1, 1, 2, 2])
      }))

    it('makes no update where there is nothing to learn from, and says so', () =>
      withLearner(open, async (link) =>
        expect(await link.control.learn('online', 3)).toEqual({ version: 0, made: 0, cut: 0 }),
      ))

    it('is cut short by a pause, which tells how much is left', () =>
      withLearner(open, async (link, learner) => {
        const learned = link.control.learn('warm-up', 100_000)
        const later = link.control.learn('warm-up', 7)
        while (learner.updates < 3) await soon()
        const { version } = await link.control.pause()
        const { made, cut } = await learned
        expect(made).toBeGreaterThanOrEqual(3)
        expect(made + cut).toBe(100_000)
        expect(cut).toBeGreaterThan(0)
        expect(await later).toEqual({ version: made, made: 0, cut: 7 })
        expect(version).toBe(made)
        expect(await link.control.learn('warm-up', 2)).toMatchObject({ made: 2, cut: 0 }) // and goes on when it is asked
      }))

    it('learns freely until a pause', () =>
      withLearner(open, async (link, learner) => {
        learner.canUpdate = () => true
        await link.control.learnFreely(50)
        while (learner.updates < 5) await soon()
        const { version } = await link.control.pause()
        await soon()
        expect(learner.updates).toBe(version)
      }))

    it('saves under a name, and tells what was saved', () =>
      withLearner(open, async (link, learner) => {
        await link.control.learn('warm-up', 4)
        expect(await link.control.save('.draft-step-7')).toEqual({ version: 4, labels: { 'move left': 3 } })
        expect(learner.saved).toEqual(['.draft-step-7'])
      }))

    it('reports figures every so often, one that diverged as no number', async () => {
      const figures: unknown[] = []
      await withLearner(open, async (link) => void (await link.control.learn('warm-up', 25)), {
        onFigures: (each) => figures.push(each),
      })
      expect(figures).toEqual([
        { update: 10, phase: 'warm-up', figures: { 'actor.loss': Number.NaN } },
        { update: 20, phase: 'warm-up', figures: { 'actor.loss': 1 } },
      ])
    })

    it.each([
      [new InputError('task weights', 'mean Q is NaN', 'Lower the learning rate'), InputError],
      [new ShapeError('h', [3], [4], 'use the same encoder'), ShapeError],
      [new TypeError('no such function'), Error],
    ])('rejects whatever waits with the error of the learner: %s', async (thrown, kind) => {
      const lost: Error[] = []
      const fail = () => {
        throw thrown
      }
      await withLearner(
        open,
        async (link, learner) => {
          learner.during = fail
          const { control } = link
          const waiting = [control.learn('warm-up', 1), control.save('x'), link.experience('A').room(-1)]
          const results = await Promise.allSettled<unknown>(waiting)
          expect(lost).toHaveLength(1)
          for (const result of [...results, ...(await Promise.allSettled([control.pause()]))]) {
            expect(result.status).toBe('rejected')
            const { reason } = result as PromiseRejectedResult
            expect(reason).toBeInstanceOf(kind)
            expect(reason.name).toBe(thrown.name)
            expect(reason.message).toBe(thrown.message)
          }
        },
        { onLost: (error) => lost.push(error) },
      )
    })

    it('tells of a learner that cannot be made', async () => {
      const fails = async (): Promise<LearnerPort> => {
        throw new InputError('setting "learner.batch"', 'is 1 for 2 tasks', 'Give each task a sample')
      }
      const { link, ready, close } = await open(fails)
      await expect(ready).rejects.toBeInstanceOf(InputError)
      await expect(link.control.learn('warm-up', 1)).rejects.toThrow('is 1 for 2 tasks')
      await close()
    })

    it('lets go of a learner in the middle of what it does', () =>
      withLearner(open, async (link, learner) => {
        link.control.learn('warm-up', 1e9).catch(() => {})
        await soon()
        await link.close()
        await soon()
        expect(learner.released).toBe(true)
        expect(learner.updates).toBeLessThan(1e9)
      }))

    it('lets go of a learner that is lost', () =>
      withLearner(open, async (link, learner) => {
        learner.during = () => {
          throw new Error('gone')
        }
        await expect(link.control.learn('warm-up', 1)).rejects.toThrow('gone')
        await link.close()
      }))
  })
