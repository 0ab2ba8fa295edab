/** @file What is asked of critics: whether they rank what an operator did, and whether their advice helps whom it is given. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkConfig } from '../../src/learn/config.ts'
import { CriticJudge } from '../../src/learn/judge.ts'
import { Learner } from '../../src/learn/learner.ts'
import { Policy } from '../../src/learn/policy.ts'
import { trialDraws } from '../../src/loop/evaluate.ts'
import type { TrialOutcome } from '../../src/metrics/metrics.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { type LoggedEpisode, readEpisodes } from '../../src/replay/log-reader.ts'
import type { Action } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import type { Trained } from '../../src/run/trained.ts'
import {
  type AdviceTrials,
  adviceTable,
  advises,
  followAdvice,
  gainOf,
  headsAlone,
} from '../../src/studies/critic-advice.ts'
import { experiment } from '../../src/studies/critic-calibration.ts'
import { rankingTable, rankLater, takeoversOf } from '../../src/studies/critic-ranking.ts'
import type { Workbench } from '../../src/studies/experiment.ts'
import { COMPARED } from '../../src/studies/methods.ts'
import { aReplay, commands, options, sizes as plainSizes, tasks } from '../learn/problem.ts'
import { filled, planning, ScriptedRobot } from '../loop/scripted.ts'
import { aRobot, episodeOf, observationOf, record } from '../replay/scenes.ts'

type Actor = LoggedEpisode['steps'][number]['actor']

const root = mkdtempSync(join(tmpdir(), 'duet-critics-'))
afterAll(() => rmSync(root, { recursive: true }))

const checkpoint = join(root, 'checkpoint')
const sizes = {
  ...plainSizes,
  network: NetworkConfig.parse({ ...plainSizes.network, criticsMove: 'noise', pastHeads: 1 }),
}
let learner: Learner
beforeAll(async () => {
  learner = await Learner.create(options({ sizes }), aReplay())
  mkdirSync(checkpoint)
  await learner.save(checkpoint)
})

const seen = {
  h: Float32Array.of(1, -1, 0.5, 0, 2, -0.3),
  features: [Float32Array.from({ length: 24 }, (_, i) => Math.sin(i))],
  proprio: Float32Array.of(0.1, 0.2, -0.4, 1),
}

describe('heads alone', () => {
  it('answer the noise as it was drawn, where the policy of the checkpoint answers what its noise actor made of it', async () => {
    const xi = Float32Array.from({ length: 7 }, (_, i) => Math.cos(i))
    const values = learner.actorParameters()
    const alone = await headsAlone(checkpoint, sizes, commands)
    // the method in which critics move the head has no noise actor, and the same heads
    const plain = await Policy.create({ ...sizes, network: { ...sizes.network, criticsMove: 'head' } }, commands)
    plain.setParameters(values)
    const whole = await Policy.create(sizes, commands)
    whole.setParameters(values)
    expect(await alone.primary(seen, xi)).toEqual(await plain.primary(seen, xi))
    expect(await alone.primary(seen, xi)).not.toEqual(await whole.primary(seen, xi))
  })

  it('are of use where critics move the noise', () => {
    const run = (criticsMove: 'head' | 'noise') =>
      ({ config: { networks: { criticsMove } } }) as Pick<Trained, 'config'>
    expect([advises(run('noise')), advises(run('head'))]).toEqual([true, false])
  })
})

/** Succeeds at the first step that goes as the policy of the checkpoint does, which is told to go so. */
class Telling extends ScriptedRobot {
  readonly first: Action[] = []

  override async step(action: Action) {
    if (this.executed.length === 0) this.first.push(action.slice())
    const outcome = await super.step(action)
    const asAdvised = Math.abs(action[0]! - 0.1) < 1e-6
    return { ...outcome, reward: Number(asAdvised), terminated: asAdvised }
  }
}

