/** @file A run of a real robot that was stopped goes on with the policy that it had, and with what was due. Its learner only counts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, expect, it } from 'vitest'
import { actorLayouts } from '../../src/learn/actors.ts'
import { LinkClient } from '../../src/link/client.ts'
import type { LearnerPort } from '../../src/link/ports.ts'
import { serve } from '../../src/link/serve.ts'
import { readMetrics } from '../../src/metrics/metrics.ts'
import { ofKind } from '../../src/metrics/of-kind.ts'
import { EpisodeLog } from '../../src/replay/log.ts'
import { SafeRobot } from '../../src/robot/safety.ts'
import { RunFolder } from '../../src/run/folder.ts'
import type { StartLearner } from '../../src/run/learner.ts'
import type { LearnerSetup } from '../../src/run/learner-process.ts'
import type { Session } from '../../src/run/session.ts'
import { train } from '../../src/run/train.ts'
import { builtInCommandEncoder } from '../../src/talk/embedding.ts'
import { filled, MAX_STEPS, ScriptedRobot, scriptedSpec } from '../loop/scripted.ts'
import { oneTask } from './one-task.ts'

const root = mkdtempSync(join(tmpdir(), 'duet-goes-on-'))
afterAll(() => rmSync(root, { recursive: true }))

const RATE = 100 // Hz
const TRIALS = 3
const minutes = (steps: number) => steps / RATE / 60

class Quick extends ScriptedRobot {
  override readonly spec = scriptedSpec({ rate: RATE })
}

/** One demonstration for all runs. */
const demonstrations = join(root, 'demonstrations')
const shown = EpisodeLog.open(demonstrations, new Quick().spec)
const seen = (step: number) => ({ images: {}, proprio: Float32Array.of(step), time: step })
const judged = { reward: 1, terminated: true, truncated: false, by: 'robot' } as const
shown.begin({ episode: 0, task: 'push', source: 'demonstration', seed: null }, seen(0))
shown.step({ id: 0, step: 0, action: filled(0.1), ...judged, actor: 'operator', command: null }, seen(1))
shown.end({ ending: 'success' })
shown.close()

/** The trials that it makes, of which the robot tells the start states. */
async function open(starts: number[]): Promise<Session> {
  const inner = new Quick()
  const reset = inner.reset.bind(inner)
  inner.reset = (task, seed) => {
    starts.push(seed)
    return reset(task, seed)
  }
  const limits = { commandAge: 60, heartbeatAge: 60, force: Number.POSITIVE_INFINITY }
  const robot = new SafeRobot(inner, { limits })
  const encode = async (inputs: { proprio: Float32Array }[]) =>
    inputs.map(({ proprio }) => ({ h: proprio.slice(), features: Float32Array.of(0) }))
  const description = { name: 'plain', hash: 'plain', cameras: [], embeddingWidth: 1, featureShape: [1, 1, 1, 1] }
  return {
    ...{ robot, rigs: [{ cell: 'A', robot, reset: 'itself', real: true }], encoder: { description, encode } },
    ...{ commands: builtInCommandEncoder(), instructions: { push: 'push' }, close: async () => {} },
  } as unknown as Session
}

/** Its updates are none, but for their number. */
function counting({ checkpoint, checkpoints, learner }: LearnerSetup): LearnerPort {
  const layouts = actorLayouts(learner.sizes, learner.method)
  const width = (layout: object) =>
    Object.values(layout).reduce((sum, { shape }) => sum + shape.reduce((a: number, b: number) => a * b, 1), 0)
  let updates = checkpoint ? Number(readFileSync(join(checkpoint, 'updates'), 'utf8')) : 0
  let online = 0
  return {
    begin: () => {},
    step: (episode) => void (online += episode > 0 ? 1 : 0),
    end: () => {},
    get updates() {
      return updates
    },
    canUpdate: (phase) => phase === 'warm-up' || online >= learner.onlineAfter,
    async update(phase) {
      await setImmediate()
      return { update: ++updates, phase, figures: {} }
    },
    actorParameters: () =>
      Object.fromEntries(Object.entries(layouts).map(([group, layout]) => [group, new Float32Array(width(layout))])),
    async save(name) {
      writeFileSync(join(checkpoints, name, 'updates'), String(updates))
      return {}
    },
    release: async () => {},
  }
}

