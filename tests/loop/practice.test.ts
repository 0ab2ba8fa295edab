/** @file One robot's share of the online phase: which task comes when, from where, with whose hand, and who is beside it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Normaliser } from '../../src/learn/normaliser.ts'
import type { Policy } from '../../src/learn/policy.ts'
import type { Attendance, Attendant, EpisodeSetting } from '../../src/loop/attendant.ts'
import { Course } from '../../src/loop/failure.ts'
import { OnlineRecorder, ownNumber } from '../../src/loop/online-recorder.ts'
import { NO_COPIES, Perception } from '../../src/loop/perception.ts'
import { Practice, robotSeed } from '../../src/loop/practice.ts'
import { Turns } from '../../src/loop/turns.ts'
import { UpdateSchedule } from '../../src/loop/update-schedule.ts'
import type { EpisodeStart } from '../../src/replay/episode.ts'
import type { EpisodeLog } from '../../src/replay/log.ts'
import { vector } from '../../src/robot/channels.ts'
import type { Rig, SimulatedPerson, Simulation } from '../../src/robot/rig.ts'
import type { Action, Outcome, Robot } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import type { VlaEncoder } from '../../src/vla/encoder.ts'
import { attendant } from './scripted.ts'

const LENGTH = 3 // steps of an episode, by the clock

/** Writes down what it is reset to, and what it is told. */
class Arm implements Robot {
  readonly resets: { task: string; seed: number }[] = []
  readonly actions: Action[] = []
  private time = 0
  readonly spec = {
    name: 'arm',
    cameras: {},
    rate: 1000,
    channels: vector('tcp', 'm', { of: 'position' }),
    actionFrame: 'base' as const,
    actionScale: { translation: 0.01, rotation: 0.1 },
    tasks: Object.fromEntries(['pick', 'place', 'turn'].map((task) => [task, { instruction: task, maxSteps: LENGTH }])),
  }
  async reset(task: string, seed?: number) {
    this.resets.push({ task, seed: seed! })
    return this.observe()
  }
  async observe() {
    return { images: {}, proprio: new Float32Array(3), time: this.time++ }
  }
  async step(action: Action): Promise<Outcome> {
    this.actions.push(action)
    return { observation: await this.observe(), reward: 0, terminated: false }
  }
  async stop() {}
}

const identity = new Normaliser({ mean: [0, 0, 0], deviation: [1, 1, 1] })
const encoder = {
  encode: async (inputs: unknown[]) => inputs.map(() => ({ h: new Float32Array(3), features: Float32Array.of(0) })),
} as unknown as VlaEncoder

type Options = {
  index?: number
  of?: number
  seed?: number
  robotSteps?: number
  nextEpisode?: number
  watcher?: Attendance
  operator?: SimulatedPerson
  simulation?: Partial<Simulation>
  turns?: Turns
  course?: Course
  exploration?: number // steps of standing still before it
}

/** The practice of one robot of `of`, with what it is made to do written down. */
function aPractice({ index = 0, of = 1, seed = 4, robotSteps = 0, nextEpisode = 0, ...options }: Options = {}) {
  const arm = new Arm()
  const begun: EpisodeStart[] = []
  const noises: number[] = []
  const actors: string[] = []
  const log = {
    nextId: 0,
    nextEpisode,
    begin: (start: EpisodeStart) => void (log.nextEpisode = start.episode + 1),
    step: ({ id, actor }: { id: number; actor: string }) => {
      log.nextId = id + 1
      actors.push(actor)
    },
    end: () => {},
  }
  const learner = { begin: (start: EpisodeStart) => void begun.push(start), step: () => {}, end: () => {} }
  const link = { control: { learn: async () => ({ version: 0, made: 0, cut: 0 }) }, weights: { newest: undefined } }
  const schedule = new UpdateSchedule(link, 0, undefined, () => {})
  const { turns = new Turns(), course = new Course() } = options
  const policy = {
    followsCommands: false,
    primary: async (_: unknown, noise: Float32Array) => {
      noises.push(...noise)
      return noise.map((x) => Math.max(-1, Math.min(1, x)))
    },
  } as unknown as Policy
  const practice = new Practice(
    { cell: 'B', robot: new SafeRobot(arm), simulation: options.simulation } as unknown as Rig,
    new OnlineRecorder(log as unknown as EpisodeLog, learner, NO_COPIES, schedule, { index, of }, robotSteps),
    options.operator,
    { perception: new Perception(encoder, {}, { h: identity, proprio: identity }), policy, turns, course },
    {
      tasks: ['pick', 'place', 'turn'],
      seed,
      evaluation: { firstSeed: 1000 },
      online: { exploration: { after: options.exploration ?? 0, hold: 1, reach: 0.5, gripper: 0.5 }, pace: 1 },
      reward: { kind: 'robot' },
    },
    options.watcher,
  )
  const episodes = async (count: number) => {
    await turns.take()
    const done = []
    for (let i = 0; i < count; i++) done.push(await practice.episode())
    return done
  }
  return { arm, begun, noises, actors, episodes }
}

