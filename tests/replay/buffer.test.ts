import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RandomStream } from '../../src/random/stream.ts'
import type { Cloned } from '../../src/replay/buffer.ts'
import type { TalkRows } from '../../src/replay/index.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import {
  actionOf,
  aReplay,
  checkRows,
  copyAt,
  encoded,
  feed,
  frameAt,
  frameOf,
  type Plan,
  rows,
  startOf,
  stepOf,
} from './numbered.ts'

const stream = (seed = 1) => new RandomStream(seed, 'sampling')
const talkRows = (count: number): TalkRows => ({
  ...{ h: new Float32Array(3 * count), features: new Float32Array(48 * count), proprio: new Float32Array(2 * count) },
  ...{ action: new Float32Array(7 * count), command: new Float32Array(32 * count), task: new Int32Array(count) },
})

describe('sampling', () => {
  it('draws half from demonstrations and interventions, half from rollouts, and marks what is cloned', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 30, source: 'demonstration' })
    feed(replay, { episode: 2, steps: 30, operator: (t) => t >= 10 && t < 15 })
    const out = rows(400)
    expect(replay.sampleTransitions({ task: 'place', count: 400 }, stream(), out)).toBe(200)
    const frames = checkRows(out, 0, 400)
    frames.forEach((frame, row) => {
      const cloned = frame < 2000 || (frame >= 2010 && frame < 2015)
      expect(out.bcMask[row]).toBe(cloned ? 1 : 0)
      expect(cloned).toBe(row < 200)
    })
    // 35 cloned transitions, all equally likely: 5/35 of 200 are 28.6 interventions, standard deviation 4.9
    const interventions = frames.slice(0, 200).filter((frame) => frame >= 2000).length
    expect(interventions).toBeGreaterThan(28.6 - 4 * 4.9)
    expect(interventions).toBeLessThan(28.6 + 4 * 4.9)
  })

  describe('of episodes with and without a reward', () => {
    const operator = (t: number) => t >= 2 && t < 7
    const judged = (clones: Cloned) => {
      const replay = aReplay({ clones })
      feed(replay, { episode: 0, steps: 10, source: 'demonstration' })
      feed(replay, { episode: 1, steps: 10, operator, last: { reward: 1, terminated: true, truncated: false } })
      feed(replay, { episode: 2, steps: 10, operator })
      const verdict = { reward: 1, terminated: true } // a person's, after the last step
      feed(replay, { episode: 3, steps: 10, operator, end: { ending: 'success', verdict } })
      const { labels, ...counts } = replay.stats().tasks.place!
      expect(Object.values(labels).reduce((sum, count) => sum + count)).toBe(15) // words teach whatever came of them
      const rowsBy = (demonstrationShare: number) => {
        const out = rows(900)
        replay.sampleTransitions({ task: 'place', count: 900, demonstrationShare }, stream(), out)
        return checkRows(out, 0, 900).map((frame, row) => ({ frame, cloned: out.bcMask[row] === 1 }))
      }
      const episodeOf = (frame: number) => Math.floor(frame / 1000)
      return { counts, rowsBy, episodeOf }
    }

    it('clones the interventions of those with one alone, where that is asked for; the others are rollouts', () => {
      const { counts, rowsBy, episodeOf } = judged('successful interventions')
      expect(counts).toEqual({ demonstrations: 10, interventions: 10, rollouts: 20, successes: 0 })
      for (const { frame, cloned } of rowsBy(0.5))
        expect(cloned).toBe(episodeOf(frame) === 0 || (operator(frame % 1000) && episodeOf(frame) !== 2))
    })

    it('clones all steps of those with one, where that is asked for, but in mixed batches its own are rollouts', () => {
      const { counts, rowsBy, episodeOf } = judged('successes')
      expect(counts).toEqual({ demonstrations: 10, interventions: 10, rollouts: 20, successes: 10 })
      for (const { frame, cloned } of rowsBy(0.5))
        expect(cloned).toBe(episodeOf(frame) === 0 || (operator(frame % 1000) && episodeOf(frame) !== 2))
      const alone = rowsBy(1)
      expect(alone.every(({ cloned }) => cloned)).toBe(true)
      const share = (episode: number) => alone.filter(({ frame }) => episodeOf(frame) === episode).length / 900
      expect(share(2)).toBe(0)
      for (const episode of [0, 1, 3]) expect(Math.abs(share(episode) - 1 / 3)).toBeLessThan(4 * 0.016) // binomial
    })
  })

  it('clones of its successes neither what was tried in vain nor the standing still before, which all stay rollouts', () => {
    const replay = aReplay({ clones: 'successes', idle: 2 })
    const exploration = (t: number) => t === 3 || t === 7
    const last = { reward: 1, terminated: true, truncated: false }
    feed(replay, { episode: 0, steps: 4, source: 'demonstration' })
    feed(replay, { episode: 1, steps: 10, exploration, last })
    feed(replay, { episode: 2, steps: 10, exploration })
    expect(replay.counts().place).toMatchObject({ rollouts: 20, successes: 5 })
    const out = rows(600)
    replay.sampleTransitions({ task: 'place', count: 600, demonstrationShare: 1 }, stream(), out)
    const own = checkRows(out, 0, 600).filter((frame) => frame >= 1000)
    expect([...new Set(own)].sort((a, b) => a - b)).toEqual([1000, 1004, 1007, 1008, 1009])
  })

  it('gives interventions the share of the cloned rows that is asked for, however few they are', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 30, source: 'demonstration' })
    feed(replay, { episode: 2, steps: 30, operator: (t) => t >= 10 && t < 15 })
    const out = rows(400)
    const corrected = (interventionShare: number) => {
      replay.sampleTransitions({ task: 'place', count: 400, demonstrationShare: 1, interventionShare }, stream(), out)
      return checkRows(out, 0, 400).filter((frame) => frame >= 2010 && frame < 2015).length
    }
    expect(corrected(0)).toBe(0)
    expect(corrected(1)).toBe(400)
    expect(Math.abs(corrected(0.5) - 200)).toBeLessThan(4 * 10) // binomial, standard deviation 10
  })

  it('draws every transition of a partition equally often', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 10 })
    const out = rows(20_000)
    replay.sampleTransitions({ task: 'place', count: 20_000 }, stream(), out)
    const counts = new Array<number>(10).fill(0)
    for (let row = 0; row < 20_000; row++) counts[out.h[3 * row]! - 1000]!++
    const chiSquared = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)
    expect(chiSquared).toBeLessThan(27.9) // 9 degrees of freedom, p = 0.001
  })

  it('fills up from the side that has something', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 5 })
    const out = rows(8)
    expect(replay.sampleTransitions({ task: 'place', count: 8 }, stream(), out)).toBe(0)
    feed(replay, { episode: 2, steps: 5, task: 'pick', source: 'demonstration' })
    expect(replay.sampleTransitions({ task: 'pick', count: 8, demonstrationShare: 0 }, stream(), out)).toBe(8)
  })

  it('says what is missing', () => {
    const replay = aReplay()
    const out = rows(4)
    expect(() => replay.sampleTransitions({ task: 'pick', count: 4 }, stream(), out)).toThrow('holds no transition yet')
    expect(() => replay.sampleTransitions({ task: 'fly', count: 4 }, stream(), out)).toThrow('Use one of place, pick')
    expect(() => replay.sampleTransitions({ task: 'pick', count: 5 }, stream(), out)).toThrow(
      'sample.h is [12], expected [15]',
    )
    expect(() => replay.sampleTalk(1, stream(), talkRows(1))).toThrow('ask talkCount first')
  })

  it('writes the rows of one task into an array of all tasks, and no other', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 5 })
    feed(replay, { episode: 2, steps: 5, task: 'pick' })
    const out = rows(12)
    for (const column of Object.values(out)) column.fill(-7)
    replay.sampleTransitions({ task: 'pick', count: 4, offset: 4 }, stream(), out)
    for (const column of Object.values(out)) {
      const width = column.length / 12
      expect([...column.subarray(0, 4 * width), ...column.subarray(8 * width)].every((v) => v === -7)).toBe(true)
    }
    expect(checkRows(out, 4, 8).every((frame) => frame >= 2000)).toBe(true)
  })

  it('draws augmented copies of both observations, each by itself', () => {
    const replay = aReplay({ copies: 2 })
    feed(replay, { episode: 1, steps: 5 })
    const out = rows(300)
    replay.sampleTransitions({ task: 'place', count: 300 }, stream(), out)
    const pairs = checkRows(out, 0, 300, 2).map(
      (frame, row) => `${copyAt(out.features, row, frame, 2)}${copyAt(out.nextFeatures, row, frame + 1, 2)}`,
    )
    expect(new Set(pairs).size).toBe(9)
  })

  it('is the same for the same seed', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 50 })
    const [a, b, c] = [11, 11, 12].map((seed) => {
      const out = rows(32)
      replay.sampleTransitions({ task: 'place', count: 32 }, stream(seed), out)
      return out
    })
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })
})