let learner: LearnerPort // of the part that goes on

const startCounting: StartLearner = (setup, events) => {
  const { port1, port2 } = new MessageChannel()
  learner = counting(setup)
  const serving = serve(port2, async () => learner, setup)
  return new LinkClient(port1, setup.run, () => serving, events)
}

/** A run of these settings, one part after the other. */
function aRun(name: string, settings: { online: object; warmUp?: object; evaluation?: object }) {
  const config = oneTask({
    tasks: ['push'],
    demonstrations: { path: demonstrations },
    operator: { kind: 'none' },
    warmUp: { updates: 10 },
    ...settings,
    online: { lockstep: false, publishEvery: 2, startAfter: 0, ...settings.online },
    evaluation: { trials: TRIALS, ...settings.evaluation },
  })
  const folder = RunFolder.create(join(root, name), config)
  return {
    config,
    folder,
    /** Stopped at the first word of a stage. @returns the start states of the trials that were made */
    async part(stopAt?: string, heard: (stage: string) => void = () => {}): Promise<number[]> {
      const stop = new AbortController()
      const onProgress = ({ stage }: { stage: string }) => {
        heard(stage)
        if (stage === stopAt) stop.abort()
      }
      const starts: number[] = []
      await train(folder, config, { onProgress, stop: stop.signal }, () => open(starts), startCounting)
      return starts.filter((seed) => seed >= config.evaluation.firstSeed)
    },
    evaluations: () => ofKind(readMetrics(folder.metrics), 'evaluation'),
    updates: () => Number(basename(folder.latestCheckpoint()!).split('-').at(-1)),
  }
}

it('a last evaluation that was stopped goes on after its last trial: nothing was learned in between', async () => {
  const run = aRun('final', { online: { robotMinutes: minutes(2 * MAX_STEPS) } })
  const first = run.config.evaluation.firstSeed
  expect(await run.part('evaluation, final')).toEqual([first, first + 1, first + 2, first]) // after step 0
  const updates = run.updates()
  expect(updates).toBeGreaterThan(10)
  expect(await run.part()).toEqual([first + 1, first + 2])
  expect(run.updates()).toBe(updates)
  expect(run.evaluations().map(({ stage }) => stage)).toEqual(['step 0', 'final'])
})

it('an evaluation on the way that was stopped is made up for before anything else, by the policy that made its first trial', async () => {
  const run = aRun('on-the-way', {
    online: { robotMinutes: minutes(3 * MAX_STEPS) },
    evaluation: { everyRobotMinutes: minutes(2 * MAX_STEPS), trialsOnTheWay: 2 },
  })
  const first = run.config.evaluation.firstSeed
  expect((await run.part('evaluation, on the way')).slice(TRIALS)).toEqual([first])
  expect((await run.part()).slice(0, 2)).toEqual([first + 1, first]) // the final one comes next
  expect(run.evaluations().map(({ stage, robotSteps }) => [stage, robotSteps])).toEqual([
    ['step 0', 0],
    ['on the way', 2 * MAX_STEPS],
    ['final', 3 * MAX_STEPS],
  ])
})

it('its learner rests while it is evaluated on the way, and goes on after that', async () => {
  const run = aRun('rests', {
    online: { robotMinutes: minutes(3 * MAX_STEPS) },
    evaluation: { everyRobotMinutes: minutes(2 * MAX_STEPS), trialsOnTheWay: 2 },
  })
  const made: number[] = [] // updates, at the end of each trial on the way
  await run.part(undefined, (stage) => stage === 'evaluation, on the way' && made.push(learner.updates))
  expect(made).toEqual([made[0], made[0]])
  expect(made[0]).toBeGreaterThan(10)
  expect(run.updates()).toBeGreaterThan(made[0]! + 10)
})

it('a warm-up that was stopped holds no update of the online phase', async () => {
  const run = aRun('warm-up', { online: { robotMinutes: minutes(MAX_STEPS) }, warmUp: { updates: 500 } })
  expect(await run.part('warm-up')).toEqual([])
  expect(run.updates()).toBe(250)
})