it('advice is followed and ignored on the same starts, by the policy and by its heads, each as itself', async () => {
  const robot = new Telling()
  const config = { ...resolveConfig('quick'), tasks: ['push'], seed: 3 }
  const trained = {
    ...{ config, checkpoint, sizes },
    session: { robot: new SafeRobot(robot), commands },
    perception: { see: async () => ({ ...seen, raw: seen.h }) },
    policy: planning(filled(0.1)),
  } as unknown as Trained
  const { seed, tasks: found } = await followAdvice(trained, { trials: 2, firstSeed: 70 })
  expect(seed).toBe(3)
  expect(Object.keys(found)).toEqual(['push'])
  const told = (outcomes: readonly TrialOutcome[]) => outcomes.map((one) => [one.seed, one.success])
  expect(told(found.push!.followed)).toEqual([
    [70, true],
    [71, true],
  ])
  expect(told(found.push!.ignored)).toEqual([
    [70, false],
    [71, false],
  ])
  expect(robot.seeds).toEqual([70, 70, 71, 71])
  const alone = await headsAlone(checkpoint, sizes, commands)
  const drawn = trialDraws(config, robot.spec)({ task: 'push', seed: 70 }).noise()
  const [x] = await alone.primary(seen, drawn)
  expect(robot.first[1]![0]).toBeCloseTo(Math.max(-1, Math.min(1, x!)), 5)
})

describe('critic-calibration', () => {
  it('asks the dual actors of the tables, which keep what they were on the way', async () => {
    const asked: unknown[] = []
    const bench = {
      options: { seeds: [4], trials: 3 },
      train: async (...what: unknown[]) => {
        asked.push(what)
        throw new Error('far enough')
      },
    }
    await expect(experiment.run(bench as unknown as Workbench)).rejects.toThrow('far enough')
    expect(experiment.runsOf).toBe('regimes')
    const kept = { keepCheckpoints: 1000, checkpointEveryRobotMinutes: 2.5 }
    expect(asked).toEqual([['standard-dual', expect.objectContaining({ method: 'dual', ...kept }), 4]])
    for (const other of COMPARED.filter(({ name }) => name !== 'dual'))
      expect(other.settings).not.toHaveProperty('keepCheckpoints')
  })
})

/** A letter a trial: its length is 10 times its place in the alphabet; a capital failed. */
const trials = (letters: string): TrialOutcome[] =>
  [...letters].map((letter, k) => ({
    seed: k,
    success: letter === letter.toLowerCase(),
    length: 10 * (letter.toLowerCase().charCodeAt(0) - 96),
  }))