describe('episodes', () => {
  it('enter when they end: nothing is sampled from an open one', () => {
    const replay = aReplay()
    const plan: Plan = { episode: 1, steps: 3, operator: () => true }
    replay.begin(startOf(plan), encoded(1000))
    replay.step(1, stepOf(plan, 0), encoded(1001))
    expect(replay.stats().transitions).toBe(0)
    replay.end(1, { ending: 'interrupted' })
    expect(replay.stats().tasks.place).toMatchObject({ interventions: 1, rollouts: 0 })
  })

  it('may run side by side, one a robot', () => {
    const replay = aReplay()
    const plans: Plan[] = [1, 2, 3].map((episode) => ({ episode, steps: 20 }))
    for (const plan of plans) replay.begin(startOf(plan), encoded(frameOf(plan.episode, 0)))
    for (let t = 0; t < 20; t++) {
      for (const plan of plans) replay.step(plan.episode, stepOf(plan, t), encoded(frameOf(plan.episode, t + 1)))
    }
    for (const { episode } of plans) replay.end(episode, { ending: 'timeout' })
    const out = rows(512)
    replay.sampleTransitions({ task: 'place', count: 512 }, stream(), out)
    expect(new Set(checkRows(out, 0, 512)).size).toBe(60)
  })

  it('ignore repeats and refuse gaps, late steps and numbers that are not finite', () => {
    const replay = aReplay()
    const plan: Plan = { episode: 1, steps: 2, last: { terminated: true } }
    expect(() => replay.step(1, stepOf(plan, 0), encoded(1001))).toThrow('was not begun')
    expect(replay.begin(startOf(plan), encoded(1000))).toBe(true)
    expect(replay.begin(startOf(plan), encoded(9999))).toBe(false)
    expect(() => replay.step(1, stepOf(plan, 1), encoded(1002))).toThrow('arrived where step 0 was due')
    const broken = encoded(1001)
    broken.features[1]![5] = Number.NaN
    expect(() => replay.step(1, stepOf(plan, 0), broken)).toThrow('features 1[5]: is NaN')
    expect(replay.step(1, stepOf(plan, 0), encoded(1001))).toBe(true)
    expect(replay.step(1, stepOf(plan, 0), encoded(8888))).toBe(false)
    expect(replay.step(1, stepOf(plan, 1), encoded(1002))).toBe(true)
    expect(() => replay.step(1, stepOf(plan, 2), encoded(1003))).toThrow('after the episode was over')
    replay.end(1, { ending: 'success' })
    replay.end(1, { ending: 'success' })
    expect(replay.begin(startOf(plan), encoded(1000))).toBe(false)
    expect(replay.stats().transitions).toBe(2)
    const out = rows(64)
    replay.sampleTransitions({ task: 'place', count: 64 }, stream(), out)
    expect(new Set(checkRows(out, 0, 64))).toEqual(new Set([1000, 1001]))
  })

  it('take a verdict that comes after the last step, and know their returns: 0.9^2, 0.9, 1', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 3, end: { ending: 'success', verdict: { reward: 1, terminated: true } } })
    const out = rows(64)
    replay.sampleTransitions({ task: 'place', count: 64 }, stream(), out)
    checkRows(out, 0, 64).forEach((frame, row) => {
      expect(out.mcReturn[row]).toBeCloseTo([0.81, 0.9, 1][frame - 1000]!, 6)
      expect(out.reward[row]).toBe(frame === 1002 ? 1 : 0)
      expect(out.terminated[row]).toBe(frame === 1002 ? 1 : 0)
    })
  })

  it('leave whole, oldest first, and demonstrations not for the sake of rollouts', () => {
    const replay = aReplay({ onlineCapacity: 33 })
    feed(replay, { episode: 1, steps: 20, source: 'demonstration' })
    for (let episode = 2; episode <= 6; episode++) feed(replay, { episode, steps: 10, operator: (t) => t < 2 })
    expect(replay.stats()).toMatchObject({
      episodes: 4,
      tasks: { place: { demonstrations: 20, interventions: 6, rollouts: 24 } },
    })
    expect(() => feed(replay, { episode: 7, steps: 33 })).toThrow('Raise the capacity above the longest episode')
  })

  it('give true samples through any mix of tasks, sources, interventions, lengths and wrap-around', () => {
    const plan = fc.record({
      steps: fc.integer({ min: 0, max: 24 }),
      task: fc.constantFrom('place', 'pick'),
      source: fc.constantFrom('demonstration' as const, 'online' as const),
      human: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
    })
    fc.assert(
      fc.property(fc.array(plan, { maxLength: 30 }), fc.integer({ min: 25, max: 90 }), (plans, capacity) => {
        const replay = aReplay({ onlineCapacity: capacity, demonstrationCapacity: capacity })
        const model = { demonstration: [] as Plan[], online: [] as Plan[] }
        plans.forEach(({ steps, task, source, human }, i) => {
          const one: Plan = { episode: i + 1, steps, task, source, operator: (t) => human[t]! }
          feed(replay, one)
          if (steps === 0) return
          const held = model[source]
          held.push(one)
          while (held.reduce((sum, p) => sum + p.steps + 1, 0) > capacity) held.shift()
        })
        for (const task of ['place', 'pick']) {
          const frames = (source: 'demonstration' | 'online', keep: (p: Plan, t: number) => boolean) =>
            model[source]
              .filter((p) => p.task === task)
              .flatMap((p) =>
                Array.from({ length: p.steps }, (_, t) => t).flatMap((t) =>
                  keep(p, t) ? [frameOf(p.episode, t)] : [],
                ),
              )
          const cloned = [...frames('demonstration', () => true), ...frames('online', (p, t) => p.operator!(t))]
          const rollouts = frames('online', (p, t) => !p.operator!(t))
          const counts = replay.stats().tasks[task]!
          expect(counts.demonstrations + counts.interventions).toBe(cloned.length)
          expect(counts.rollouts).toBe(rollouts.length)
          if (cloned.length + rollouts.length === 0) continue
          const out = rows(48)
          const fromCloned = replay.sampleTransitions({ task, count: 48 }, stream(capacity), out)
          checkRows(out, 0, 48).forEach((frame, row) => {
            expect(row < fromCloned ? cloned : rollouts).toContain(frame)
          })
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the talk-and-tweak dataset', () => {
  it('holds each intervened step with its action, its task and its label, cut at the end of the intervention', () => {
    const replay = aReplay()
    feed(replay, { episode: 1, steps: 20, source: 'demonstration', operator: () => true })
    feed(replay, { episode: 2, steps: 20, operator: (t) => t >= 5 && t < 8 })
    feed(replay, { episode: 3, steps: 20, task: 'pick', operator: (t) => t === 19 })
    // x is -0.5 at even frames and +0.5 at odd ones: sums over 5, 6, 7 (+ - +), over 6, 7 (cancel), over 7 (+), over 19 (+)
    const wanted = new Map([
      [2005, 'move forward'],
      [2006, '[null]'],
      [2007, 'move forward'],
      [3019, 'move forward'],
    ])
    expect(replay.talkCount).toBe(4)
    expect(replay.stats().tasks.place!.labels).toEqual({ 'move forward': 2, '[null]': 1 })
    const out = talkRows(200)
    replay.sampleTalk(200, stream(), out)
    const seen = new Set<number>()
    for (let row = 0; row < 200; row++) {
      const frame = frameAt(out.h, out.features!, out.proprio, row)
      seen.add(frame)
      const command = builtInCommandEncoder().embed(wanted.get(frame)!)
      expect([...out.command.subarray(32 * row, 32 * row + 32)]).toEqual([...command])
      expect([...out.action.subarray(7 * row, 7 * row + 7)]).toEqual([...actionOf(frame)])
      expect(out.task[row]).toBe(frame >= 3000 ? 1 : 0)
    }
    expect(seen).toEqual(new Set(wanted.keys()))
  })

  it('takes in, besides, the steps in which the refinement actor went where it was told; these stay rollouts', () => {
    const replay = aReplay() // at odd frames the action goes 25 mm forward, at even ones backward
    const start = { episode: 4, task: 'place', source: 'online' as const, seed: 4 }
    const told = { 1: 'move forward', 4: 'move forward', 7: 'move forward', 9: 'move up' } as Record<number, string>
    replay.begin(start, encoded(frameOf(4, 0)))
    for (let t = 0; t < 12; t++) {
      const command = told[t] ?? null
      const actor = t === 7 ? 'primary' : command ? 'refinement' : 'primary' // at 7 nobody heard
      replay.step(4, { ...stepOf({ episode: 4, steps: 12 }, t), actor, command }, encoded(frameOf(4, t + 1)))
    }
    replay.end(4, { ending: 'timeout' })
    const { labels, rollouts, interventions } = replay.stats().tasks.place!
    expect(labels).toEqual({ 'move forward': 1 })
    expect({ rollouts, interventions }).toEqual({ rollouts: 12, interventions: 0 })
    const out = talkRows(5)
    replay.sampleTalk(5, stream(), out)
    for (let row = 0; row < 5; row++) expect(frameAt(out.h, out.features!, out.proprio, row)).toBe(4001)
  })

  it('forgets the entries of episodes that have left', () => {
    const replay = aReplay({ onlineCapacity: 22 })
    for (const episode of [1, 2, 3]) feed(replay, { episode, steps: 10, operator: (t) => t < episode })
    expect(replay.talkCount).toBe(2 + 3)
  })
})
