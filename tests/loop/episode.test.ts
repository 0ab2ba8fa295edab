/** @file The interaction loop on a scripted robot: who acts, what is recorded, how an episode ends. */
import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/learn/policy.ts'
import { type Recorder, runEpisode } from '../../src/loop/episode.ts'
import { evaluate } from '../../src/loop/evaluate.ts'
import { Course, Stopped } from '../../src/loop/failure.ts'
import type { EpisodeSummary, Happening } from '../../src/loop/happening.ts'
import { NO_COPIES } from '../../src/loop/perception.ts'
import type { Tending } from '../../src/robot/operator.ts'
import type { Action } from '../../src/robot/robot.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { attendant, filled, MAX_STEPS, noNoise, perceptionOf, planning, ScriptedRobot } from './scripted.ts'

class Notes implements Recorder {
  readonly copies = NO_COPIES
  readonly steps: (Happening & { next: number })[] = []
  first?: number
  summary?: EpisodeSummary
  observationId = () => 0
  begin(_task: string, _seed: number, _observation: unknown, seen: { h: Float32Array }) {
    this.first = seen.h[0]
  }
  step(happening: Happening, _next: unknown, seen: { h: Float32Array }) {
    this.steps.push({ ...happening, next: seen.h[0]! })
  }
  end(summary: EpisodeSummary) {
    this.summary = summary
  }
}

async function run(robot: ScriptedRobot, tend: (step: number) => Tending = () => ({}), planned = filled(0.1)) {
  const recorder = new Notes()
  let step = 0
  const crew = {
    robot: new SafeRobot(robot),
    perception: perceptionOf(),
    policy: planning(planned),
    noise: noNoise,
    operator: { begin: () => {}, tend: () => tend(step++) },
    recorder,
  }
  const summary = await runEpisode(crew, 'push', 3)
  return { summary, recorder, robot }
}

