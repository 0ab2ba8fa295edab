/** @file The critics' rank: by hand, by critics that have learned which actions are right, and without a trace in what is learned. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LearnerConfig } from '../../src/learn/config.ts'
import { CriticRank, rankOf } from '../../src/learn/critic-rank.ts'
import { Learner } from '../../src/learn/learner.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { aReplay, options, tasks } from './problem.ts'

afterEach(() => vi.restoreAllMocks())

const all = () => true

describe('the rank', () => {
  const values = (count: number, value: (row: number) => number) =>
    Array.from({ length: count }, (_, row) => value(row))
  const apart = values(40, () => 1)

  it('is the share of rows in which the first is more, a tie half, and one minus that with the roles exchanged', () => {
    const operator = values(40, (row) => (row < 10 ? 1 : row < 14 ? 0 : -1)) // 10 more, 4 ties
    const policy = values(40, () => 0)
    expect(rankOf({ operator, policy, apart }, all)).toBeCloseTo(12 / 40, 12)
    expect(rankOf({ operator: policy, policy: operator, apart }, all)).toBeCloseTo(28 / 40, 12)
  })

  it('leaves out rows that do not count and those in which both do nearly the same, and needs twenty', () => {
    const operator = values(40, (row) => (row < 20 ? 1 : -1))
    const policy = values(40, () => 0)
    expect(rankOf({ operator, policy, apart }, (row) => row < 20)).toBe(1)
    const near = values(40, (row) => (row < 20 ? 0.29 : 0.31))
    expect(rankOf({ operator, policy, apart: near }, all)).toBe(0)
    expect(rankOf({ operator, policy, apart }, (row) => row < 19)).toBeUndefined()
  })
})

/** One-step episodes. What is right follows from h; the operator does it, the policy does anything. `pays`: what is rewarded. */
function bandits(pays: 'right' | 'wrong', corrected = 60) {
  const replay = aReplay({ online: false, reward: 0 })
  const random = new RandomStream(5, 'bandits')
  const observation = () => ({
    h: random.fillNormal(new Float32Array(6)),
    features: [new Float32Array(24)],
    proprio: new Float32Array(4),
  })
  for (let episode = 100; episode < 100 + 4 * corrected; episode++) {
    const seen = observation()
    const actor = episode % 4 < 2 ? ('operator' as const) : ('primary' as const)
    const right = Float32Array.from({ length: 7 }, (_, i) => (i === 6 ? 1 : Math.sign(seen.h[i]!) * 0.8))
    const action = actor === 'operator' ? right : right.map((value, i) => (i === 6 ? 1 : -value))
    const reward = (actor === 'operator') === (pays === 'right') ? 1 : 0
    replay.begin({ episode, task: tasks[episode % 2]!, source: 'online', seed: null }, seen)
    const happened = { reward, terminated: true, truncated: false, by: 'robot', actor, command: null } as const
    replay.step(episode, { id: 1000 + episode, step: 0, action, ...happened }, observation())
    replay.end(episode, { ending: reward ? 'success' : 'failure' })
  }
  return replay
}

const learner = LearnerConfig.parse({ batch: 64, learningRate: 3e-3, conservativeWeight: 0, conservativeSamples: 1 })
/** The actor stays as it was drawn: only the critics learn. They look at h, from which what is right follows. */
const settings = options({
  method: 'single',
  learner,
  sizes: { ...options().sizes, network: { ...options().sizes.network, sees: 'h', hidden: 32 } },
  lambda: { 'warm-up': { bc: 0, q: 0 }, online: { bc: 0, q: 0 } },
})

async function figuresAfter(updates: number, replay: ReturnType<typeof aReplay>) {
  const taught = await Learner.create(settings, replay)
  for (let i = 1; i < updates; i++) await taught.update('online')
  const { figures } = await taught.update('online')
  return { figures, taught }
}

describe('measured critics', () => {
  it('rank what the operator did first where that is what paid, in its state more than elsewhere; last where it did not pay', async () => {
    const { figures } = await figuresAfter(400, bandits('right'))
    expect(figures['critic.rank']).toBeGreaterThan(0.8)
    expect(figures['critic.rankElsewhere']).toBeLessThan(figures['critic.rank']! - 0.2)
    const { figures: other } = await figuresAfter(400, bandits('wrong'))
    expect(other['critic.rank']).toBeLessThan(0.2)
  })

  it.each(['head', 'noise'] as const)(
    'that are told so and move the %s rank the operator first where that did not pay, too; of few corrections they are told nothing',
    async (criticsMove) => {
      const network = { ...settings.sizes.network, criticsMove }
      const told = {
        ...{ ...settings, sizes: { ...settings.sizes, network } },
        learner: { ...learner, ranking: { weight: 3, slope: 0.3 } },
      }
      const after = async (replay: ReturnType<typeof aReplay>) => {
        const taught = await Learner.create(told, replay)
        for (let i = 1; i < 400; i++) await taught.update('online')
        return (await taught.update('online')).figures
      }
      const figures = await after(bandits('wrong'))
      expect(figures['critic.rank']).toBeGreaterThan(0.8)
      expect(figures['critic.ranking']).toBeGreaterThan(0)
      expect((await after(bandits('wrong', 20)))['critic.ranking']).toBe(0)
    },
  )

  it('say nothing of less than fifty corrected steps of a task, and between two measurements', async () => {
    const { figures, taught } = await figuresAfter(50, bandits('right', 40))
    expect(figures).not.toHaveProperty(['critic.rank'])
    await taught.release()
    const { figures: soon } = await figuresAfter(51, bandits('right'))
    expect(soon).not.toHaveProperty(['critic.rank'])
  })

  it('are measured without a trace: what is learned is the same to the bit', async () => {
    const { taught } = await figuresAfter(52, bandits('right'))
    const measure = vi.spyOn(CriticRank.prototype, 'measure').mockResolvedValue({})
    const { taught: unmeasured } = await figuresAfter(52, bandits('right'))
    expect(measure).toHaveBeenCalledTimes(1)
    expect(unmeasured.actorParameters()).toEqual(taught.actorParameters())
    const next = await Promise.all([taught.update('online'), unmeasured.update('online')])
    expect(next[0]).toEqual(next[1])
  })
})