describe('advice', () => {
  const advice: AdviceTrials[] = [
    { seed: 0, tasks: { push: { followed: trials('aab'), ignored: trials('Aac') } } },
    { seed: 1, tasks: { push: { followed: trials('bAa'), ignored: trials('bab') } } },
  ]

  it('gains what it wins less what it loses, and steps where both succeed', () => {
    const { success, steps } = gainOf(advice, ['push'])
    expect(success).toMatchObject({ value: 0, bySeed: [1 / 3, -1 / 3] })
    expect(steps.bySeed).toEqual([-5, -5]) // a after a, b after c; b after b, a after b
    const [row, all] = adviceTable(advice).rows
    expect(row!.slice(0, 3)).toEqual(['push', '5 of 6', '5 of 6'])
    expect(row![4]).toMatch(/^−5\.0 \(/)
    expect(all![0]).toBe('all')
  })

  it('that changes no outcome is not shown to be worth nothing', () => {
    const both = trials('aaaa')
    const same = [0, 1].map((seed) => ({ seed, tasks: { push: { followed: both, ignored: both } } }))
    // 8 pairs, all of them both: Newcombe's ends are Wilson's, 1 - 8 / 11.8415 either way
    expect(adviceTable(same).rows[0]![3]).toBe('0.0 (−32.4 to +32.4)')
  })
})

describe('ranking', () => {
  const log = join(root, 'log')
  const actors: Actor[][] = [
    ['primary', 'operator', 'operator'],
    ['primary', 'primary', 'primary', 'operator', 'primary', 'operator'],
    ['operator', 'operator'],
  ]
  beforeAll(() => {
    const written = EpisodeLog.open(log, aRobot())
    for (const [number, row] of actors.entries()) {
      const { start, steps, ...rest } = episodeOf(number, row.length)
      const acted = steps.map((step, t) => ({ ...step, actor: row[t]! }))
      record(written, { start: { ...start, task: tasks[0]! }, steps: acted, ...rest })
    }
    written.close()
  })

  const timeOf = (t: number) => observationOf(1, t).time // in the second episode

  it('knows a takeover by who acted before', () => {
    const steps = (row: Actor[]) => ({ steps: row.map((actor) => ({ actor })) }) as Parameters<typeof takeoversOf>[0]
    expect(actors.map((row) => takeoversOf(steps(row)))).toEqual([[1], [3, 5], []])
  })

  it('asks the critics of a checkpoint about takeovers that came later, and about one state before each', async () => {
    const asked: number[] = []
    const own = Float32Array.of(0.1, -0.2, 0.3, 0, 0, 0, 0.5)
    const trained = {
      config: { method: 'dual', tasks, learner: options().learner, seed: 3 },
      folder: { log },
      checkpoint,
      sizes,
      perception: {
        see: async ({ time }: { time: number }) => {
          asked.push(time)
          return { ...seen, raw: seen.h, proprio: seen.proprio.map((x) => x + time) }
        },
      },
      policy: { primary: async () => own.slice() },
    } as unknown as Trained
    const { seed, tasks: found } = await rankLater(trained, 3) // the first episode has three steps
    expect(seed).toBe(3)
    expect(asked).toEqual([3, 1, 5, 2].map((t) => timeOf(t)))
    const nothing = { pairs: 0, above: 0 }
    expect(found[tasks[1]!]).toEqual({
      ...{ takeovers: nothing, sameSize: nothing, elsewhere: nothing, larger: nothing, control: nothing },
    })

    const judge = await CriticJudge.load(checkpoint, { method: 'dual', sizes, tasks, learner: options().learner })
    const q = async (time: number, action: Float32Array) =>
      (await judge.q([{ seen: { ...seen, proprio: seen.proprio.map((x) => x + time) }, action, task: tasks[0]! }]))[0]!
    const logged = [...readEpisodes(log)][1]!.steps
    const length = (action: Float32Array) => Math.hypot(...action.slice(0, 6))
    const above = async (at: number, state = at, times = 1) => {
      const { action } = logged[at]!
      const motion = own.slice(0, 6).map((entry) => Math.max(-1, Math.min(1, times * entry)))
      return Number((await q(timeOf(state), action)) > (await q(timeOf(state), Float32Array.of(...motion, action[6]!))))
    }
    const as = (at: number) => length(logged[at]!.action) / length(own)
    expect(found[tasks[0]!]).toEqual({
      takeovers: { pairs: 2, above: (await above(3)) + (await above(5)) },
      sameSize: { pairs: 2, above: (await above(3, 3, as(3))) + (await above(5, 5, as(5))) },
      elsewhere: { pairs: 2, above: (await above(3, 5)) + (await above(5, 3)) },
      larger: { pairs: 2, above: Number(as(3) > 1) + Number(as(5) > 1) },
      control: { pairs: 2, above: (await above(1)) + (await above(2)) },
    })
    const { above: so, pairs } = found[tasks[0]!]!.takeovers
    expect(rankingTable([{ seed, tasks: found }]).rows[0]!.slice(1, 3)).toEqual(['2', String((100 * so) / pairs)]) // one seed
    expect(rankingTable([{ seed, tasks: found }]).rows[1]).toEqual([tasks[1], '0', '-', '-', '-', '-', '0', '-'])
  })
})

it('shares of ranked pairs are those of the pairs that stand beside them, within what a share can be', () => {
  const of = (seed: number, above: number, pairs: number) => {
    const [own, nothing] = [
      { pairs, above },
      { pairs: 0, above: 0 },
    ]
    const kinds = { takeovers: own, sameSize: own, elsewhere: nothing, larger: own, control: own }
    return { seed, tasks: { push: kinds, pull: { ...kinds, takeovers: nothing } } }
  }
  const { rows } = rankingTable([of(0, 19, 38), of(1, 31, 52), of(2, 20, 23)])
  // 70 of 113. They scatter as 54.55 pairs of their own would: Wilson's formula of 1927 with t of two degrees of freedom
  expect(rows[0]!.slice(0, 3)).toEqual(['push', '113', '61.9 (34 to 84)'])
  expect(rows[1]!.slice(0, 3)).toEqual(['pull', '0', '-'])
  const [extreme] = rankingTable([of(0, 1, 1), of(1, 4, 7), of(2, 2, 2)]).rows // by Student's t of the seeds 24 to 147
  expect(extreme![2]).toMatch(/^70 \(\d+ to \d+\)$/)
  const high = Number(extreme![2]!.match(/to (\d+)/)![1])
  expect(high).toBeLessThanOrEqual(100)
})