describe('an episode', () => {
  it('ends in success at the reward, and records what each step led to', async () => {
    const { summary, recorder } = await run(new ScriptedRobot({ 3: { reward: 1 } }))
    expect(summary).toMatchObject({ ending: 'success', length: 3, operatorSteps: 0, seed: 3 })
    expect(recorder.first).toBe(0)
    expect(recorder.steps.map(({ step, next, reward, terminated }) => [step, next, reward, terminated])).toEqual([
      [0, 1, 0, false],
      [1, 2, 0, false],
      [2, 3, 1, true],
    ])
  })

  it('is a failure where it terminates without reward', async () => {
    expect((await run(new ScriptedRobot({ 2: { reward: 0 } }))).summary.ending).toBe('failure')
  })

  it('is truncated, not terminated, by the clock', async () => {
    const { summary, recorder } = await run(new ScriptedRobot())
    expect(summary).toMatchObject({ ending: 'timeout', length: MAX_STEPS })
    expect(recorder.steps.at(-1)).toMatchObject({ truncated: true, terminated: false })
    expect(recorder.steps.slice(0, -1).some(({ truncated }) => truncated)).toBe(false)
  })

  it('is terminated, not truncated, by a success on the last step of the clock', async () => {
    const { recorder } = await run(new ScriptedRobot({ [MAX_STEPS]: { reward: 1 } }))
    expect(recorder.steps.at(-1)).toMatchObject({ truncated: false, terminated: true, reward: 1 })
  })

  it("executes and records the operator's hand instead of the plan", async () => {
    const { summary, recorder, robot } = await run(new ScriptedRobot(), (step) =>
      step === 1 ? { takeover: filled(-0.5) } : {},
    )
    expect(robot.executed.map((action) => action[0])).toEqual([0.1, -0.5, 0.1, 0.1, 0.1].map(Math.fround))
    expect(recorder.steps.map(({ actor }) => actor)).toEqual(['primary', 'operator', 'primary', 'primary', 'primary'])
    expect(recorder.steps[1]!.action[0]).toBe(-0.5)
    expect(summary.operatorSteps).toBe(1)
  })

  it('tells how long each intervention was, and when it began', async () => {
    const acts = [true, true, false, false, true]
    const { summary } = await run(new ScriptedRobot(), (step) => (acts[step] ? { takeover: filled(0.5) } : {}))
    expect(summary.segments).toEqual([
      { from: 0, steps: 2 },
      { from: 4, steps: 1 },
    ])
    expect(summary.operatorSteps).toBe(3)
  })

  it('lets the refinement actor act while something is said, and notes what', async () => {
    const { recorder } = await run(new ScriptedRobot(), (step) => (step === 2 ? { command: 'move left' } : {}))
    expect(recorder.steps[2]).toMatchObject({ actor: 'refinement', command: 'move left' })
    expect(recorder.steps[2]!.action[0]).toBeCloseTo(0.7)
    expect(recorder.steps[3]).toMatchObject({ actor: 'primary', command: null })
  })

  it('carries the tool along an axis of which a distance was said, and leaves the others to the refinement actor', async () => {
    const { actionScale } = new ScriptedRobot().spec
    const toGo = [null, 0.3 * actionScale.translation, null] // a tenth of a unit in each of three steps
    const { recorder } = await run(new ScriptedRobot(), (step) => (step === 2 ? { command: 'move left', toGo } : {}))
    const { action, actor } = recorder.steps[2]!
    expect([actor, action[0]!.toFixed(3), action[1]!.toFixed(3)]).toEqual(['refinement', '0.700', '0.100'])
  })

  it('counts what was said, and the steps for which it held: the same words after a silence are said again', async () => {
    const said = ['move left', 'move left', undefined, 'move left', 'move up']
    const { summary } = await run(new ScriptedRobot(), (step) => (said[step] ? { command: said[step] } : {}))
    expect(summary).toMatchObject({ length: 5, spokenSteps: 4, commands: 3, operatorSteps: 0 })
  })

  it.each([
    ['success', { ending: 'success' }, { reward: 1, terminated: true, truncated: false }],
    ['failure', { ending: 'failure' }, { reward: 0, terminated: true, truncated: false }],
    ['abort', { ending: 'abort' }, { reward: 0, terminated: false, truncated: true }],
  ] as const)('ends at the verdict "%s"', async (verdict, ending, last) => {
    const { summary, recorder } = await run(new ScriptedRobot(), (step) => (step === 1 ? { verdict } : {}))
    expect(summary).toMatchObject({ ...ending, length: 2 })
    expect(recorder.steps.at(-1)).toMatchObject(last)
  })

  it('records the action as the safety envelope let it through', async () => {
    const { recorder, robot } = await run(new ScriptedRobot(), () => ({}), filled(7))
    expect(robot.executed[0]![0]).toBe(1)
    expect(recorder.steps[0]!.action[0]).toBe(1)
  })

  it('stops the robot and says why when the policy plans something that is no number', async () => {
    const robot = new ScriptedRobot()
    await expect(run(robot, () => ({}), filled(Number.NaN))).rejects.toThrow(
      /safety envelope: .*not a number: action\[0\] is NaN/,
    )
    expect(robot.stops).toBeGreaterThan(0)
    expect(robot.executed.every((action) => action.every((value) => value === 0))).toBe(true)
  })
})

