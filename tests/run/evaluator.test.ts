/** @file Trials of an evaluation that threads make: real ones, with a policy that has learned nothing, in the simulated cell. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { actorLayouts, actorSizes } from '../../src/learn/actors.ts'
import { Normaliser } from '../../src/learn/normaliser.ts'
import { type ActorParameters, Policy } from '../../src/learn/policy.ts'
import { Course, Failure, Stopped } from '../../src/loop/failure.ts'
import { Perception } from '../../src/loop/perception.ts'
import { RandomStream } from '../../src/random/stream.ts'
import { evaluateRig, trialsAtOnce } from '../../src/run/evaluation.ts'
import { presets } from '../../src/run/presets.ts'
import { mergeSettings, parseConfig } from '../../src/run/resolve.ts'
import { openSession, type Session } from '../../src/run/session.ts'
import { threadsLive } from '../../src/run/threads.ts'
import type { PolicyCopy } from '../../src/run/trained.ts'

/** Trials end where the tool comes to a place that is neither near nor far: how soon tells what the policy did. */
const far = { position: [0.65, -0.2, 0.2], within: 0.06, steps: 1 }
const near = { position: [0.52, 0, 0.1], within: 0.025, steps: 1 }
const settings = {
  robot: { arm: 'gantry', cells: ['B'] },
  tasks: ['pick', 'place'],
  reward: { kind: 'pose', targets: { pick: near, place: far } },
}
const config = parseConfig('test', mergeSettings(presets.tiny, settings, { evaluation: { noise: 1, exploration: 4 } }))
const TRIALS = 4

let session: Session
let policy: Policy
let copy: Extract<PolicyCopy, { actors: unknown }>
beforeAll(async () => {
  session = await openSession(config)
  session.robot.supervisedBy([])
  const { encoder, robot, commands } = session
  const sizes = actorSizes(config.networks, encoder.description, robot.spec.channels.length, commands.width)
  policy = await Policy.create(sizes, commands)
  const random = new RandomStream(0, 'actors')
  const actors = Object.fromEntries(
    Object.entries(actorLayouts(sizes)).map(([actor, layout]) => {
      const size = Object.values(layout).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
      return [actor, random.fillNormal(new Float32Array(size), 0.2)]
    }),
  ) as ActorParameters
  policy.setParameters(actors)
  const plain = (width: number) => ({ mean: Array<number>(width).fill(0.1), deviation: Array<number>(width).fill(1.5) })
  copy = { actors, normalisers: { h: plain(sizes.embedding), proprio: plain(sizes.proprio) } }
}, 60_000)
afterAll(async () => {
  await policy.release()
  await session.close()
})

type Asked = { threads: number; tasks?: string[]; copied?: PolicyCopy; stop?: AbortSignal; onEpisode?: () => void }

/** Also how many of the trials were made by the robot itself, and what was said. */
async function evaluated({ threads, tasks = config.tasks, copied = copy, stop, onEpisode }: Asked) {
  const rig = session.rigs[0]!
  const { robot } = rig
  let resets = 0
  const reset = robot.reset.bind(robot)
  robot.reset = (...start) => {
    resets++
    return reset(...start)
  }
  const notices: string[] = []
  const { h, proprio } = copy.normalisers
  const normalisers = { h: new Normaliser(h), proprio: new Normaliser(proprio) }
  try {
    const made = await evaluateRig(rig, {
      config: { ...config, evaluation: { ...config.evaluation, threads } },
      ...{ policy, copy: copied, onEpisode, tasks, trials: TRIALS, firstSeed: 700, stage: 'test' },
      perception: new Perception(session.encoder, session.instructions, normalisers),
      course: new Course(new Failure(), stop),
      onNotice: (line) => void notices.push(line),
    })
    return { made, resets, notices }
  } finally {
    robot.reset = reset
  }
}

describe('an evaluation by several threads', () => {
  it.each([
    ['moves', 1, ['pick', 'place']],
    ['stands still, where it tries things', 0, ['place', 'pick']], // threads, which open late, make the last trials
  ])(
    'comes to the same as by one, step for step, of a policy that %s, and leaves no thread',
    async (_, scale, tasks) => {
      const scaled = Object.entries(copy.actors).map(([actor, values]) => [actor, values.map((value) => scale * value)])
      const copied = { ...copy, actors: Object.fromEntries(scaled) as ActorParameters }
      policy.setParameters(copied.actors)
      const alone = await evaluated({ threads: 1, tasks, copied })
      expect(alone.resets).toBe(2 * TRIALS)
      expect(new Set(alone.made[tasks[1]!]!.map(({ length }) => length)).size).toBeGreaterThan(2) // the policy shows in them
      const together = await evaluated({ threads: 3, tasks, copied })
      expect(together.made).toEqual(alone.made)
      expect(together.resets).toBeLessThan(2 * TRIALS)
      expect(together.notices).toEqual([])
      expect(threadsLive()).toBe(false)
    },
    120_000,
  )

  it('goes on without one that cannot act, and says so', async () => {
    const { head } = copy.actors
    const copied = { ...copy, actors: { ...copy.actors, head: head!.subarray(1) } }
    const { made, resets, notices } = await evaluated({ threads: 2, copied })
    expect(resets).toBe(2 * TRIALS)
    expect(made.place).toHaveLength(TRIALS)
    expect(notices).toEqual([
      expect.stringMatching(
        /^Evaluation: a thread makes no more trials, the others go on\. published head: has \d+ param/,
      ),
    ])
  }, 120_000)

  it('is over soon after a stop, threads and all', async () => {
    const stop = new AbortController()
    const going = evaluated({ threads: 2, stop: stop.signal, onEpisode: () => stop.abort() })
    await expect(going).rejects.toBeInstanceOf(Stopped)
    expect(threadsLive()).toBe(false)
  }, 120_000)
})

describe('how many trials are made at the same time', () => {
  const rig = { simulation: {} as never }
  const asked = (threads: number, vla: 'nano' | 'octo' = 'nano') => ({
    config: { ...config, vla, evaluation: { ...config.evaluation, threads } },
    copy: { file: 'policy.onnx' },
  })
  it.each([
    ['as many as asked for', rig, asked(6), 2, 6],
    ['half of the cores', rig, asked(0), 6, 3],
    ['one on a single core', rig, asked(0), 1, 1],
    ['at most four', rig, asked(0), 64, 4],
    ['one with an encoder that fills the memory', rig, asked(0, 'octo'), 64, 1],
    ['one of a real robot', {}, asked(6), 64, 1],
    ["one where the policy is somebody else's", rig, { ...asked(6), copy: undefined }, 64, 1],
    ['one beside a person who speaks', rig, { ...asked(6), operator: {} as never }, 64, 1],
  ] as const)('%s', (_, of, evaluation, cores, count) => expect(trialsAtOnce(of, evaluation, cores)).toBe(count))
})