const hand = Float32Array.of(0.5, 0, 0, 0, 0, 0, 1)
const person = (takeover: Action): SimulatedPerson => ({
  begin: () => {},
  tend: () => ({ takeover }),
  save: () => null,
  restore: () => {},
})
const watching = (changes: Partial<Attendance>): Attendance => ({
  speed: (own) => own,
  operator: (_, own) => own,
  attend: () => attendant(),
  ...changes,
})

afterEach(() => vi.useRealTimers())

describe('the episodes of a robot', () => {
  it('are of each task in turn, every one of the run with a number and a start of its own', async () => {
    const { arm, begun, episodes } = aPractice()
    const done = await episodes(4)
    expect(arm.resets.map(({ task }) => task)).toEqual(['pick', 'place', 'turn', 'pick'])
    expect(begun.map(({ episode, source }) => [episode, source])).toEqual([0, 1, 2, 3].map((n) => [n, 'online']))
    expect(done.map(({ episode, task, length, ending }) => [episode, task, length, ending])).toEqual(
      ['pick', 'place', 'turn', 'pick'].map((task, n) => [n, task, LENGTH, 'timeout']),
    )
    const seeds = arm.resets.map(({ seed }) => seed)
    expect(new Set(seeds).size).toBe(4)
    for (const seed of seeds) expect(seed).toBeLessThan(1000) // those from 1000 on are for evaluations
    expect(begun.map(({ seed }) => seed)).toEqual(seeds)
  })

  it('begin with another task in each cell, and have numbers that no other robot has', async () => {
    const second = aPractice({ index: 1, of: 2, nextEpisode: 6 })
    await second.episodes(3)
    expect(second.begun.map(({ episode }) => episode)).toEqual([7, 9, 11])
    expect(second.arm.resets.map(({ task }) => task)).toEqual(['place', 'turn', 'pick']) // rounds 3, 4, 5, one further
  })

  it('have the start that their number gives them, also after a resume, and another one in a run of another seed', async () => {
    const all = aPractice()
    await all.episodes(3)
    const resumed = aPractice({ nextEpisode: 2, robotSteps: 2 * LENGTH })
    await resumed.episodes(1)
    expect(resumed.arm.resets[0]).toEqual(all.arm.resets[2])
    const other = aPractice({ seed: 5 })
    await other.episodes(1)
    expect(other.arm.resets[0]!.seed).not.toBe(all.arm.resets[0]!.seed)
  })

  it('have standard normal noise: the same for one seed, another for each robot and after a resume', async () => {
    const noiseOf = async (options: Options) => {
      const practice = aPractice(options)
      await practice.episodes(1)
      return practice.noises
    }
    const first = await noiseOf({})
    expect(first).toHaveLength(7 * LENGTH)
    expect(await noiseOf({})).toEqual(first)
    for (const options of [{ index: 1, of: 2 }, { robotSteps: 30 }, { seed: 5 }])
      expect(await noiseOf(options)).not.toEqual(first)
    const many = aPractice()
    await many.episodes(60)
    const square = many.noises.reduce((sum, x) => sum + x * x, 0) / many.noises.length
    expect(Math.abs(square - 1)).toBeLessThan(0.2) // of 1260 draws; 5 standard errors
    expect(new Set(many.noises).size).toBeGreaterThan(1200)
  })

  it('try something where the arm stands still, if that is set: from the first step of standing still, by the seed', async () => {
    const tried = async (options: Options) => {
      const practice = aPractice(options)
      await practice.episodes(2)
      return practice
    }
    expect((await tried({})).actors).toEqual(Array(2 * LENGTH).fill('primary'))
    const one = await tried({ exploration: 1 })
    const episode = ['primary', 'exploration', 'primary'] // an episode begins anew, and so does it after it has tried
    expect(one.actors).toEqual([...episode, ...episode])
    const [first, second] = [one.arm.actions[1]!, one.arm.actions[4]!]
    expect([...first.subarray(3, 6)]).toEqual([0, 0, 0])
    expect(Math.max(...first.subarray(0, 3).map(Math.abs))).toBeLessThanOrEqual(0.5)
    expect(second).not.toEqual(first)
    expect((await tried({ exploration: 1 })).arm.actions).toEqual(one.arm.actions)
    for (const options of [{ index: 1, of: 2 }, { robotSteps: 30 }, { seed: 5 }])
      expect((await tried({ exploration: 1, ...options })).arm.actions[1]).not.toEqual(first)
  })

  it('begin where a simulation says, by the seed of the robot, and it hears how they ended', async () => {
    const heard: unknown[] = []
    const starts = vi.fn(() => ({
      begin: (episode: number, task: string) => {
        heard.push([episode, task])
        return episode === 1 ? async () => ({ images: {}, proprio: new Float32Array(3), time: 1e6 }) : undefined
      },
      ended: ({ task, ending }: { task: string; ending: string }) => void heard.push([task, ending]),
    }))
    const { arm, episodes } = aPractice({ simulation: { starts } })
    await episodes(1)
    expect(starts).toHaveBeenCalledWith(4)
    expect(heard).toEqual([
      [0, 'pick'],
      ['pick', 'timeout'],
    ])
    expect(arm.resets).toHaveLength(1)
  })
})