describe('a robot that is watched', () => {
  const crewOf = (robot: SafeRobot, primary: () => Promise<Action>, recorder: Recorder) => ({
    robot,
    perception: perceptionOf(),
    policy: { primary } as unknown as Policy,
    noise: noNoise,
    recorder,
  })

  it('holds where planning took longer than a command may be old, and the episode is interrupted with that word', async () => {
    let now = 0
    const robot = new SafeRobot(new ScriptedRobot(), { limits: { commandAge: 0.3 }, now: () => now })
    const why: string[] = []
    const recorder = Object.assign(new Notes(), { interrupt: (word: string) => why.push(word) })
    const slow = async () => {
      now += 0.4
      return filled(0.1)
    }
    await expect(runEpisode(crewOf(robot, slow, recorder), 'push', 3)).rejects.toThrow('stale command: 0.4 s old')
    expect(why).toEqual([expect.stringContaining('stale command')])
    expect(recorder.steps).toEqual([])
  })

  it('is at rest after an episode: nobody commands it, and that is no fault', async () => {
    const robot = new SafeRobot(new ScriptedRobot({ 2: { reward: 1 } }), { limits: { commandAge: 0.05 } })
    await runEpisode(
      crewOf(robot, async () => filled(0.1), new Notes()),
      'push',
      3,
    )
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(robot.fault).toBeNull()
  })

  it('whose sensor lies is stopped, and the step is told to nobody', async () => {
    const lying = new ScriptedRobot()
    const step = lying.step.bind(lying)
    lying.step = async (action) => {
      const outcome = await step(action)
      if (lying.executed.length === 2) outcome.observation.proprio[0] = Number.NaN
      return outcome
    }
    const why: string[] = []
    const recorder = Object.assign(new Notes(), { interrupt: (word: string) => why.push(word) })
    const going = runEpisode(
      crewOf(new SafeRobot(lying), async () => filled(0.1), recorder),
      'push',
      3,
    )
    await expect(going).rejects.toThrow(
      'sensor: step [1] reads NaN. Look at the robot and at its sensors; the run can be resumed',
    )
    expect(recorder.steps.map(({ step }) => step)).toEqual([0])
    expect(why).toEqual(['sensor: step [1] reads NaN'])
    expect(lying.stops).toBeGreaterThan(0)
  })
})

it('every step says who judged it: the robot, the clock, a person', async () => {
  const judges = async (...given: Parameters<typeof run>) => (await run(...given)).recorder.steps.map(({ by }) => by)
  expect(await judges(new ScriptedRobot({ 2: { reward: 1 } }))).toEqual(['robot', 'robot'])
  expect((await judges(new ScriptedRobot())).at(-1)).toBe('clock')
  expect(await judges(new ScriptedRobot(), (step) => (step === 1 ? { verdict: 'failure' } : {}))).toEqual([
    'robot',
    'person',
  ])
})
describe('an episode of a run that ends', () => {
  const crewOf = (robot: ScriptedRobot, course: Course, tend: (step: number) => void) => {
    let step = 0
    return {
      robot: new SafeRobot(robot),
      perception: perceptionOf(),
      policy: planning(filled(0.1)),
      noise: noNoise,
      operator: {
        begin: () => {},
        tend: (): Tending => {
          tend(step++)
          return {}
        },
      },
      recorder: new Notes(),
      course,
    }
  }

  it('gives the robot no command after the failure, and passes its cause on', async () => {
    const robot = new ScriptedRobot()
    const course = new Course()
    const crew = crewOf(robot, course, (step) => step === 2 && course.failure.fail(new Error('the learner is gone')))
    course.failure.stops([crew.robot])
    await expect(runEpisode(crew, 'push', 3)).rejects.toThrow('the learner is gone')
    expect(robot.executed).toHaveLength(2)
    expect(robot.stops).toBeGreaterThan(0)
  })

  it('is left off at the next step when the run is asked to stop, as an abort, with the robot at rest', async () => {
    const robot = new ScriptedRobot()
    const stop = new AbortController()
    const crew = crewOf(robot, new Course(undefined, stop.signal), (step) => step === 2 && stop.abort())
    const summary = await runEpisode(crew, 'push', 3)
    expect(summary).toMatchObject({ ending: 'abort', length: 3, judged: { reward: 0, terminated: false } })
    expect(crew.recorder.summary).toBe(summary)
    expect(robot.stops).toBe(1)
  })

  it('does not begin where the run is asked to stop while the robot is held: a reset would move it', async () => {
    const robot = new ScriptedRobot()
    const stop = new AbortController()
    const crew = crewOf(robot, new Course(undefined, stop.signal), () => {})
    const letGo = () => Promise.resolve().then(() => stop.abort())
    const summary = await runEpisode({ ...crew, attendant: attendant({ ready: letGo }) }, 'push', 3)
    expect(summary).toMatchObject({ ending: 'abort', length: 0 })
    expect(robot.seeds).toEqual([])
    expect([crew.recorder.first, crew.recorder.summary]).toEqual([undefined, undefined])
  })

  it('is no trial of an evaluation', async () => {
    const stop = new AbortController()
    const crew = crewOf(new ScriptedRobot(), new Course(undefined, stop.signal), (step) => step === 7 && stop.abort())
    const heard: EpisodeSummary[] = []
    const evaluation = evaluate(crew, ['push'], {
      trials: 3,
      firstSeed: 1,
      draws: () => crew,
      onEpisode: (summary) => heard.push(summary),
    })
    await expect(evaluation).rejects.toBeInstanceOf(Stopped)
    expect(heard).toHaveLength(1)
  })
})

