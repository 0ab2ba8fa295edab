import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  type EvaluationOptions,
  evaluate,
  evaluationNoise,
  score,
  type TrialStart,
  trialDraws,
} from '../../src/loop/evaluate.ts'
import { Course, Stopped } from '../../src/loop/failure.ts'
import type { EpisodeSummary } from '../../src/loop/happening.ts'
import { NO_COPIES } from '../../src/loop/perception.ts'
import type { Observation, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { presets } from '../../src/run/presets.ts'
import { resolveConfig } from '../../src/run/resolve.ts'
import { attendant, filled, noNoise, perceptionOf, planning, ScriptedRobot, scriptedSpec } from './scripted.ts'

const draws = () => ({ noise: noNoise })

/** Its trials take two steps, a few milliseconds each. */
class Slow implements Robot {
  resets = 0
  readonly spec = scriptedSpec({
    rate: 1000,
    tasks: { push: { instruction: 'push', maxSteps: 2 }, pull: { instruction: 'pull', maxSteps: 2 } },
  })
  private time = 0

  async reset() {
    this.resets++
    return this.observe()
  }
  async observe(): Promise<Observation> {
    return { images: {}, proprio: Float32Array.of(0), time: this.time++ / 1000 }
  }
  async step(): Promise<Outcome> {
    await sleep(3)
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {}
}

describe('the noise of an evaluation', () => {
  const drawn = (noise: number, seed = 0) => {
    const draw = evaluationNoise(resolveConfig('quick', undefined, [{ seed, evaluation: { noise } }]))
    return Array.from({ length: 2000 }, () => [...draw()]).flat()
  }
  const spread = (values: readonly number[]) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)

  it('is drawn anew for each action, as wide as asked for', () => {
    expect(spread(drawn(1))).toBeCloseTo(1, 1)
    expect(spread(drawn(0.5))).toBeCloseTo(0.5, 1)
    expect(new Set(drawn(0.5)).size).toBeGreaterThan(13_000) // of 14,000
  })

  it('is none where none is asked for: the policy then acts by its mean', () => {
    expect(spread(drawn(0))).toBe(0)
  })

  it('is the same in two evaluations of one run', () => {
    expect(drawn(0.5)).toEqual(drawn(0.5))
    expect(drawn(0.5, 1)).not.toEqual(drawn(0.5))
  })

  it('is that of practice in the paper', () => {
    expect(presets.paper.evaluation?.noise).toBeUndefined()
    expect(resolveConfig('paper').evaluation.noise).toBe(1)
  })
})

const trial = (ending: EpisodeSummary['ending'], length: number, seed: number, task = 'pick'): EpisodeSummary => ({
  ...{ task, seed, ending, length, operatorSteps: 0, spokenSteps: 0, commands: 0, segments: [] },
})

describe('what a trial draws', () => {
  const config = resolveConfig('quick', undefined, [{ evaluation: { noise: 1 } }])
  const spec = new Slow().spec
  const first = (trial: TrialStart, of = config) => [...trialDraws(of, spec)(trial).noise()]

  it('is its own: the same again, whatever was drawn for others before, and other than theirs', () => {
    const draws = trialDraws(config, spec)
    for (let k = 0; k < 9; k++) draws({ task: 'push', seed: 3 }).noise()
    expect([...draws({ task: 'push', seed: 4 }).noise()]).toEqual(first({ task: 'push', seed: 4 }))
    expect(first({ task: 'push', seed: 3 })).not.toEqual(first({ task: 'push', seed: 4 }))
    expect(first({ task: 'pull', seed: 3 })).not.toEqual(first({ task: 'push', seed: 3 }))
    expect(first({ task: 'push', seed: 3 }, { ...config, seed: 1 })).not.toEqual(first({ task: 'push', seed: 3 }))
  })

  it('explores only where the settings say so', () => {
    const exploring = { ...config, evaluation: { ...config.evaluation, exploration: 5 } }
    expect(trialDraws(config, spec)({ task: 'push', seed: 3 }).exploration).toBeUndefined()
    expect(trialDraws(exploring, spec)({ task: 'push', seed: 3 }).exploration).toBeDefined()
  })
})

describe('trials on a robot', () => {
  const crewOf = (robot: ScriptedRobot) => ({
    robot: new SafeRobot(robot),
    perception: perceptionOf(),
    policy: planning(filled(0.1)),
  })

  it('are taken again from the same start where a person aborts them, and are not where they fail them', async () => {
    const robot = new ScriptedRobot({ 3: { reward: 1 } })
    const words = ['abort', 'abort', 'failure', undefined] as const
    let tries = 0
    const { push } = await evaluate(crewOf(robot), ['push'], {
      ...{ trials: 2, firstSeed: 40, draws },
      attend: () => {
        const word = words[tries++]
        return attendant({ between: () => (word ? Promise.resolve(word) : undefined) })
      },
    })
    expect(robot.seeds).toEqual([40, 40, 40, 41])
    expect(score(push!)).toMatchObject({ trials: 2, successes: 1, success: 0.5 })
    expect(score(push!).outcomes).toEqual([
      { seed: 40, success: false, length: 0, by: 'person' },
      { seed: 41, success: true, length: 3, by: 'robot' },
    ])
  })

  it('that were made before are counted as they were, and not made again', async () => {
    const robot = new ScriptedRobot({ 3: { reward: 1 } })
    const { push } = await evaluate(crewOf(robot), ['push'], {
      ...{ trials: 3, firstSeed: 40, draws },
      made: (_, seed) => (seed === 41 ? { ...trial('failure', 4, 41, 'push'), by: 'person' } : undefined),
    })
    expect(robot.seeds).toEqual([40, 42])
    expect(score(push!).outcomes!.map(({ success, length, by }) => [success, length, by])).toEqual([
      [true, 3, 'robot'],
      [false, 4, 'person'],
      [true, 3, 'robot'],
    ])
  })
})

describe('trials that others make beside the robot', () => {
  const makers = (...made: ((trial: TrialStart) => Promise<EpisodeSummary>)[]) => made.map((make) => ({ make }))
  const aside = async ({ task, seed }: TrialStart) => trial('success', 1, seed, task)
  const evaluated = async (robot: Slow, options: Partial<EvaluationOptions>, course?: Course) => {
    const told: EpisodeSummary[] = []
    const crew = {
      robot: new SafeRobot(robot),
      perception: perceptionOf(['push', 'pull']),
      policy: planning(filled(0)),
      course,
    }
    const onEpisode = (summary: EpisodeSummary) => void told.push(summary)
    const made = await evaluate(crew, ['push', 'pull'], { trials: 6, firstSeed: 20, draws, onEpisode, ...options })
    return { made, told }
  }
  const SEEDS = [20, 21, 22, 23, 24, 25]

  it('are each made once, and stand in the order of their seeds', async () => {
    const robot = new Slow()
    const { made, told } = await evaluated(robot, { beside: makers(aside, aside) })
    for (const task of ['push', 'pull']) expect(made[task]!.map(({ seed }) => seed)).toEqual(SEEDS)
    expect(told).toHaveLength(12)
    const own = Object.values(made).flatMap((trials) => trials.filter(({ length }) => length === 2))
    expect(own).toHaveLength(robot.resets)
    expect(robot.resets).toBeGreaterThan(0)
    expect(robot.resets).toBeLessThan(12)
  })

  it('are made by the robot where somebody leaves, the one in hand too, however late', async () => {
    const leaves = () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error('gone')), 300))
    const robot = new Slow()
    const { made } = await evaluated(robot, { beside: makers(leaves) })
    expect(robot.resets).toBe(12)
    expect(made.push!.map(({ seed }) => seed)).toEqual(SEEDS)
  })

  it('are not those that are filmed, or were made before', async () => {
    const asked: string[] = []
    const noting = async (of: TrialStart) => {
      asked.push(`${of.task} ${of.seed}`)
      return aside(of)
    }
    const filmed: string[] = []
    const recorder = (task: string, k: number) => {
      if (k > 0) return undefined
      const end = () => void filmed.push(task)
      return { copies: NO_COPIES, observationId: () => 0, begin: () => {}, step: () => {}, end }
    }
    const before = (task: string, seed: number) => (seed === 23 ? trial('failure', 9, 23, task) : undefined)
    const { made } = await evaluated(new Slow(), { beside: makers(noting), recorder, made: before })
    expect(filmed).toEqual(['push', 'pull'])
    expect(asked.length).toBeGreaterThan(2)
    expect(asked.filter((one) => /2[03]$/.test(one))).toEqual([])
    expect(made.pull![3]).toMatchObject({ ending: 'failure', length: 9 })
  })

  it('are left where the evaluation is stopped', async () => {
    const stop = new AbortController()
    const asked: TrialStart[] = []
    const stopping = async (of: TrialStart) => {
      asked.push(of)
      stop.abort()
      throw new Stopped('so was this one')
    }
    await expect(
      evaluated(new Slow(), { beside: makers(stopping) }, new Course(undefined, stop.signal)),
    ).rejects.toThrow(Stopped)
    expect(asked).toHaveLength(1)
  })

  it('are not waited for where the evaluation is stopped, or has failed, however long they take', async () => {
    const never = () => new Promise<never>(() => {})
    const ended = (end: () => void, course: Course) => {
      let own = 0
      const onEpisode = () => void (++own === 11 && setTimeout(end, 20)) // the twelfth is made beside the robot
      return evaluated(new Slow(), { beside: makers(never), onEpisode }, course)
    }
    const stop = new AbortController()
    await expect(ended(() => stop.abort(), new Course(undefined, stop.signal))).rejects.toThrow(Stopped)
    const course = new Course()
    await expect(ended(() => course.failure.fail(new Error('the learner is gone')), course)).rejects.toThrow('is gone')
  }, 20_000)
})

describe('the score of a task', () => {
  it('is the share of successes, with their steps and Wilson’s interval', () => {
    const { interval, ...rest } = score([trial('success', 10, 7), trial('timeout', 80, 8), trial('success', 20, 9)])
    expect(rest).toEqual({
      ...{ success: 2 / 3, successes: 2, trials: 3, meanSteps: 15 },
      outcomes: [
        { seed: 7, success: true, length: 10 },
        { seed: 8, success: false, length: 80 },
        { seed: 9, success: true, length: 20 },
      ],
    })
    expect(interval[0]).toBeCloseTo(0.2077, 4) // of 2 in 3, by the formula of 1927 worked by hand
    expect(interval[1]).toBeCloseTo(0.9385, 4)
  })

  it('has the steps of all trials where none succeeded', () =>
    expect(score([trial('failure', 30, 1), trial('timeout', 80, 2)])).toMatchObject({ success: 0, meanSteps: 55 }))
})