describe('whoever tends', () => {
  it('is never in the way of what is tried, and standing still under a hand is not counted', async () => {
    let step = 0
    const takes = [true, true, true, false, false, true] // of two episodes of three steps
    const operator: SimulatedPerson = {
      ...person(hand),
      tend: () => (takes[step++] ? { takeover: hand } : {}),
    }
    const { actors, episodes } = aPractice({ operator, exploration: 1 })
    await episodes(2)
    expect(actors).toEqual(['operator', 'operator', 'operator', 'primary', 'exploration', 'operator'])
  })

  it('is the operator of the run where nobody watches', async () => {
    const { arm, episodes } = aPractice({ operator: person(hand) })
    const [done] = await episodes(1)
    expect(arm.actions).toEqual([hand, hand, hand])
    expect(done).toMatchObject({ operatorSteps: LENGTH })
  })

  it('is whom the watcher names for the cell, who hears whose it would have been', async () => {
    const own = person(hand)
    const asked: unknown[] = []
    const other = hand.with(0, -0.25)
    const operator: Attendance['operator'] = (...given) => {
      asked.push(given)
      return person(other)
    }
    const { arm, episodes } = aPractice({ operator: own, watcher: watching({ operator }) })
    await episodes(1)
    expect(asked).toEqual([['B', own]])
    expect(arm.actions).toEqual([other, other, other])
  })

  it('is told of every episode before it begins, of its steps and of its end', async () => {
    const told: unknown[] = []
    const attend = (setting: EpisodeSetting): Attendant => {
      told.push(setting)
      return {
        ready: () => void told.push('ready'),
        scene: () => undefined,
        begin: ({ time }) => told.push(`begin ${time}`),
        between: () => void told.push('between'),
        step: ({ step }, _, { time }) => told.push(`step ${step} ${time}`),
        end: ({ ending }) => told.push(ending),
      }
    }
    await aPractice({ nextEpisode: 4, watcher: watching({ attend }) }).episodes(1)
    expect(told).toEqual([
      { cell: 'B', stage: 'practice', task: 'place', episode: 4 },
      ...['ready', 'begin 0', 'between', 'step 0 1', 'between', 'step 1 2', 'between', 'step 2 3', 'timeout'],
    ])
  })
})

describe('a robot that is held', () => {
  it.each(['ready', 'between'] as const)('lets the others act meanwhile: %s', async (where) => {
    let go = () => {}
    const held = new Promise<undefined>((resolve) => (go = () => resolve(undefined)))
    const turns = new Turns()
    const { arm, episodes } = aPractice({
      turns,
      watcher: watching({ attend: () => attendant({ [where]: () => held }) }),
    })
    const episode = episodes(1)
    await turns.take() // comes, although the robot has not finished
    expect(arm.resets).toHaveLength(where === 'ready' ? 0 : 1)
    expect(arm.actions).toHaveLength(0)
    turns.give()
    go()
    expect((await episode)[0]).toMatchObject({ ending: 'timeout', length: LENGTH })
  })

  it('is let go by the failure of its run, and not commanded', async () => {
    const course = new Course()
    const held = new Promise<undefined>(() => {})
    const { arm, episodes } = aPractice({
      course,
      watcher: watching({ attend: () => attendant({ ready: () => held }) }),
    })
    const episode = episodes(1)
    course.failure.fail(new Error('the learner is gone'))
    await expect(episode).rejects.toThrow('the learner is gone')
    expect(arm.resets).toHaveLength(0)
  })
})

it('a robot goes at its own rate, times the speed that the watcher gives it', async () => {
  const took = async (times: number) => {
    const speeds: number[] = []
    const speed = (own: number) => {
      speeds.push(own)
      return times * own
    }
    const { episodes } = aPractice({ watcher: watching({ speed }) })
    const from = performance.now()
    await episodes(20)
    expect(new Set(speeds)).toEqual(new Set([1]))
    return performance.now() - from
  }
  expect(await took(0.1)).toBeGreaterThan(59 * 10 - 30) // 60 steps of 10 ms: 1000 Hz, slowed down ten times
})

describe('the numbers of a robot', () => {
  it('are every nth, from its own on', () => {
    expect([0, 1, 2, 3, 4].map((from) => ownNumber(from, { index: 1, of: 3 }))).toEqual([1, 1, 4, 4, 4])
    expect([0, 1, 7].map((from) => ownNumber(from, { index: 0, of: 1 }))).toEqual([0, 1, 7])
  })

  it('leave the first robot the seed of the run', () => {
    expect(robotSeed(7, { index: 0 })).toBe(7)
    expect(robotSeed(7, { index: 1 })).not.toBe(7)
    expect(robotSeed(7, { index: 1 })).not.toBe(robotSeed(8, { index: 1 }))
    expect(robotSeed(7, { index: 1 })).not.toBe(robotSeed(7, { index: 2 }))
  })
})