describe('a word between two steps', () => {
  it.each([
    ['success', { reward: 1, terminated: true }],
    ['failure', { reward: 0, terminated: true }],
    ['abort', { reward: 0, terminated: false }],
  ] as const)('of %s ends the episode there, and says %o of its last step', async (verdict, judged) => {
    const robot = new ScriptedRobot()
    const recorder = new Notes()
    let steps = 0
    const summary = await runEpisode(
      {
        robot: new SafeRobot(robot),
        perception: perceptionOf(),
        policy: planning(filled(0.1)),
        noise: noNoise,
        recorder,
        attendant: attendant({
          between: () => (steps === 2 ? Promise.resolve(verdict) : undefined),
          step: () => void steps++,
        }),
      },
      'push',
      3,
    )
    expect(summary).toMatchObject({ ending: verdict, length: 2, judged })
    expect(recorder.summary).toBe(summary)
    expect(robot.executed).toHaveLength(2)
  })
})

it('a run that fails while a person’s halt holds the robot is not said to have been interrupted by the halt', async () => {
  const robot = new SafeRobot(new ScriptedRobot())
  const reasons: string[] = []
  const recorder = Object.assign(new Notes(), { interrupt: (why: string) => void reasons.push(why) })
  const fails = { followsCommands: false, primary: () => Promise.reject(new Error('no policy')) } as unknown as Policy
  const perception = perceptionOf()
  const operator = { begin: () => void robot.halt('by Ada'), tend: () => ({}) }
  const crew = { robot, perception, policy: fails, noise: noNoise, recorder, operator }
  await expect(runEpisode(crew, 'push', 3)).rejects.toThrow('no policy')
  expect(reasons).toEqual([])
})

it('an episode whose scene a person lays begins from what is seen once it is laid', async () => {
  const robot = new ScriptedRobot()
  const observe = robot.observe.bind(robot)
  let looks = 0
  robot.observe = async () => {
    const seen = await observe()
    return { ...seen, taken: { front: seen.time + (looks++ === 0 ? -0.1 : 0.001) } } // at first a picture of before
  }
  const recorder = new Notes()
  const seeds: number[] = []
  let begunAfter = 0
  await runEpisode(
    {
      robot: new SafeRobot(robot),
      perception: perceptionOf(),
      policy: planning(filled(0.1)),
      noise: noNoise,
      recorder,
      attendant: attendant({
        scene: async (seed) => {
          seeds.push(seed)
          looks = 0
          robot.executed.push(filled(0), filled(0)) // the scene is another one than after the reset
        },
        begin: () => {
          begunAfter = looks
        },
      }),
    },
    'push',
    9,
  )
  expect(seeds).toEqual([9])
  expect(recorder.first).toBe(2)
  expect(begunAfter).toBe(2)
})
